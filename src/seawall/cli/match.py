"""`seawall match`: look pictures and videos up in a list of fingerprints, or in the vPDQ of a video."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.hashing import USABLE_QUALITY, UnreadableImage, fingerprint, is_video_file, published
from seawall.hashing.videos import Reading
from seawall.matching import HashIndex, look_up
from seawall.matching.videos import Bearer, Videos

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

NONE, UNREADABLE, MATCH = 0, 1, 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `match`."""
    parser = subparsers.add_parser(
        "match",
        help="look pictures and videos up in a list of fingerprints",
        description="Exit code 3: at least one file is in the list. 0: none is. 1: none is, but one could not be read."
        " 2: the list could not be read.",
    )
    bank = "64 hex digits a line; or the vPDQ of one video, as text or JSON"
    parser.add_argument("--bank", required=True, type=Path, metavar="HASHES.txt", help=bank)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Look every file up; one line each."""
    try:
        bank = _bank(args.bank)
    except OSError as error:
        print(f"seawall: we cannot open {args.bank}: {error.strerror}.", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"seawall: {args.bank}, {error}", file=sys.stderr)
        return 2
    return _print_matches(args.files, bank)


class _Bank(NamedTuple):
    """What files are looked up in."""

    fingerprints: HashIndex
    times: tuple[int, ...] | None  # of a video's frames, milliseconds; None if it is a list

    def bearers(self, numbers: Iterable[int]) -> dict[int, Bearer]:
        """Each line of a list is a picture of its own; each frame is one of the video."""
        if self.times is None:
            return {number: Bearer(number, "image", 0, 1) for number in numbers}
        return {number: Bearer(0, "video", number, len(self.times)) for number in numbers}

    def place(self, number: int) -> str:
        """What was found there."""
        return f"line {number}" if self.times is None else f"frame at {self.times[number] / 1000:g} s"


def _bank(path: Path) -> _Bank:
    with path.open("rb") as lines:
        start = lines.read(_START)
        lines.seek(0)
        if b"," not in start and not start.lstrip().startswith(b"["):
            return _Bank(read_bank(lines), None)
        frames = published.read(_text(lines.read(_MOST_BYTES + 1)))
    hashes = np.frombuffer(b"".join(frame.pdq.bits for frame in frames), np.uint8).reshape(-1, 32)
    return _Bank(HashIndex.build(hashes, np.arange(len(frames), dtype=np.uint64)), tuple(frame.t for frame in frames))


_START = 200  # bytes, in which a line of vPDQ has a comma
_MOST_BYTES = 64 << 20  # of vPDQ; three hours, of each of 60 frames a second


def _text(content: bytes) -> str:
    """:raises ValueError: it is too much, or no text"""
    if len(content) > _MOST_BYTES:
        raise ValueError(f"this is more than {_MOST_BYTES >> 20} MB. Give one video a file.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError("this is not text. Give a list of fingerprints, or the vPDQ of a video.") from error


def read_bank(lines: Iterable[bytes]) -> HashIndex:
    """An index of the fingerprints, each under the number of its line; empty lines count but hold nothing.

    :raises ValueError: naming the line that is not 64 hex digits
    """
    hashes, ids = bytearray(), []
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            try:
                bits = bytes.fromhex(text.decode("ascii"))
            except ValueError:
                bits = b""
            if len(bits) != 32 or len(text) != 64:  # noqa: PLR2004 - a PDQ hash
                raise ValueError(f"line {number}: a fingerprint is 64 hex digits. Correct that line.")
            hashes += bits
            ids.append(number)
    return HashIndex.build(np.frombuffer(hashes, np.uint8).reshape(-1, 32), np.array(ids, np.uint64))


def _print_matches(files: Iterable[Path], bank: _Bank) -> int:
    """Print what was found for each file and answer the exit code."""
    code = NONE
    for file in files:
        try:
            found, plain = _in_video(file, bank) if is_video_file(file) else _in_picture(file, bank)
        except (UnreadableImage, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            code = code or UNREADABLE
            continue
        for said in found:
            print(f"{file}: match, {said}")
            code = MATCH
        if not found:
            print(f"{file}: free" + (", too plain to compare" if plain else ""))
    return code


def _in_picture(file: Path, bank: _Bank) -> tuple[list[str], bool]:
    """What was found, in words, and whether the picture is too plain."""
    pdq = fingerprint(file).pdq
    if pdq.quality < USABLE_QUALITY:
        return [], True
    found = look_up(bank.fingerprints, [bytes(view) for view in pdq.dihedral()])
    return [f"{bank.place(one.id)}, distance {one.distance}, {one.view}" for one in found], False


def _in_video(file: Path, bank: _Bank) -> tuple[list[str], bool]:
    with file.open("rb") as content, Reading(content) as reading:
        looked = Videos(bank.fingerprints, bank.bearers).look(reading)
    if looked.problem:
        print(f"{file}: {looked.problem}", file=sys.stderr)
    return [
        f"{'the video' if one.kind == 'video' else bank.place(one.entry)}, distance {one.distance}, {one.view}, "
        f"from {one.begin:g} s to {one.end:g} s"
        for one in looked.sightings
    ], not looked.usable
