"""What makes a wheel more than the files of src/: the kernel for this machine and for browsers, and what pages load.

Hatchling calls it for a wheel. An editable install (bootstrap.py) needs nothing of it: `make kernel` and `make web`
build in place.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags


class Kernel(BuildHookInterface[Any]):
    """Builds the shared libraries and says for which machines the wheel then is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them to the wheel.

        :raises SystemExit: there is no C compiler; kernel/build.py said how to get one
        """
        if version == "editable":
            return
        root = Path(self.root)
        if subprocess.run([sys.executable, root / "kernel/build.py"], check=False).returncode != 0:
            raise SystemExit("seawall: the kernel was not built, so there is no wheel.")
        source = root / "src"
        if not (source / "seawall/site/static/site/vendor/LICENSES.txt").exists():
            raise SystemExit("seawall: the browser's parts are not built, so there is no wheel. First: make web")
        files = {library: library.relative_to(source) for library in source.rglob("*.so")}
        files |= {wasm: Path("seawall/hashing", wasm.name) for wasm in (root / "kernel").glob("*.wasm")}
        build_data["force_include"] |= {str(file): str(place) for file, place in files.items()}
        # Plain libraries that ctypes loads: any Python 3 will do, but only this kind of machine.
        names = (tag.platform for tag in sys_tags())
        machine = next(name for name in names if not name.startswith(("manylinux", "musllinux")))
        build_data |= {"pure_python": False, "tag": f"py3-none-{machine}"}
