"""Pictures inside of uploads: cropped, framed, pasted, mirrored; by real processes over real sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageOps

from seawall.gate.tests.conftest import GateProcess, fingerprint_of, jpeg, photo, running, until
from seawall.gate.tests.exchange import ListExchange
from seawall.hashing import look

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICES, BOBS = 11, 12
CAT, ROCKET, RETINA = photo("chelsea.png"), photo("rocket.jpg"), photo("retina.jpg").resize((600, 600))


def windows_of(picture: Image.Image) -> bytes:
    return look(jpeg(picture))[1].registered()


@pytest.fixture(scope="module")
def bank() -> ListExchange:
    """Alice sent windows with her picture; Bob's page was of before there were any."""
    bank = ListExchange()
    bank.submit(ALICES, {1: fingerprint_of(CAT), 2: windows_of(CAT)})
    bank.submit(BOBS, {3: fingerprint_of(ROCKET)})
    return bank


@pytest.fixture(scope="module")
def gate(bank: ListExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    with running(bank, tmp_path_factory.mktemp("gate") / "data") as gate:
        yield gate


@pytest.fixture(scope="module")
def plain(bank: ListExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    with running(bank, tmp_path_factory.mktemp("plain") / "data", SEAWALL_GATE_LOOKS="plain") as gate:
        yield gate


def framed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, (40, 160), "black")


def cropped(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((round(0.13 * width), round(0.05 * height), round(0.97 * width), round(0.88 * height)))


def beside_another(picture: Image.Image) -> Image.Image:
    both = Image.new("RGB", (2 * picture.width, picture.height))
    both.paste(picture, (0, 0))
    both.paste(RETINA.resize(picture.size), (picture.width, 0))
    return both


@pytest.mark.parametrize(
    ("upload", "said"),
    [
        (cropped(CAT), "cropped"),
        (ImageOps.mirror(cropped(CAT)), "mirrored left to right, cropped"),
        (framed(CAT), "a part of the upload"),
        (beside_another(CAT), "a part of the upload"),
        (framed(cropped(CAT)), "a part of the upload"),
    ],
)
def test_a_picture_inside_an_upload_is_found_and_the_verdict_says_how(
    gate: GateProcess, plain: GateProcess, upload: Image.Image, said: str
) -> None:
    (match,) = gate.matches(jpeg(upload, 70))
    assert match["entry"] == str(ALICES)
    assert said in match["view"]
    assert (match["sure"], match["agreed"] >= 2) == ("certain", True)
    assert plain.matches(jpeg(upload, 70)) == []


def test_a_whole_picture_is_one_match_whatever_finds_it(gate: GateProcess, plain: GateProcess) -> None:
    """Alice's entry has two signals that know it, and is still one entry, reported once."""
    for one in (gate, plain):
        (match,) = one.matches(jpeg(CAT.resize((300, 200)), 60))
        assert (match["entry"], match["view"], match["sure"]) == (str(ALICES), "original", "certain")


def test_an_entry_without_windows_is_found_inside_an_upload_by_the_uploads_own_parts(
    gate: GateProcess, plain: GateProcess
) -> None:
    (match,) = gate.matches(jpeg(framed(ROCKET)))
    assert (match["entry"], match["agreed"]) == (str(BOBS), 0)
    assert plain.matches(jpeg(framed(ROCKET))) == []


def test_other_pictures_are_free_however_they_are_cut(gate: GateProcess) -> None:
    other = photo("coffee.png")
    for upload in (other, cropped(other), framed(other), beside_another(other), RETINA):
        assert gate.check(jpeg(upload)).json()["verdict"] == "free"


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (4, 4), (5, 5), (17, 900), (32, 32), (33, 700), (5, 20_000), (20_000, 3)]
)
@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_a_picture_of_any_shape_has_a_verdict(gate: GateProcess, width: int, height: int, kind: str) -> None:
    picture = Image.new("RGB", (width, height), "gray")
    if kind == "noise":
        picture = Image.effect_noise((width, height), 80).convert("RGB")
    assert gate.check(jpeg(picture, 95)).raise_for_status().json()["verdict"] == "free"


def test_a_withdrawn_picture_is_free_again_in_every_cut(bank: ListExchange, gate: GateProcess) -> None:
    signals = bank.entries[ALICES]
    count = gate.detail()["fingerprints"]
    bank.withdraw(ALICES)
    until(lambda: gate.matches(jpeg(cropped(CAT))) == [])
    assert gate.detail()["fingerprints"] < count - 50
    bank.submit(ALICES, signals)
    until(lambda: gate.detail()["fingerprints"] == count)
    assert gate.matches(jpeg(cropped(CAT)))


def test_the_command_looks_as_the_gate_does(gate: GateProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("upload") / "cat.jpg"
    file.write_bytes(jpeg(framed(CAT)))
    command = [sys.executable, "-m", "seawall.cli", "gate", "check", str(file), "--data", str(gate.folder)]
    codes = {
        said: subprocess.run(command, check=False, capture_output=True, env={**os.environ, "SEAWALL_GATE_LOOKS": said})
        for said in ("all", "plain", "some")
    }
    assert [code.returncode for code in codes.values()] == [3, 0, 2]
    assert b"Set it to all or plain" in codes["some"].stderr
