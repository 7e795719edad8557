"""Sets up .venv for the Makefile, with the standard library alone. What it cannot do itself it names.

``python3 bootstrap.py run``: what the program needs. ``dev``: what tests, lint and benchmarks need too. ``wasm``: the
compiler that rebuilds the browser's kernel. ``web``: what package-lock.json names, and from it the browser's parts.
``system``: what tests need from the system; as root on Debian from apt.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

VENV = Path(".venv")
LOCKS = {name: f"requirements-{name}.lock" for name in ("dev", "wasm", "web")} | {"run": "requirements.lock"}
OLDEST_NODE = 18  # what esbuild asks for


def main() -> None:
    """Make ``.venv`` fit for the purpose asked for."""
    purpose = sys.argv[1]
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells people with an older one
        sys.exit(f"Seawall needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    if purpose == "system":
        system_packages()
        return
    if purpose == "web":
        browser_parts()
        return
    if not (VENV / "bin/python").exists():
        make_venv()
    pip("install", "--require-hashes", "-r", LOCKS[purpose])
    if purpose == "run":
        pip("install", "--no-deps", "--no-build-isolation", "-e", ".")
    if purpose == "run" and not compiler():
        # No C compiler on this machine: the one from the lock builds the kernel.
        pip("install", "--require-hashes", "-r", LOCKS["wasm"])
    (VENV / purpose).touch()


def make_venv() -> None:
    """A virtual environment, also where Debian ships Python without ensurepip."""
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)
    if subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True).returncode != 0:
        shutil.rmtree(VENV)
        sys.exit("This Python has neither ensurepip nor pip. On Debian or Ubuntu: apt-get install python3-venv")


def pip(*arguments: str) -> None:
    """Run pip on ``.venv``: its own, or that of the Python that made it."""
    own = VENV / "bin/pip"
    command = [str(own)] if own.exists() else [sys.executable, "-m", "pip", "--python", str(VENV / "bin/python")]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*command, *quiet, *arguments], check=False).returncode != 0:
        sys.exit("pip could not install what is needed; its message stands above.")


def browser_parts() -> None:
    """Install what the lock names, of which nothing may run a script of its own, and bundle it."""
    path = os.environ["PATH"]
    if not node(path):
        # No node on this machine: the one from the lock, which stays in .venv.
        pip("install", "--require-hashes", "-r", LOCKS["web"])
        path = f"{(VENV / 'bin').resolve()}{os.pathsep}{path}"
    npm = shutil.which("npm", path=path)
    for step in (["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], ["run", "--silent", "build"]):
        if subprocess.run([str(npm), *step], check=False, env={**os.environ, "PATH": path}).returncode != 0:
            sys.exit("npm could not build the browser's parts. Is there a connection to a package registry?")


def node(path: str) -> bool:
    """Whether there is npm, with a node that is new enough."""
    found = shutil.which("node", path=path)
    if not (found and shutil.which("npm", path=path)):
        return False
    said = subprocess.run([found, "--version"], check=False, capture_output=True, text=True).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_NODE


def compiler() -> bool:
    """Whether the machine has a C compiler."""
    return any(shutil.which(name) for name in (os.environ.get("CC", "cc"), "gcc", "clang"))


def system_packages() -> None:
    """What tests need from the system: three browsers, `age`, and a compiler with headers for two of the peers."""
    wanted = [name for name in ("age",) if not shutil.which(name)]
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        wanted += ["chromium", "fonts-dejavu-core"]
    if not (shutil.which("firefox-esr") or shutil.which("firefox")):
        wanted += ["firefox-esr"]
    if not (shutil.which("WebKitWebDriver") and shutil.which("Xvfb")):
        # With what WebKit decodes videos with, as Safari can.
        wanted += ["webkit2gtk-driver", "xvfb", "gstreamer1.0-libav", "gstreamer1.0-plugins-good"]
    if not (shutil.which("g++") and Path(sysconfig.get_path("include"), "Python.h").exists()):
        wanted += ["build-essential", "python3-dev"]
    if not (find_spec("ensurepip") or find_spec("pip")):
        wanted += ["python3-venv"]
    if not wanted:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"Tests need these, from your system's packages: {' '.join(wanted)}. Install them and run this again.")
    if "ubuntu" in Path("/etc/os-release").read_text().lower() and "chromium" in wanted:
        sys.exit("Ubuntu's chromium is a snap, which tests cannot drive. Install a .deb of Chromium or Chrome first.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *wanted]):
        subprocess.run(["apt-get", *step], check=True, env=environment, stdout=subprocess.DEVNULL)


main()
