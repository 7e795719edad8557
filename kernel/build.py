"""Build the fingerprint kernel.

    python kernel/build.py          the shared libraries that seawall.hashing and seawall.matching load
    python kernel/build.py wasm     kernel/pdq.wasm and kernel/pdq-scalar.wasm, which are committed
    python kernel/build.py wasm --check     compare the committed ones with fresh builds, byte for byte

The shared libraries are built with the system's `cc`, else with `ziglang` from PyPI. The WebAssembly is always built
with ziglang, because its bytes depend on the compiler. No option here may change a bit of any fingerprint:
-ffp-contract=off forbids fused multiply-add, and nothing is tuned to the machine that builds.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KERNEL = Path(__file__).resolve().parent
LIBRARY = KERNEL.parent / "src" / "seawall" / "hashing" / "kernel.so"
SEARCH_LIBRARY = KERNEL.parent / "src" / "seawall" / "matching" / "search.so"

EXACT = ["-std=c11", "-ffreestanding", "-fno-builtin", "-ffp-contract=off", "-Wall", "-Wextra"]
SOURCES = ("pdq.c", "block.c", "views.c")
EXPORTS = [
    *("pdq_workspace_bytes", "pdq_begin", "pdq_rows", "pdq_finish", "__heap_base"),
    *("plane_bytes", "pdq_keep_plane", "views_workspace_bytes", "views_begin", "views_of", "windows_of"),
]
WASM = {"pdq.wasm": "generic+simd128", "pdq-scalar.wasm": "generic"}


class NoCompiler(Exception):
    """Neither a system compiler nor ziglang is installed."""


def zig() -> list[str]:
    """The command of ziglang's C compiler, if that package is installed."""
    try:
        import ziglang  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - 411 MB, only where it is needed
    except ImportError:
        raise NoCompiler(
            "No C compiler was found. Install one (Debian, Ubuntu: apt install gcc) or run: pip install ziglang"
        ) from None
    return [sys.executable, "-m", "ziglang", "cc"]


def compiler() -> list[str]:
    """The system's C compiler, else ziglang's."""
    system = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return [system] if system else [*zig(), "-mcpu=baseline"]  # which would else be tuned to this machine


def build_library(target: Path = LIBRARY, cc: list[str] | None = None, *, sources: tuple[str, ...] = SOURCES) -> Path:
    """Build a shared library; the file appears whole or not at all, so a running program is never surprised."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        flags = [*EXACT, "-O3", "-fPIC", "-shared", "-fvisibility=default"]
        subprocess.run(
            [*(cc or compiler()), *flags, *(str(KERNEL / source) for source in sources), "-o", str(made)], check=True
        )
        made.replace(target)
    return target


def build_wasm(folder: Path) -> list[Path]:
    """Build both WebAssembly files into `folder`."""
    made = []
    for name, cpu in WASM.items():
        flags = [*EXACT, "-Os", "-target", "wasm32-freestanding", f"-mcpu={cpu}", "-nostdlib", "-s"]
        flags += ["-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=16384", "-Wl,--initial-memory=131072"]
        flags += [f"-Wl,--export={export}" for export in EXPORTS]
        subprocess.run([*zig(), *flags, *SOURCES, "-o", str(folder / name)], check=True, cwd=KERNEL)
        (folder / name).chmod(0o644)
        made.append(folder / name)
    return made


def check_wasm() -> list[str]:
    """The names of committed WebAssembly files that a fresh build does not reproduce."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = build_wasm(Path(folder))
        return [f.name for f in fresh if f.read_bytes() != (KERNEL / f.name).read_bytes()]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=["library", "wasm"], default="library")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    asked = parser.parse_args()
    try:
        if asked.what == "library":
            print(f"built {build_library()}")
            print(f"built {build_library(SEARCH_LIBRARY, sources=('search.c',))}")
        elif asked.check:
            different = check_wasm()
            print("\n".join(f"{name} differs from what its source builds to" for name in different) or "the same bytes")
            return 1 if different else 0
        else:
            for path in build_wasm(KERNEL):
                print(f"built {path} ({path.stat().st_size} bytes)")
    except NoCompiler as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
