"""Decodes one HEIC picture in a process of its own: the file comes on standard input.

A decoder is a large program that reads whatever strangers send. Here it may crash, loop or ask for memory without
end, and only this process is lost: `heic` starts it and reads what it writes. Its memory and processor time are
limited, and it can open no file.

Out go one line of JSON (`heic.Header`), the colour profile, and the rows of pixels, top to bottom: red, green, blue,
and alpha if there is one; upright, as the file's own turns and mirrorings say.

It is started by its path, not as a part of the package, and imports nothing of it: that makes it start in a third of
the time.
"""

import json
import resource
import sys
from typing import Any

import pillow_heif
from pillow_heif import options

MEMORY = 700 << 20  # bytes of address space, of which at most 600 MB are ever used
CPU_SECONDS = 30  # 48 megapixels take 3
_STRIP_BYTES = 1 << 20


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _header(image: pillow_heif.HeifImage) -> tuple[bytes, bytes]:
    info: dict[str, Any] = image.info
    profile = bytes(info.get("icc_profile") or b"")
    primaries = info.get("nclx_profile", {}).get("color_primaries", 0)
    said = {"width": image.size[0], "height": image.size[1], "mode": image.mode, "profile": len(profile)}
    return json.dumps(said | {"primaries": int(primaries)}).encode() + b"\n", profile


def main() -> None:
    """Decode standard input. Nothing comes out of a file that cannot be decoded, or only its beginning."""
    options.DECODE_THREADS = 1  # each would hold a tile
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    most = int(sys.argv[1])
    _limit()
    out = sys.stdout.buffer
    file = pillow_heif.open_heif(sys.stdin.buffer.read(), convert_hdr_to_8bit=True, remove_stride=False)
    image = file[file.primary_index]
    if image.size[0] * image.size[1] > most:
        out.write(_header(image)[0])
        return  # it is refused for its size
    pixels = memoryview(image.data)  # decoded here; only now is the size certain
    for part in _header(image):
        out.write(part)
    row, stride = image.size[0] * len(image.mode), image.stride
    if row == stride:
        for at in range(0, len(pixels), _STRIP_BYTES):
            out.write(pixels[at : at + _STRIP_BYTES])
    else:
        for top in range(image.size[1]):
            out.write(pixels[top * stride : top * stride + row])


if __name__ == "__main__":
    main()
