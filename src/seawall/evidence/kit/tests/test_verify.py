"""A bundle holds as it was made, and in no other form."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.evidence import kit
from seawall.evidence.kit import report as reports
from seawall.evidence.kit.tests.writing import Bundle, Case, added, canonical, sign
from seawall.evidence.tests.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from seawall.evidence.kit.report import Report

FILES = [b"a screenshot", b"another"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def unsorted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One whose answers rfc3161-client refuses."""
    return Authority(tmp_path_factory.mktemp("unsorted"), chain=True)


def check(raw: bytes | bytearray, *trusted: Authority, key: str | None = None) -> Report:
    roots = [x509.load_pem_x509_certificate(each.root.read_bytes()) for each in trusted]
    return reports.check(io.BytesIO(raw), key=key, authorities=roots)


def bundle() -> Bundle:
    return Bundle.of(added(FILES), FILES)


def test_a_bundle_as_it_was_made_holds() -> None:
    made = bundle()
    report = check(made.sealed())
    assert report.problems == []
    assert (report.key, report.lines) == (made.case.key.hex(), 3)
    assert [(each.path, each.line) for each in report.exhibits] == [("exhibits/0001.png", 1), ("exhibits/0002.png", 2)]


def test_an_empty_one_holds_too() -> None:
    assert check(Bundle.of(Case(), []).sealed()).problems == []


def test_one_larger_than_four_gigabytes_would_say_so_in_zip64() -> None:
    """The writer of the browser may use its records for small files too."""
    made, file = bundle(), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in made.entries.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    assert check(sign(made.case, file.getvalue())).problems == []


def test_any_one_flipped_byte_fails_it() -> None:
    raw = bytearray(Bundle.of(added([b"x"]), [b"x"]).sealed())
    held = []
    for at in range(len(raw)):
        raw[at] ^= 1 << at % 8
        if not check(raw).problems:
            held.append(at)
        raw[at] ^= 1 << at % 8
    assert held == []
    assert check(raw).problems == []


def test_a_flipped_byte_of_a_large_one_fails_it(authority: Authority) -> None:
    files = [random.Random(number).randbytes(1 << 20) for number in range(3)]  # noqa: S311 - content
    case = added(files)
    stamp = {f"stamps/{case.root().hex()}-1.tsr": authority.stamp(case.root())}
    raw = bytearray(Bundle.of(case, files, stamp).sealed())
    assert check(raw, authority).problems == []
    chance = random.Random(5)  # noqa: S311 - seeded, so that a failure can be repeated
    for at in [0, len(raw) - 1, *(chance.randrange(len(raw)) for _ in range(40))]:
        raw[at] ^= 1
        assert check(raw, authority).problems, at
        raw[at] ^= 1


@pytest.mark.parametrize("cut", [1, 81, 82, 103, 500])
def test_one_that_is_cut_off_or_longer_fails(cut: int) -> None:
    raw = bundle().sealed()
    assert check(raw[:-cut]).problems
    assert check(raw + b"\0" * cut).problems
    assert check(b"\0" * cut + raw).problems


@pytest.mark.parametrize("raw", [b"", b"PK", b"\0" * 200, b"PK\5\6" + b"\0" * 99, b"a" * 5000])
def test_what_is_no_bundle_is_said_so(raw: bytes) -> None:
    assert check(raw).problems == ["It is not a bundle, or its end is missing or was changed."]


# What somebody who has the key might still do, and the sentence that says it.
def last_line_missing(made: Bundle) -> None:
    made.entries["custody.jsonl"] = b"".join(line + b"\n" for line in made.case.lines[:-1])


def another_last_line(made: Bundle) -> None:
    last = made.case.lines.pop()
    made.case.log("viewed", "00" * 32)
    made.entries["custody.jsonl"] = b"".join(line + b"\n" for line in made.case.lines)
    made.case.lines[-1] = last


def middle_line_missing(made: Bundle) -> None:
    del made.case.lines[1]
    made.restate()


def line_rewritten(made: Bundle) -> None:
    made.case.lines[0] = made.case.lines[0].replace(b'"added"', b'"viewed"')
    made.restate()


def line_of_another_case(made: Bundle) -> None:
    other = Case(signer=made.case.signer)
    for line in made.case.lines:
        other.log(json.loads(line)["action"], json.loads(line)["object"])
    made.case.lines = other.lines
    made.restate()


def line_signed_by_another(made: Bundle) -> None:
    own, made.case.signer = made.case.signer, Ed25519PrivateKey.generate()
    made.case.log("viewed", "00" * 32)
    made.case.signer = own
    made.restate()


def line_with_blanks(made: Bundle) -> None:
    made.entries["custody.jsonl"] = made.entries["custody.jsonl"].replace(b",", b", ")


def line_cut_off(made: Bundle) -> None:
    made.entries["custody.jsonl"] = made.entries["custody.jsonl"][:-1]


def file_swapped(made: Bundle) -> None:
    made.entries["exhibits/0001.png"] = b"a screenshoT"


def files_swapped(made: Bundle) -> None:
    one, two = "exhibits/0001.png", "exhibits/0002.png"
    made.entries[one], made.entries[two] = made.entries[two], made.entries[one]


def file_missing(made: Bundle) -> None:
    del made.entries["exhibits/0001.png"]


def file_unlisted(made: Bundle) -> None:
    made.entries["exhibits/0003.png"] = b"slipped in"


def file_never_added(made: Bundle) -> None:
    case = added(FILES[:1])
    made.case = case
    made.entries = Bundle.of(case, FILES).entries


def list_rewritten(made: Bundle) -> None:
    made.entries["manifest.json"] = made.entries["manifest.json"].replace(b'"note":""', b'"note":"hers"')


def list_shapeless(made: Bundle) -> None:
    made.entries["manifest.json"] = b'[{"path":"exhibits/0001.png"}]'


def list_no_json(made: Bundle) -> None:
    made.entries["manifest.json"] = b"[" * 100_000


def stranger(made: Bundle) -> None:
    made.entries["../etc/passwd"] = b"root"


def no_readme(made: Bundle) -> None:
    del made.entries["README.txt"]


def no_case(made: Bundle) -> None:
    made.entries["case.json"] = b"{}"


def stamp_of_another_log(made: Bundle) -> None:
    made.entries[f"stamps/{'11' * 32}-1.tsr"] = b"whatever"


AMISS: dict[Callable[[Bundle], None], str] = {
    last_line_missing: "custody.jsonl has 2 lines, and the case counted 3.",
    another_last_line: "custody.jsonl ends in another line than the case's last.",
    middle_line_missing: "custody.jsonl, line 2: it says that it is line 3. Lines are missing.",
    line_rewritten: "custody.jsonl, line 1: its signature is not by this case's key.",
    line_of_another_case: "custody.jsonl, line 1: its signature is not by this case's key.",
    line_signed_by_another: "custody.jsonl, line 4: its signature is not by this case's key.",
    line_with_blanks: "custody.jsonl, line 1: this is not canonical JSON.",
    line_cut_off: "custody.jsonl: the last line is cut off.",
    file_swapped: "exhibits/0001.png is not the file that was listed: its SHA-256 is another.",
    files_swapped: "exhibits/0002.png is not the file that was listed: its SHA-256 is another.",
    file_missing: "exhibits/0001.png is listed and not there.",
    file_unlisted: "exhibits/0003.png is in no list.",
    file_never_added: "exhibits/0002.png was never added, says the log.",
    list_rewritten: "The log has no line for the export of this manifest.json.",
    list_shapeless: "manifest.json is no list of exhibits.",
    list_no_json: "manifest.json is not JSON.",
    stranger: "It holds '../etc/passwd', which is no part of a bundle.",
    no_readme: "README.txt is missing.",
    no_case: "case.json does not say whose bundle this is.",
    stamp_of_another_log: f"stamps/{'11' * 32}-1.tsr is a stamp of another case, or of another log.",
}


@pytest.mark.parametrize("change", AMISS, ids=lambda change: change.__name__)
def test_what_does_not_fit_together_is_named_even_if_it_is_signed(change: Callable[[Bundle], None]) -> None:
    made = bundle()
    change(made)
    assert AMISS[change] in check(made.sealed()).problems


def test_what_is_packed_or_there_twice_is_refused() -> None:
    made, file = bundle(), io.BytesIO()
    assert check(made.sealed(method=zipfile.ZIP_DEFLATED)).problems[0].endswith("is not stored plainly.")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in made.entries.items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("README.txt", b"another")
    assert check(sign(made.case, file.getvalue())).problems == ["It names a file twice."]


def test_one_made_anew_under_another_key_is_told_by_the_key() -> None:
    mine, forged = bundle(), bundle()
    assert check(forged.sealed()).problems == []
    assert check(mine.sealed(), key=mine.case.key.hex()).problems == []
    (problem,) = check(forged.sealed(), key=mine.case.key.hex()).problems
    assert problem.endswith("not by the one you gave.")


@pytest.mark.parametrize("point", [0, 1, 2**255 - 20])
def test_a_key_that_signs_anything_signs_nothing_here(point: int) -> None:
    made = bundle()
    weak = point.to_bytes(32, "little").hex().encode()
    made.entries["case.json"] = made.entries["case.json"].replace(made.case.key.hex().encode(), weak)
    raw = made.sealed()
    assert "It was changed after it was signed." in check(raw[:-64] + bytes([1]) + bytes(63)).problems


def stamped(authority: Authority) -> Bundle:
    """The first file stamped, then the second added."""
    case = added(FILES[:1])
    stamp = {f"stamps/{case.root().hex()}-1.tsr": authority.stamp(case.root())}
    case.log("added", hashlib.sha256(FILES[1]).hexdigest())
    return Bundle.of(case, FILES, stamp)


@pytest.mark.parametrize("which", ["authority", "unsorted"])
def test_a_stamp_covers_what_was_there_before_it(which: str, request: pytest.FixtureRequest) -> None:
    authority = request.getfixturevalue(which)
    raw = stamped(authority).sealed()
    for report in (check(raw), check(raw, authority)):
        assert report.problems == []
        first, second = report.exhibits
        assert report.since(second) is None
        covering = report.since(first)
        assert covering is not None
        assert covering.time is not None
        assert covering.line == 1
        assert covering.trusted == report.stamps[0].trusted
    assert check(raw, authority).stamps[0].trusted
    assert not check(raw).stamps[0].trusted


@pytest.mark.parametrize(("which", "other"), [("authority", "unsorted"), ("unsorted", "authority")])
def test_a_stamp_by_nobody_one_trusts_fails(which: str, other: str, request: pytest.FixtureRequest) -> None:
    raw = stamped(request.getfixturevalue(which)).sealed()
    (problem,) = check(raw, request.getfixturevalue(other)).problems
    assert problem.endswith("-1.tsr is not by the authority whose certificate you gave.")


@pytest.mark.parametrize("which", ["authority", "unsorted"])
def test_a_stamp_of_another_root_fails(which: str, request: pytest.FixtureRequest) -> None:
    authority = request.getfixturevalue(which)
    made = stamped(authority)
    (name,) = (name for name in made.entries if name.startswith("stamps/"))
    made.entries[name] = authority.stamp(b"\1" * 32)
    assert f"{name} is a stamp of something else." in check(made.sealed()).problems
    made.entries[name] = b"no stamp at all"
    assert f"{name} is a stamp of something else." in check(made.sealed()).problems


@pytest.mark.parametrize("which", ["authority", "unsorted"])
def test_a_stamp_whose_signature_is_broken_fails(which: str, request: pytest.FixtureRequest) -> None:
    authority = request.getfixturevalue(which)
    made = stamped(authority)
    (name,) = (name for name in made.entries if name.startswith("stamps/"))
    made.entries[name] = made.entries[name][:-1] + bytes([made.entries[name][-1] ^ 1])
    assert check(made.sealed(), authority).problems


def test_a_value_has_one_canonical_form() -> None:
    assert canonical({"b": "é\u2028\x7f", "a": [True, None, 0]}) == '{"a":[true,null,0],"b":"é\u2028\x7f"}'.encode()


def test_it_loads_neither_django_nor_numpy_nor_the_network() -> None:
    """It will run in a browser."""
    asked = "import sys, seawall.evidence.kit.report; print([each for each in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout
    loaded = {name.partition(".")[0] for name in ast.literal_eval(told)}
    assert loaded.isdisjoint({"django", "numpy", "httpx", "pyrage", "msgspec"})
    assert kit.__doc__
    assert Path(kit.__file__).is_file()
