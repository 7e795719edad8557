"""Whether a bundle is whole: everything that docs/spec/bundle.md asks, and a plain sentence for each thing amiss."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from seawall.evidence.kit import canonical, custody, stamps
from seawall.evidence.kit.archive import STAMP_BYTES, Archive, BadBundle
from seawall.evidence.kit.canonical import hexes, is_bool, is_count, is_text, is_time, like

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

_CASE = {
    "case": hexes(32),
    "custody": lambda value: canonical.has_shape(value, {"count": is_count, "line": hexes(64)}),
    "made": is_time,
    "salt": hexes(32),
    "verify_key": hexes(64),
    "version": lambda value: value == 1 and is_count(value),
}
_EXHIBIT = {
    "added": is_time,
    "intimate": is_bool,
    "name": is_text,
    "note": is_text,
    "of": lambda value: value is None or hexes(64)(value),
    "path": like(r"exhibits/[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
    "sha256": hexes(64),
    "size": is_count,
    "type": is_text,
}


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamp that fits: of the root after line ``line``. ``time`` is None where nothing here could read it."""

    line: int
    time: datetime | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A file of the bundle, as its list says, and the first line of the log that knows it (0: none does)."""

    path: str
    name: str
    size: int
    sha256: str
    intimate: bool
    line: int


@dataclass(slots=True)
class Report:
    """What was found. The bundle holds if there are no ``problems``."""

    problems: list[str] = field(default_factory=list)
    made: str = ""
    key: str = ""
    lines: int = 0
    exhibits: list[Exhibit] = field(default_factory=list)
    stamps: list[Stamped] = field(default_factory=list)

    def since(self, exhibit: Exhibit) -> Stamped | None:
        """The earliest stamp that covers a file."""
        covering = [each for each in self.stamps if each.time and each.line >= exhibit.line > 0]
        return min(covering, key=lambda each: each.time, default=None)  # type: ignore[arg-type, return-value]


def check(file: IO[bytes], *, key: str | None = None, authorities: Sequence[x509.Certificate] = ()) -> Report:
    """Check a bundle. ``key`` is the verify key it must be signed by, in hex, if that is known from elsewhere."""
    report = Report()
    try:
        archive = Archive(file)
        case = _case(archive)
        owner = custody.Owner(*(bytes.fromhex(case[name]) for name in ("case", "verify_key", "salt")))
        report.made, report.key = case["made"], case["verify_key"]
        if key is not None and key != report.key:
            report.problems.append(f"It is signed by the key {report.key}, not by the one you gave.")
        if not archive.is_signed_by(owner.key):
            report.problems.append("It was changed after it was signed.")
        entries = custody.read(archive.read("custody.jsonl"), owner)
        _check_end(report, case, entries)
        _check_exhibits(report, archive, entries)
        _check_stamps(report, archive, owner, entries, authorities)
    except (BadBundle, custody.BrokenLog) as error:
        report.problems.append(str(error))
    return report


def _case(archive: Archive) -> dict[str, Any]:
    case = _json(archive, "case.json")
    if not canonical.has_shape(case, _CASE):
        raise BadBundle("case.json does not say whose bundle this is.")
    said: dict[str, Any] = case
    return said


def _json(archive: Archive, name: str) -> Any:
    try:
        return canonical.read(archive.read(name))
    except canonical.NotCanonical as error:
        raise BadBundle(f"{name} is {error}.") from error


def _check_end(report: Report, case: dict[str, Any], entries: Sequence[custody.Entry]) -> None:
    """The log ends where the case said that it ends."""
    report.lines, told = len(entries), case["custody"]["count"]
    if report.lines != told:
        report.problems.append(f"custody.jsonl has {report.lines} lines, and the case counted {told}.")
    elif case["custody"]["line"] != (entries[-1].digest if entries else custody.START):
        report.problems.append("custody.jsonl ends in another line than the case's last.")


def _check_exhibits(report: Report, archive: Archive, entries: Sequence[custody.Entry]) -> None:
    """Every file is listed, every listed file is there and the one listed, and the log knows it and the list."""
    known: dict[str, int] = {}
    for each in entries:
        if each.action in custody.BRINGS:
            known.setdefault(each.object, each.seq)
    listed = _json(archive, "manifest.json")
    if not isinstance(listed, list) or not all(canonical.has_shape(each, _EXHIBIT) for each in listed):
        raise BadBundle("manifest.json is no list of exhibits.")
    digest = hashlib.sha256(archive.read("manifest.json")).hexdigest()
    if not any(each.action == "exported" and each.object == digest for each in entries):
        report.problems.append("The log has no line for the export of this manifest.json.")
    paths = {each["path"] for each in listed}
    if len(paths) != len(listed):
        report.problems.append("manifest.json lists a file twice.")
    report.problems += [
        f"{name} is in no list." for name in archive.sizes if name.startswith("exhibits/") and name not in paths
    ]
    for each in listed:
        line = known.get(each["sha256"], 0)
        report.exhibits.append(
            Exhibit(each["path"], each["name"], each["size"], each["sha256"], each["intimate"], line)
        )
        if amiss := _amiss(archive, report.exhibits[-1]):
            report.problems.append(f"{each['path']} {amiss}")


def _amiss(archive: Archive, exhibit: Exhibit) -> str:
    if exhibit.path not in archive.sizes:
        return "is listed and not there."
    digest = hashlib.sha256()
    try:
        for piece in archive.pieces(exhibit.path):
            digest.update(piece)
    except BadBundle:
        return "is damaged."
    if (archive.sizes[exhibit.path], digest.hexdigest()) != (exhibit.size, exhibit.sha256):
        return "is not the file that was listed: its SHA-256 is another."
    return "" if exhibit.line else "was never added, says the log."


def _check_stamps(
    report: Report,
    archive: Archive,
    owner: custody.Owner,
    entries: Sequence[custody.Entry],
    authorities: Sequence[x509.Certificate],
) -> None:
    """Every stamp is of the root after a line of this log."""
    names = sorted(name for name in archive.sizes if name.startswith("stamps/"))
    roots = {custody.root(owner, each): each.seq for each in entries} if names else {}
    for name in names:
        root = bytes.fromhex(name.removeprefix("stamps/")[:64])
        if root not in roots:
            report.problems.append(f"{name} is a stamp of another case, or of another log.")
            continue
        try:
            stamp = stamps.check(archive.read(name, STAMP_BYTES), root, authorities)
        except stamps.WrongStamp as error:
            report.problems.append(f"{name} {error}")
            continue
        report.stamps.append(Stamped(roots[root], stamp.time, stamp.trusted))
