"""What the gate answers to an upload, by a real process over real sockets."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from seawall.gate.tests.conftest import CHECK_KEY, GateProcess, fingerprint_of, jpeg, photo, running, until
from seawall.gate.tests.exchange import ListExchange
from seawall.hashing.tests.test_heic import heic
from seawall.matching import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICES, BOBS, CAROLS = 2**63 - 1, 12, 13
CAT, COFFEE, ROCKET = photo("chelsea.png"), photo("coffee.png"), photo("rocket.jpg")
MAX_BYTES = 1 << 20

# What turns the upload into the picture of the bank, by the name the gate gives it.
TURNS = dict(
    zip(
        VIEWS,
        [
            None,
            Image.Transpose.ROTATE_90,
            Image.Transpose.ROTATE_180,
            Image.Transpose.ROTATE_270,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.TRANSVERSE,
        ],
        strict=True,
    )
)


@pytest.fixture(scope="module")
def bank() -> ListExchange:
    """Alice and Bob hold the same picture; Carol another."""
    bank = ListExchange()
    bank.submit(ALICES, {1: fingerprint_of(CAT)})
    bank.submit(BOBS, {2: fingerprint_of(CAT.resize((300, 200)))})
    bank.submit(CAROLS, {3: fingerprint_of(COFFEE)})
    return bank


@pytest.fixture(scope="module")
def gate(bank: ListExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    with running(bank, tmp_path_factory.mktemp("gate") / "data", SEAWALL_GATE_MAX_BYTES=str(MAX_BYTES)) as gate:
        yield gate


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_a_copy_behind_the_first_frame_of_a_picture_that_moves_matches(gate: GateProcess, kind: str) -> None:
    """Most who show GIFs go on to the next frame at once."""
    small = [photo.resize((300, 200)) for photo in (ROCKET, CAT.transpose(Image.Transpose.FLIP_LEFT_RIGHT))]
    black = Image.new("RGB", (300, 200))
    found = gate.matches(_moving(kind, [black, *small]))
    assert {match["entry"] for match in found} == {str(ALICES), str(BOBS)}
    free = gate.check(_moving(kind, [black, small[0]])).json()
    assert (free["verdict"], free.get("reason")) == ("free", None), "its second frame is not too plain"


def test_of_a_picture_with_more_frames_than_are_read_the_gate_says_so(gate: GateProcess) -> None:
    dot = [Image.new("L", (8, 8), colour % 2) for colour in range(2100)]
    cut = _moving("GIF", [Image.new("RGB", CAT.size), ROCKET.resize(CAT.size), CAT])
    for content in (_moving("GIF", dot), cut[: len(cut) // 2]):
        assert gate.check(content).json()["reason"] == "only a part could be read"


def _moving(kind: str, frames: list[Image.Image]) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def test_a_copy_saved_as_heic_matches_and_a_damaged_one_is_refused(gate: GateProcess) -> None:
    copy = heic(CAT.resize((220, 146)))
    assert {match["entry"] for match in gate.matches(copy)} == {str(ALICES), str(BOBS)}
    refused = gate.check(copy[: len(copy) // 2])
    assert refused.status_code == 422
    assert "HEIC" in refused.json()["message"]


def test_a_copy_saved_worse_and_smaller_matches_everyone_who_protected_it(gate: GateProcess) -> None:
    found = gate.matches(jpeg(CAT.resize((220, 146)), 40))
    assert {match["entry"] for match in found} == {str(ALICES), str(BOBS)}
    assert all(match["distance"] <= 31 and match["kind"] == "image" for match in found)


def test_an_unrelated_picture_is_free(gate: GateProcess) -> None:
    answer = gate.check(jpeg(ROCKET))
    assert answer.json().keys() == {"verdict", "matches", "took_ms"}
    assert (answer.status_code, answer.json()["verdict"], answer.json()["matches"]) == (200, "free", [])
    assert answer.json()["took_ms"] > 0


@pytest.mark.parametrize("view", VIEWS)
def test_a_turned_or_mirrored_copy_matches_and_the_view_says_how(gate: GateProcess, view: str) -> None:
    turn = TURNS[view]
    undo = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }
    upload = COFFEE if turn is None else COFFEE.transpose(undo.get(turn, turn))
    assert [(match["entry"], match["view"]) for match in gate.matches(jpeg(upload))] == [(str(CAROLS), view)]


def test_a_fingerprint_is_looked_up_as_it_is(gate: GateProcess) -> None:
    answer = gate.http.post("/check", json={"pdq": fingerprint_of(COFFEE).hex(), "quality": 100})
    assert answer.json()["matches"] == [
        {"entry": str(CAROLS), "distance": 0, "view": "original", "kind": "image", "agreed": 0, "sure": "certain"}
    ]


@pytest.mark.parametrize("upload", ["picture", "fingerprint"])
def test_what_is_too_plain_to_compare_is_free_and_says_so(gate: GateProcess, upload: str) -> None:
    if upload == "picture":
        answer = gate.check(jpeg(Image.new("RGB", (300, 300), "gray")))
    else:
        answer = gate.http.post("/check", json={"pdq": fingerprint_of(COFFEE).hex(), "quality": 49})
    assert answer.json() | {"took_ms": 0} == {
        "verdict": "free",
        "matches": [],
        "took_ms": 0,
        "reason": "too plain to compare",
    }


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {CHECK_KEY}", CHECK_KEY])
@pytest.mark.parametrize(("method", "path"), [("POST", "/check"), ("GET", "/status/detail")])
def test_it_answers_only_to_its_key(gate: GateProcess, authorization: str | None, method: str, path: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = httpx.request(method, gate.http.base_url.join(path), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer" in answer.json()["message"]


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


BAD_PICTURES = {
    "empty": b"",
    "text": b"not a picture",
    "cut short": jpeg(CAT)[:5000],
    "gigapixels in a small file": png(40_000, 20_000),
    "an executable": b"MZ" + bytes(2000),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_what_is_not_a_readable_picture_is_refused_with_a_sentence(gate: GateProcess, name: str) -> None:
    answer = gate.check(BAD_PICTURES[name])
    assert answer.status_code == 422
    assert answer.json()["message"].endswith(".")


PDQ = "0123456789abcdef" * 4
BAD_FINGERPRINTS = {
    "upper case": {"pdq": PDQ.upper(), "quality": 80},
    "too short": {"pdq": PDQ[:-1], "quality": 80},
    "too long": {"pdq": PDQ + "00", "quality": 80},
    "a newline after": {"pdq": PDQ + "\n", "quality": 80},
    "no hex": {"pdq": "g" * 64, "quality": 80},
    "no quality": {"pdq": PDQ},
    "quality 101": {"pdq": PDQ, "quality": 101},
    "quality -1": {"pdq": PDQ, "quality": -1},
    "quality 80.5": {"pdq": PDQ, "quality": 80.5},
    "quality true": {"pdq": PDQ, "quality": True},
    "quality text": {"pdq": PDQ, "quality": "80"},
    "a list": [PDQ, 80],
    "something more": {"pdq": PDQ, "quality": 80, "person": "x"},
}


@pytest.mark.parametrize("name", BAD_FINGERPRINTS)
def test_a_malformed_fingerprint_is_refused_with_a_sentence(gate: GateProcess, name: str) -> None:
    answer = gate.http.post("/check", json=BAD_FINGERPRINTS[name])
    assert answer.status_code == 422
    assert "64 lowercase hex digits" in answer.json()["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 4000, b"\xff\xfe", b'{"pdq": "\xff"}', b"nul"])
def test_malformed_json_is_refused_with_a_sentence(gate: GateProcess, content: bytes) -> None:
    answer = gate.http.post("/check", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "64 lowercase hex digits" in answer.json()["message"]


FORM = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
BAD_FORMS = {
    "nothing": b"",
    "no end": FORM % (b"file", b'; filename="a.jpg"') + jpeg(CAT),
    "another field": FORM % (b"photo", b'; filename="a.jpg"') + b"x\r\n--b--\r\n",
    "no file name": FORM % (b"file", b"") + b"x\r\n--b--\r\n",
    "two files": (FORM % (b"file", b'; filename="a.jpg"') + b"x\r\n") * 2 + b"--b--\r\n",
    "no such boundary": b"--c--\r\n",
    "no name": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    "a header without end": b"--b\r\nX: " + b"y" * 100_000,
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_form_without_exactly_one_picture_is_refused_with_a_sentence(gate: GateProcess, name: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = gate.http.post("/check", content=BAD_FORMS[name], headers=headers)
    assert answer.status_code == 422
    assert "multipart field `file`" in answer.json()["message"]


@pytest.mark.parametrize(
    "said",
    [
        *(
            f"charset={codec}"
            for codec in ("undefined", "idna", "punycode", "hex", "utf-16", "utf-7", "mbcs", "no such")
        ),
        "charset=" + "x" * 5000,
        "charset*=utf-8''%E2%82%AC",
        "boundary*=utf-8''%E2%82%AC",
        "boundary=",
        "boundary=" + "x" * 5000,
    ],
)
def test_a_form_in_any_codec_is_read_or_refused_and_breaks_nothing(gate: GateProcess, said: str) -> None:
    form = (
        FORM % (b"fi\xffle", b"")
        + b"\xff\r\n"
        + FORM % (b"file", b'; filename="\xff.jpg"')
        + jpeg(CAT)
        + b"\r\n--b--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary=b; {said}"}
    answer = gate.http.post("/check", content=form, headers=headers)
    assert answer.status_code in {200, 422}
    assert answer.status_code == 200 or "multipart field `file`" in answer.json()["message"]
    assert gate.matches(jpeg(CAT))


@pytest.mark.parametrize("kind", ["", "text/plain", "image/jpeg", "multipart/mixed; boundary=b", "application/jsonx"])
def test_another_kind_of_body_is_refused_with_a_sentence(gate: GateProcess, kind: str) -> None:
    answer = gate.http.post("/check", content=jpeg(CAT), headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "multipart/form-data" in answer.json()["message"]


def test_a_form_without_a_boundary_is_refused(gate: GateProcess) -> None:
    answer = gate.http.post("/check", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 422


def test_too_large_is_refused_by_its_own_word_before_it_is_read(gate: GateProcess) -> None:
    with socket.create_connection(("127.0.0.1", gate.port)) as raw:
        raw.sendall(
            b"POST /check HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer " + CHECK_KEY.encode() + b"\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000000000\r\n\r\n"
        )
        raw.settimeout(20)
        answer = raw.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"up to 1 MiB" in answer


def test_too_large_without_a_word_is_refused_when_it_shows(gate: GateProcess) -> None:
    """A chunked upload does not say how long it will be: the gate must not read on for ever."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield FORM % (b"file", b'; filename="a.jpg"')
        while sent < 300 << 20:
            sent += 1 << 16
            yield bytes(1 << 16)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    try:
        answer = gate.http.post("/check", content=endless(), headers=headers)
    except httpx.WriteError:
        pass  # refused and hung up while we were still sending
    else:
        assert answer.status_code == 413
        assert (
            answer.json()["message"] == "That is too large. Send a picture of up to 1 MiB, or a video of up to 512 MiB."
        )
    assert sent < 100 << 20
    assert gate.matches(jpeg(COFFEE))


def test_a_long_json_body_is_refused(gate: GateProcess) -> None:
    answer = gate.http.post("/check", content=b" " * 5000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/check", 405), ("POST", "/status", 405), ("GET", "/", 404), ("GET", "/x", 404)],
)
def test_what_is_not_there_is_said_so(gate: GateProcess, method: str, path: str, status: int) -> None:
    answer = gate.http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])


def test_nothing_is_kept_in_a_cache(gate: GateProcess) -> None:
    for answer in (gate.check(jpeg(CAT)), gate.http.get("/status"), gate.http.get("/status/detail"), gate.check(b"")):
        assert answer.headers["cache-control"] == "no-store"


def test_a_withdrawn_entry_is_free_again_and_the_others_stay(bank: ListExchange, gate: GateProcess) -> None:
    bank.withdraw(BOBS)
    until(lambda: [match["entry"] for match in gate.matches(jpeg(CAT))] == [str(ALICES)])


def test_no_upload_name_or_address_is_written_anywhere(gate: GateProcess) -> None:
    """Last in this file: everything above has passed through this gate."""
    name = "the-name-of-a-person"
    gate.http.post("/check", files={"file": (f"{name}.jpg", jpeg(CAT))}).raise_for_status()
    gate.http.post(f"/check?{name}", files={"file": (name, b"not a picture")})
    gate.http.get(f"/{name}")
    written = gate.log.read_bytes() + b"".join(path.read_bytes() for path in gate.folder.iterdir())
    assert len(gate.lines()) >= 1
    for secret in (name.encode(), b"127.0.0.1:", CHECK_KEY.encode(), str(ALICES).encode(), jpeg(CAT)[1000:1050]):
        assert secret not in written.replace(f"http://127.0.0.1:{gate.port}/check".encode(), b"")
