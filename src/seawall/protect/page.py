"""Put the picture page, and the one for HEIC, together: worker inside frame inside page, each pinned by its hash.

The design and what it promises: docs/spec/protect-page.md.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from seawall.hashing import MAX_FILE_BYTES, USABLE_QUALITY
from seawall.hashing.heic import DISPLAY_P3
from seawall.hashing.limits import MAX_HEIC
from seawall.site.frame import SCRIPT, STYLE

# In a wheel the kernel's WebAssembly lies beside seawall.hashing; in a checkout where it was built.
_INSTALLED = files("seawall.hashing")
_CHECKOUT = Path(__file__).parents[3] / "kernel"
# The first one a browser can run is used.
_KERNELS = ("pdq.wasm", "pdq-scalar.wasm")

_SOURCES = files("seawall.protect") / "static" / "protect"
# Built by `make web`.
_VENDOR = files("seawall.site") / "static" / "site" / "vendor"

# The page's ES modules, each after those it imports. Inline scripts cannot import one another, so they are joined.
_MODULES = (
    "words.js",
    "hasher.js",
    "videos.js",
    "pictures.js",
    "submission.js",
    "scope.js",
    "keep.js",
    "handover.js",
    "main.js",
)
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
# Comments that have their lines to themselves stay in the source: 4 KB of the page, compressed.
_COMMENT = re.compile(r"^[ ]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The page's active parts as they are rendered, and the policy that lets these and nothing else run."""

    frame: str  # the sandboxed frame's HTML, for srcdoc
    script: str  # the page's own script
    style: str
    policy: str


def _pin(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def seal(*, worker: str, frame: str, page: str, style: str) -> Sealed:
    """Nest the parts and pin them.

    Two policies, because a hash source alone would also let in an *external* script with that hash, whose address
    could carry data out; the second policy names no hash, so nothing external passes it. Both must allow.

    :raises ValueError: a part would end its element early, so that what runs is not what is pinned
    """
    # In JSON a worker's "<" can be written so that no HTML reader sees a tag in it.
    quoted = json.dumps(worker, ensure_ascii=False).replace("<", "\\u003c")
    hasher = f"const WORKER = {quoted};\n{frame}"
    for text, element in ((hasher, "script"), (page, "script"), (style, "style")):
        if re.search(rf"</{element}|<!--|\r", text, re.IGNORECASE):
            raise ValueError("A part of the picture page holds text that would break out of its element.")
    policy = (
        f"default-src 'none'; script-src {_pin(page)} {_pin(hasher)} 'wasm-unsafe-eval'; img-src data:; "
        f"style-src {_pin(style)}; worker-src blob:; connect-src 'none'; form-action 'self'; frame-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none', "
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; img-src data:; "
        "style-src 'unsafe-inline'; worker-src blob:; form-action 'self'; frame-src 'none'"
    )
    html = f'<!doctype html><meta charset="utf-8"><title>Seawall</title><script>{hasher}</script>'
    return Sealed(frame=html, script=page, style=style, policy=policy)


def _kernel(name: str) -> bytes:
    installed = _INSTALLED / name
    return (installed if installed.is_file() else _CHECKOUT / name).read_bytes()


def _source(*names: str) -> str:
    return "".join(_COMMENT.sub("", (_SOURCES / name).read_text(encoding="utf-8")) for name in names)


def _constants(**values: object) -> str:
    return "".join(f"const {name} = {json.dumps(value, ensure_ascii=False)};\n" for name, value in values.items())


def _function(name: str, vendor: str, value: str) -> str:
    """Other people's code as the body of a function: browsers hardly look at it before it is called."""
    return f"function {name}() {{\n{(_VENDOR / vendor).read_text(encoding='utf-8')}\nreturn {value};\n}}\n"


def _text(content: bytes) -> str:
    """Bytes as letters that no quoting changes, others 256 further on: with Brotli a tenth less than base64 leaves."""
    letters = bytes(set(range(32, 127)) - set(b"\"\\<>&'"))
    return content.decode("latin-1").translate({byte: 256 + byte for byte in range(256) if byte not in letters})


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def worker_text(*, heic: bool = False) -> str:
    """The whole text of the worker: the kernel's WebAssembly, what feeds it, and what reads videos and perhaps HEIC."""
    kernels = _constants(WASM=[_text(_kernel(name)) for name in _KERNELS], USABLE_QUALITY=USABLE_QUALITY)
    demuxer = _function("openDemuxer", "demuxer.js", "Demuxer")
    return kernels + demuxer + _source("decoder.js", "worker.js", "video.js") + (_heic_text() if heic else "")


def _heic_text() -> str:
    constants = _constants(
        LIBHEIF=_text((_VENDOR / "libheif.wasm").read_bytes()),
        DISPLAY_P3=_base64(DISPLAY_P3),
        MAX_HEIC=MAX_HEIC,
        MAX_FILE_BYTES=MAX_FILE_BYTES,
    )
    return constants + _function("openLibheif", "libheif.js", "libheif") + _source("heic.js")


def frame_text() -> str:
    """The code of the sandboxed frame."""
    return _source("decoder.js", "frame.js")


def page_text() -> str:
    """The page's modules as one module script, and the exit that every page has."""
    return "".join(_EXPORT.sub("", _IMPORT.sub("", _source(name))) for name in _MODULES) + SCRIPT


def style_text() -> str:
    """The site's style and the page's own."""
    return STYLE + (_SOURCES / "picture.css").read_text(encoding="utf-8")


@functools.cache
def sealed() -> Sealed:
    """Return the page's parts as served. Read once a process."""
    return seal(worker=worker_text(), frame=frame_text(), page=page_text(), style=style_text())


@functools.cache
def sealed_for_heic() -> Sealed:
    """Return those of the page for HEIC photos."""
    return seal(worker=worker_text(heic=True), frame=frame_text(), page=page_text(), style=style_text())
