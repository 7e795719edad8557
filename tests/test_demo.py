"""`seawall demo --once` is the first thing people run."""

import subprocess
import sys

import pytest


@pytest.mark.xdist_group("demo")
def test_it_walks_the_loop_with_real_processes_and_ends_well() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seawall.cli", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The loop works." in done.stdout
    assert "expected" not in done.stdout
