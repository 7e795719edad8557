"""No compiler and no option changes a bit, and a missing build says what to do."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernel import build, make_vectors
from seawall.hashing import native

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = json.loads(make_vectors.VECTORS.read_text(encoding="utf-8"))["vectors"]
COMPILERS = {
    "as built": [],
    "unoptimised": ["-O0"],
    "moderate": ["-O2"],
    "for size": ["-Os"],
    "loose about overflow": ["-O2", "-fno-strict-aliasing", "-fwrapv"],
    "tuned to this machine": ["-O3", "-march=native"],
    "ziglang": None,
}


@pytest.mark.parametrize("name", COMPILERS)
def test_every_compiler_and_option_gives_the_suites_fingerprints(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = COMPILERS[name]
    if options is None:
        if importlib.util.find_spec("ziglang") is None:
            pytest.skip("ziglang is not installed; `make wasm-check` installs it")
        compiler = [*build.zig(), "-mcpu=baseline"]
    else:
        # after build.py's own options, so that these win
        wrapper = tmp_path / "cc"
        wrapper.write_text(f'#!/bin/sh\nexec cc "$@" {" ".join(options)}\n')
        wrapper.chmod(0o755)
        compiler = [str(wrapper)]
    made = build.build_library(tmp_path / "kernel.so", compiler)
    monkeypatch.setattr(native, "_library", native.load(made))
    for lanes in range(native.WIDEST + 1):
        for vector in VECTORS:
            rows = np.frombuffer(make_vectors.pixels(vector), np.uint8) if vector["width"] < 600 else None
            if rows is None:
                continue
            hasher = native.RowHasher(vector["width"], vector["height"], 3, lanes=lanes)
            hasher.add(rows.reshape(vector["height"], vector["width"], 3))
            views, quality = hasher.finish()
            assert ([view.hex() for view in views], quality) == (vector["pdq"], vector["quality"])


def test_a_build_that_may_round_otherwise_is_refused() -> None:
    source = str(build.KERNEL / "block.c")
    ran = subprocess.run(["cc", "-ffast-math", "-c", source, "-o", os.devnull], capture_output=True, check=False)
    assert ran.returncode != 0
    assert b"without -ffast-math" in ran.stderr


def test_a_missing_library_says_to_run_make_kernel(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="make kernel"):
        native.load(tmp_path / "kernel.so")


def test_the_check_of_the_webassembly_can_be_run_by_anyone() -> None:
    ran = subprocess.run(
        [sys.executable, build.__file__, "wasm", "--check"], capture_output=True, text=True, check=False
    )
    if importlib.util.find_spec("ziglang") is None:
        assert "pip install ziglang" in ran.stderr
    else:
        assert (ran.stdout.strip(), ran.returncode) == ("the same bytes", 0)
