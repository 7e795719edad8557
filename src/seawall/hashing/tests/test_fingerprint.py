"""Picture files of every kind people have, and files that are none."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pdqhash
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from skimage.data import data_dir
from threatexchange.signal_type.pdq.signal import PdqSignal

from seawall.hashing import (
    MAX_PIXELS,
    USABLE_QUALITY,
    UnreadableImage,
    distance,
    fingerprint,
    limits,
    look,
    pdq,
    pictures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# pytest turns warnings into errors; Pillow's about damaged metadata are let pass in use (see pictures.py).
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

PHOTOS = sorted(path for path in Path(data_dir).iterdir() if path.suffix in {".png", ".jpg"})


def photo(name: str = "astronaut.png") -> Image.Image:
    """Its pixels, without the profile some of them carry."""
    image = Image.open(Path(data_dir) / name).convert("RGB")
    image.info.clear()
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def of(image: Image.Image) -> str:
    """The fingerprint of an image's pixels as they are."""
    return pdq(np.asarray(image.convert("RGB"))).hex


# --- the same bits as the field's own tools ---


def versions(image: Image.Image) -> Iterator[bytes]:
    yield saved(image, "PNG")
    yield saved(image, "JPEG", quality=60)
    yield saved(image.resize((image.width * 2 // 3, image.height * 2 // 3)), "WEBP", quality=80)
    yield saved(image.crop((9, 5, image.width * 4 // 5, image.height - 3)), "JPEG", quality=90, subsampling=0)
    yield saved(image.resize((image.width * 3 // 2, image.height)), "JPEG", progressive=True)


def test_real_photos_have_the_bits_of_pdqhash() -> None:
    """Never more than 2 bits off where the quality is usable, and none at all for 95 % of files."""
    distances = []
    for path in PHOTOS:
        for content in versions(photo(path.name)):
            rgb = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
            if min(rgb.shape[:2]) < 64:
                continue
            bits, quality = pdqhash.compute(rgb)
            made = fingerprint(content).pdq
            assert made.quality == quality
            if quality >= USABLE_QUALITY:
                distances.append(distance(made.bits, np.packbits(bits.astype(np.uint8)).tobytes()))
    assert len(distances) >= 100
    assert max(distances) <= 2
    assert sum(d == 0 for d in distances) >= 0.95 * len(distances)


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "rocket.jpg", "retina.jpg"])
def test_a_platforms_client_makes_the_same_fingerprint_of_the_same_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(photo(name), "JPEG", quality=85))
    assert fingerprint(path).pdq.hex == PdqSignal.hash_from_file(path)


def jpegs(image: Image.Image) -> Iterator[bytes]:
    """Every way colour is stored in a JPEG, in one scan and in many."""
    rgb = np.asarray(image)
    for subsampling in ("444", "422", "420", "440", "411"):
        yield simplejpeg.encode_jpeg(rgb, quality=75, colorsubsampling=subsampling)
    yield simplejpeg.encode_jpeg(rgb, quality=40, fastdct=False)
    yield saved(image, "JPEG", progressive=True, subsampling=2)
    yield saved(image, "JPEG", progressive=True, subsampling=0, quality=95)
    yield saved(image, "JPEG", keep_rgb=True, quality=90)
    yield saved(image.convert("L"), "JPEG", quality=70)


def test_jpeg_pixels_are_pillows_to_the_bit() -> None:
    """The fast decoder is only used because of this."""
    compared = 0
    for path in PHOTOS[::2]:
        image = photo(path.name)
        for content in jpegs(image.crop((0, 0, image.width - 3, image.height - 5))):
            assert pictures._jpeg_pixels(content, Image.open(io.BytesIO(content))) is not None
            strips = np.concatenate(list(pictures.read_picture(content).strips))
            assert (strips == np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))).all()
            compared += 1
    assert compared >= 100


# --- canonical pixels ---


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_it_turns_a_picture_as_exif_says(orientation: int, kind: str) -> None:
    image = photo().crop((0, 0, 400, 300))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(image, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    made = fingerprint(content)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert made.pdq.hex == of(upright)
    assert (made.width, made.height) == upright.size
    assert (made.width < made.height) == (orientation >= 5)


def test_turning_in_strips_is_turning_whole() -> None:
    """Higher and wider than one strip of rows, and not a multiple of it."""
    image = photo("retina.jpg").resize((700, 523))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = saved(image, "PNG", exif=exif)
        strips = np.concatenate(list(pictures.read_picture(content).strips))
        assert (strips == np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))).all()


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_it_ignores_an_orientation_that_does_not_exist(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert fingerprint(saved(photo(), "PNG", exif=exif)).pdq.hex == of(photo())


def test_damaged_exif_does_not_stop_it() -> None:
    content = saved(photo(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff rubbish")
    assert fingerprint(content).pdq.hex == of(Image.open(io.BytesIO(content)))


def on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
def test_it_lays_transparent_pictures_on_white(kind: str, mode: str) -> None:
    image = photo().convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    content = saved(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    made = fingerprint(content).pdq
    assert distance(made.bits, bytes.fromhex(of(on_white(image)))) <= 2
    assert distance(made.bits, bytes.fromhex(of(image.convert("RGB")))) > 10, "or the alpha did not count"


def test_a_transparent_palette_entry_becomes_white() -> None:
    image = photo().quantize(16)
    content = saved(image, "PNG", transparency=3)
    assert fingerprint(content).pdq.hex == of(on_white(Image.open(io.BytesIO(content))))
    assert fingerprint(content).pdq.hex != of(image)


def test_a_transparent_colour_becomes_white() -> None:
    image = Image.new("RGB", (256, 256), (9, 8, 7))
    image.paste(photo().resize((128, 200)), (40, 20))
    content = saved(image, "PNG", transparency=(9, 8, 7))
    expected = Image.new("RGB", (256, 256), "white")
    expected.paste(photo().resize((128, 200)), (40, 20))
    assert distance(fingerprint(content).pdq.bits, bytes.fromhex(of(expected))) <= 2


LOSSLESS = {
    "PNG": ("1", "L", "P", "RGB"),
    "GIF": ("P",),
    "BMP": ("1", "P", "RGB"),
    "TIFF": ("1", "L", "P", "RGB", "CMYK", "YCbCr"),
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in LOSSLESS.items() for mode in modes])
def test_every_lossless_mode_goes_through_rgb(kind: str, mode: str) -> None:
    image = photo().convert(mode)
    assert fingerprint(saved(image, kind)).pdq.hex == of(image)


def test_a_picture_of_unbounded_brightness_is_refused() -> None:
    assert "brightness" in unreadable(saved(photo().convert("F"), "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF"])
def test_lossy_kinds_stay_near_the_original(kind: str) -> None:
    assert distance(fingerprint(saved(photo(), kind)).pdq.bits, pdq(np.asarray(photo())).bits) <= 16


def test_a_cmyk_jpeg_is_near_the_original() -> None:
    content = saved(photo().convert("CMYK"), "JPEG", quality=95)
    assert distance(fingerprint(content).pdq.bits, pdq(np.asarray(photo())).bits) <= 16


def test_sixteen_bit_gray_keeps_its_high_bytes() -> None:
    gray = np.asarray(photo().convert("L"))
    deep = gray.astype(np.uint16) << 8 | 0x5A
    for kind in ("PNG", "TIFF"):
        assert fingerprint(saved(Image.fromarray(deep), kind)).pdq == pdq(gray)


def test_sixteen_bit_colour_keeps_its_high_bytes() -> None:
    rgb = np.asarray(photo().crop((0, 0, 128, 96)))
    deep = (rgb.astype(">u2") << 8 | 0x5A).astype(">u2")
    content = png(128, 96, depth=16, colour=2, rows=[row.tobytes() for row in deep])
    assert fingerprint(content).pdq == pdq(rgb)


def png(width: int, height: int, *, depth: int, colour: int, rows: list[bytes]) -> bytes:
    """A PNG by hand: Pillow does not write 16-bit colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([depth, colour, 0, 0, 0])
    packed = zlib.compress(b"".join(b"\x00" + row for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def icc(colour_space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(colour_space)).tobytes()  # type: ignore[arg-type]


def swapped_profile() -> bytes:
    """sRGB with its red and blue primaries exchanged: a profile nobody can overlook."""
    profile = bytearray(icc("sRGB"))
    tags = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(int.from_bytes(profile[128:132]))}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_it_converts_an_embedded_profile_to_srgb(kind: str) -> None:
    image = photo()
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    content = saved(image, kind, icc_profile=swapped_profile(), **options)
    made = fingerprint(content).pdq.bits
    swapped = Image.merge("RGB", Image.open(io.BytesIO(content)).convert("RGB").split()[::-1])
    assert distance(made, bytes.fromhex(of(swapped))) <= 4
    assert distance(made, bytes.fromhex(of(image))) > 10, "or the profile did not count"


def test_an_srgb_profile_changes_next_to_nothing() -> None:
    made = fingerprint(saved(photo(), "PNG", icc_profile=icc("sRGB"))).pdq.bits
    assert distance(made, bytes.fromhex(of(photo()))) <= 2


@pytest.mark.parametrize("profile", [b"rubbish", icc("LAB"), icc("sRGB")[:200]])
def test_it_ignores_a_profile_it_cannot_use(profile: bytes) -> None:
    assert fingerprint(saved(photo(), "PNG", icc_profile=profile)).pdq.hex == of(photo())


def test_an_animated_picture_counts_by_its_first_frame() -> None:
    frames = [photo(name).resize((256, 256)) for name in ("astronaut.png", "coffee.png", "rocket.jpg")]
    for kind in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert fingerprint(content).pdq.hex == of(frames[0]), kind
    gif = [frame.quantize(64) for frame in frames]
    content = saved(gif[0], "GIF", save_all=True, append_images=gif[1:])
    assert fingerprint(content).pdq.hex == of(gif[0])


def test_a_phone_picture_with_a_second_picture_inside_counts_by_the_first() -> None:
    content = saved(photo(), "MPO", save_all=True, append_images=[photo("coffee.png")])
    assert fingerprint(content).pdq.hex == of(Image.open(io.BytesIO(content)))


def test_a_film_behind_a_jpeg_is_no_obstacle() -> None:
    """Motion photos: among four million bytes of film, what looks like a scan is not one."""
    content = saved(photo(), "JPEG")
    assert fingerprint(content + b"\xff\xda" * 2_000_000).pdq == fingerprint(content).pdq


def test_extraneous_bytes_that_every_viewer_forgives_are_forgiven() -> None:
    content = saved(photo(), "JPEG")
    forgiven = content[:-2] + b"\x11" * 9 + content[-2:]
    assert fingerprint(forgiven).pdq == fingerprint(content).pdq


# --- what comes with it ---


def test_it_names_the_file_by_sha256_and_md5(tmp_path: Path) -> None:
    content = saved(photo(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    made = fingerprint(path)
    assert made == fingerprint(str(path)) == fingerprint(content)
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert made.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (made.version, made.kind, made.width, made.height, made.frames) == ("pdq1", "image", 512, 512, ())


def test_a_picture_under_five_pixels_has_quality_zero() -> None:
    assert fingerprint(saved(photo().resize((4, 90)), "PNG")).pdq.quality == 0


def test_it_opens_no_file_for_writing_and_no_connection(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(saved(photo(), "PNG"))
    code = (
        "import sys, seawall.hashing as h\n"
        "seen = []\n"
        "def hook(event, args):\n"
        "    if event.startswith(('socket', 'subprocess', 'os.', 'shutil', 'tempfile')): seen.append(event)\n"
        "    if event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+'): seen.append(args)\n"
        "h.fingerprint(sys.argv[1])\n"  # everything imported
        "sys.addaudithook(hook)\n"
        "h.fingerprint(sys.argv[1])\n"
        "assert not seen, seen\n"
        "open(sys.argv[1] + '.seen', 'w').close()\n"
        "assert seen\n"  # the hook would have told
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)


# --- what is no picture, or not one we take ---


def unreadable(content: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
        fingerprint(content)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert ". " in sentence, "what it is, and what to do next"
    return sentence


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_unreadable(kind: str, part: float) -> None:
    content = saved(photo(), kind)
    unreadable(content[: int(len(content) * part)])


def test_an_empty_file_is_unreadable() -> None:
    assert "empty" in unreadable(b"")


@pytest.mark.parametrize(
    "content", [b"hello, this is a letter", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n",
                b"\x00" * 5000, b"\xff\xd8\xff", b"%PDF-1.7"]
)  # fmt: skip
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    assert "not a picture" in unreadable(content)


def test_a_wrong_extension_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(photo(), "PNG"))
    assert fingerprint(path).pdq.hex == of(photo())


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is large."""
    return png(width, height, depth=1, colour=0, rows=[b"\x00" * 2000])


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (200_000, 5_000), (11_000, 11_000), (65_535, 1_832)])
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    assert "megapixels" in unreadable(bomb(width, height))


def test_a_picture_longer_than_the_kernel_counts_is_refused() -> None:
    assert "65,535" in unreadable(bomb(65_536, 10))


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    content = saved(photo(), "JPEG", progressive=True)
    at = content.rindex(b"\xff\xda")
    assert limits.scans(content) < 20
    assert "unusual" in unreadable(content[:at] + content[at:-2] * 1000 + b"\xff\xd9")


def test_a_file_too_long_to_be_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)  # sparse: no disk is used
    with pytest.raises(UnreadableImage, match="larger than 256 MB"):
        fingerprint(path)


def test_a_picture_of_a_hundred_megapixels_is_done_within_bounded_memory(tmp_path: Path) -> None:
    """10,000 x 10,000 JPEG and PNG: 4 bytes a pixel for the decoder, and little beside."""
    assert MAX_PIXELS >= 100_000_000
    image = photo("retina.jpg").resize((10_000, 10_000), Image.Resampling.NEAREST)
    image.save(tmp_path / "a.jpg", quality=50)
    image.convert("L").save(tmp_path / "b.png", compress_level=1)
    code = (
        "import resource, sys, seawall.hashing as h\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(h.fingerprint(sys.argv[1]).pdq.quality)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    for name in ("a.jpg", "b.png"):
        ran = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        )
        quality, megabytes = map(int, ran.stdout.split())
        assert quality == 100
        assert megabytes < 500, name


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_give_a_fingerprint_or_a_sentence(data: st.DataObject) -> None:
    """Whatever is flipped, cut or put in: never another exception."""
    content = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"\x00")
    with contextlib.suppress(UnreadableImage):
        fingerprint(bytes(content))


def small_files() -> Iterator[bytes]:
    image = photo().resize((40, 30))
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"):
        yield saved(image, kind)
    yield saved(image, "JPEG", progressive=True, exif=exif, icc_profile=icc("sRGB"))
    yield saved(image.convert("CMYK"), "JPEG")
    yield saved(image.quantize(8), "PNG", transparency=2, pnginfo=PngImagePlugin.PngInfo())
    yield saved(image, "TIFF", compression="tiff_lzw")


SMALL = list(small_files())


# --- the command ---


def seawall(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "fingerprint", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_the_windows_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(photo(), "PNG"))
    windows = base64.urlsafe_b64encode(look(path)[1].registered()).decode()
    assert json.loads(seawall(path, "--json", "--windows").stdout)["windows1"] == windows
    assert seawall(path, "--windows").stdout.splitlines()[1:] == [f"windows1 {windows}"]


def test_the_command_prints_one_json_line_a_file_and_goes_on_after_a_bad_one(tmp_path: Path) -> None:
    good, bad, missing = tmp_path / "a.png", tmp_path / "b.jpg", tmp_path / "no"
    good.write_bytes(saved(photo(), "PNG"))
    bad.write_text("a letter")
    ran = seawall(bad, missing, good, "--json")
    made = fingerprint(good)
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {
            "file": str(good), "version": "pdq1", "kind": "image", "pdq": made.pdq.hex, "quality": 100,
            "sha256": made.sha256, "md5": made.md5, "frames": [],
        }
    ]  # fmt: skip
    assert ran.returncode == 1
    assert f"{bad}: This is not a picture" in ran.stderr
    assert f"{missing}: We cannot open this file" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_command_says_in_words_when_a_picture_is_too_plain(tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    Image.new("RGB", (200, 200)).save(path)
    ran = seawall(path)
    assert ran.returncode == 0
    assert "quality 0" in ran.stdout
    assert "too plain" in ran.stderr
