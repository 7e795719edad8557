"""`seawall fingerprint`: the fingerprints of picture and video files, a line a picture and a line a frame."""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import TYPE_CHECKING

from seawall.hashing import USABLE_QUALITY, Fingerprint, UnreadableImage, fingerprint, is_video_file, look, published

if TYPE_CHECKING:
    import argparse
    from typing import Self


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `fingerprint`."""
    parser = subparsers.add_parser(
        "fingerprint",
        help="make fingerprints of pictures and videos",
        description="A line a picture; of a video a line a second, without plain and repeated ones."
        " Exit code 0: all were read. 1: one could not be read; the others are done.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="told by its content, whatever its name")
    parser.add_argument("--json", action="store_true", help="one JSON line a file")
    parser.add_argument(
        "--vpdq", choices=["text", "json"], help="a video's frames as the published vPDQ tools write them"
    )
    parser.add_argument("--windows", action="store_true", help="also of 126 parts of each picture (windows1)")


def run(args: argparse.Namespace) -> int:
    """Fingerprint every file. 1 if one could not be read; the others are still done."""
    code = 0
    for file in args.files:
        try:
            made, windows = read(file, windows=args.windows)
        except UnreadableImage as error:
            print(f"{file}: {error}", file=sys.stderr)
            code = 1
            continue
        except OSError as error:
            print(f"{file}: We cannot open this file: {error.strerror}.", file=sys.stderr)
            code = 1
            continue
        if said := _text_of(file, made, windows, args):  # a video may be too plain for a single line
            print(said)
        if made.problem:
            print(f"{file}: {made.problem} These are the frames so far.", file=sys.stderr)
        if made.pdq.quality < USABLE_QUALITY:
            print(
                f"{file}: This {_NOUN[made.kind]} is too plain or too small to be told from others, so it cannot be "
                "matched.",
                file=sys.stderr,
            )
    return code


_NOUN = {"image": "picture", "video": "video"}


def read(file: str, *, windows: bool) -> tuple[Fingerprint, bytes]:
    """The fingerprint of a file, and its windows if they are asked for. A video has none.

    :raises UnreadableImage: it is no picture or video that we can read
    :raises OSError: it cannot be opened
    """
    if is_video_file(file):
        with Bar(file) as bar:
            return fingerprint(file, progress=bar.show), b""
    if not windows:
        return fingerprint(file), b""
    made, plane = look(file)
    return made, plane.registered()


class Bar:
    """How far a video is, on a terminal; nothing where nobody looks."""

    def __init__(self, file: str) -> None:
        self._file, self._began, self._shown = file, time.monotonic(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def show(self, part: float) -> None:
        """The part that is done, 0 to 1."""
        took = time.monotonic() - self._began
        if not sys.stderr.isatty() or took < _SOON:
            return
        left = f"{took / part - took:.0f} s left" if part else ""
        done = round(_WIDTH * part)
        line = f"\r\033[K{self._file} [{'#' * done}{'.' * (_WIDTH - done)}] {part:.0%} {left}"
        print(line, end="", file=sys.stderr, flush=True)
        self._shown = True


_WIDTH, _SOON = 30, 0.5  # characters; seconds after which a bar is worth its while


def _text_of(file: str, made: Fingerprint, windows: bytes, args: argparse.Namespace) -> str:
    if args.vpdq and made.kind == "video":
        return published.to_json(made.frames) if args.vpdq == "json" else published.to_text(made.frames).rstrip("\n")
    return _json_line(file, made, windows) if args.json else _lines(file, made, windows)


def windows_text(windows: bytes) -> str:
    """windows1 as it is written everywhere: 5,544 characters."""
    return base64.urlsafe_b64encode(windows).decode()


def _lines(file: str, made: Fingerprint, windows: bytes) -> str:
    if made.kind == "video":
        return "\n".join(
            f"{frame.pdq.hex}  quality {frame.pdq.quality}  {file} at {frame.t / 1000:.3f} s" for frame in made.frames
        )
    line = f"{made.pdq.hex}  quality {made.pdq.quality}  {file}"
    return f"{line}\nwindows1 {windows_text(windows)}" if windows else line


def _json_line(file: str, made: Fingerprint, windows: bytes) -> str:
    return json.dumps(
        {
            "file": file,
            "version": made.version,
            "kind": made.kind,
            "pdq": made.pdq.hex,
            "quality": made.pdq.quality,
            "sha256": made.sha256,
            "md5": made.md5,
            "frames": [
                {"t": frame.t / 1000, "pdq": frame.pdq.hex, "quality": frame.pdq.quality} for frame in made.frames
            ],
            **({"windows1": windows_text(windows)} if windows else {}),
        }
    )
