"""Freely licensed photographs out of packages, split by scene into those to tune on and those to report on.

Taken from scikit-image's wheel and from Debian packages, which apt-get downloads and dpkg-deb unpacks into a folder;
nothing is installed. No picture has a person in focus. `docs/robustness.md` lists where they are from.
Elsewhere than on Debian: unpack the packages by hand, each into a folder of its name, and name the folder that holds
them in SEAWALL_BENCH_PICTURES.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from skimage.data import data_dir

from seawall.hashing import MATCH_DISTANCE, distance, pdq

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

FOLDER = Path(os.environ.get("SEAWALL_BENCH_PICTURES") or Path.home() / ".cache" / "seawall-bench-pictures")
WHEEL = "scikit-image"  # the one source that is not a Debian package

PHOTOGRAPH, DRAWN, SKY, ALIKE = "photograph", "drawn or flat", "night sky", "views of one place"
TUNING_SHARE = 0.35
LEAST_SIDE = 240  # pixels


class Source(NamedTuple):
    """Pictures of one package. ``paths`` are globs below usr/; behind a colon, a regular expression of names in it."""

    package: str
    licence: str  # as the package's copyright file has it
    kind: str
    paths: tuple[str, ...]


GCOMPRIS, RCC = "gcompris-qt-data", "share/gcompris-qt/rcc"
PLASMA = (
    "BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf", "Grey", "Kite",
    "OneStandsOut", "Path", "summer_1am",
)  # fmt: skip
PLASMA_DRAWN = (
    "Altai", "Autumn", "Canopee", "Cascade", "Cluster", "Elarun", "Flow", "FlyingKonqui", "Honeywave", "IceCold",
    "Kay", "Kokkini", "MilkyWay", "Opal", "PastelHills", "Patak", "SafeLanding", "Shell", "Volna",
)  # fmt: skip
OPENCV = (
    "aero1", "aero3", "aloeL", "aloeR", "board", "building", "butterfly", "chicky_512", "ela_original", "fruits",
    "home", "leuvenA", "leuvenB", "squirrel_cls",
)  # fmt: skip

SOURCES = (
    Source(GCOMPRIS, "GPL-3+, CC-BY-SA-4.0 and free licences of single pictures", PHOTOGRAPH, (
        f"{RCC}/erase.rcc:erase/resource/", f"{RCC}/explore_monuments.rcc:", f"{RCC}/explore_farm_animals.rcc:",
        f"{RCC}/explore_world_animals.rcc:", f"{RCC}/explore_world_music.rcc:/(africa|america|middleeast)",
        f"{RCC}/clickgame.rcc:/sea", f"{RCC}/categorization.rcc:/(fishes|monuments|renewable)/",
        f"{RCC}/details.rcc:image/(Chen|Egesk|Eilan|Fano|Gizah|Louvre|NDP|Nagoya|Neusch|Opera|Taj|Tour|Tower).*_backg",
    )),
    Source(GCOMPRIS, "GPL-3+, CC-BY-SA-3.0 and free licences of single pictures", DRAWN, (
        f"{RCC}/lang.rcc:words_sample/", f"{RCC}/categorization.rcc:/(others|tools)/", f"{RCC}/solar_system.rcc:",
        f"{RCC}/details.rcc:image/(Eglise|Gogh|Van_Gogh|Vincent).*_background",
    )),
    Source("lomiri-wallpapers-16.04", "CC-BY-4.0, CC-BY-SA-4.0, CC0-1.0", PHOTOGRAPH, (
        "share/backgrounds/[BDPWafglps]*_by_*.jpg",
    )),
    Source("lomiri-wallpapers-20.04", "CC-BY-SA-4.0, CC-BY-4.0", PHOTOGRAPH, ("share/backgrounds/Kleiber*",)),
    Source("lomiri-wallpapers-20.04", "CC-BY-SA-4.0, CC-BY-4.0", DRAWN, ("share/backgrounds/[FIP]*_by_*.jpg",)),
    Source("lxqt-themes", "CC-BY-SA-3.0, LGPL-2.1+", PHOTOGRAPH, (
        "share/lxqt/wallpapers/[Ba]*.*g", "share/lxqt/wallpapers/Valendas.png", "share/lxqt/wallpapers/butterfly.png",
        "share/lxqt/wallpapers/[cdf]*.*g", "share/lxqt/wallpapers/beam.png", "share/lxqt/wallpapers/this*.jpg",
    )),
    Source("lxqt-themes", "CC-BY-SA-3.0, LGPL-2.1+, LGPL-3", DRAWN, (
        "share/lxqt/wallpapers/[kopsw]*.*g", "share/lxqt/wallpapers/tri*.png",
    )),
    Source("mate-backgrounds", "GPL-2+", PHOTOGRAPH, ("share/backgrounds/mate/nature/*.jpg",)),
    Source("mate-backgrounds", "GPL-2+, CC-BY-SA-4.0", DRAWN, (
        "share/backgrounds/mate/abstract/Elephants.jpg", "share/backgrounds/mate/desktop/*.*g",
    )),
    Source("opencv-doc", "Apache-2.0", PHOTOGRAPH, (
        *(f"share/doc/opencv-doc/examples/data/{name}.jpg" for name in OPENCV),
        "share/doc/opencv-doc/examples/data/box_in_scene.png", "share/doc/opencv-doc/examples/data/graf[13].png",
        "share/doc/opencv-doc/examples/data/rubberwhale?.png", "share/doc/opencv-doc/examples/hfs/data/000.jpg",
        "share/doc/opencv-doc/examples/alphamat/input_images/plant.jpg",
        "share/doc/opencv-doc/examples/text/scenetext0?.jpg",
    )),
    Source("palapeli-data", "GPL-2+", PHOTOGRAPH, ("share/palapeli/collection/*.jpg",)),
    Source("plasma-workspace-wallpapers", "GPL-2+", PHOTOGRAPH, tuple(
        f"share/wallpapers/{name}/contents/images/2560x1600.*" for name in PLASMA
    )),
    Source("plasma-workspace-wallpapers", "GPL-2+", DRAWN, tuple(
        f"share/wallpapers/{name}/contents/images/1920x1080.*" for name in PLASMA_DRAWN
    )),
    Source("puzzle-jigsaw", "CC0-1.0", PHOTOGRAPH, ("share/puzzle-jigsaw/samples/*.jp*g",)),
    Source("hugin-data", "GPL-2+", PHOTOGRAPH, ("share/hugin/xrc/data/help_en_EN/CA_[ft]*00.jpg",)),
    Source("libjxl-testdata", "CC0, BSD-3-Clause", PHOTOGRAPH, (
        "share/libjxl-testdata/external/wesaturate/500px/*_srgb8.png", "share/libjxl-testdata/jxl/flower/flower.png",
        "share/libjxl-testdata/jxl/hdr_room.png",
    )),
    Source("python3-sklearn", "CC-BY-2.0", PHOTOGRAPH, ("lib/python3/dist-packages/sklearn/datasets/images/*.jpg",)),
    Source(WHEEL, "CC0, public domain and free licences of single pictures", PHOTOGRAPH, (
        "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "moon.png", "motorcycle_*.png", "rocket.jpg",
    )),
    Source(WHEEL, "CC0, public domain and free licences of single pictures", DRAWN, (
        "brick.png", "cell.png", "grass.png", "gravel.png", "horse.png", "page.png", "text.png", "retina.jpg",
        "microaneurysms.png", "ihc.png", "hubble_deep_field.jpg", "chessboard_GRAY.png", "phantom.png",
    )),
    Source("krita-data", "GPL-2+", DRAWN, ("share/krita/patterns/*.png",)),
    Source("gnome-backgrounds", "GPL-2+, CC-BY-SA-3.0", DRAWN, ("share/backgrounds/gnome/*.webp",)),
    Source("ukui-wallpapers", "CC-BY-SA-3.0", DRAWN, ("share/backgrounds/*.*g",)),
    Source("stellarium-data", "GPL-2+", ALIKE, (
        "share/stellarium/landscapes/garching/garching-gl?.png", "share/stellarium/landscapes/hurricane/*[1-8].png",
        "share/stellarium/landscapes/guereins/*[1-8].png",
    )),
    Source("stellarium-data", "GPL-2+", SKY, ("share/stellarium/nebulae/default/*.png",)),
)  # fmt: skip

# Pictures of one place, thing or series under several names. Whatever else shares a name is one scene as well.
SCENES = {
    "brandenburg": "brandenburggate", "beandenburg": "brandenburggate", "chenonceau": "chenonceau",
    "neuschwanstein": "neuschwanstein", "taj": "tajmahal", "opera": "operahouse", "toureiffel": "eiffeltower",
    "rushmore": "mountrushmore", "liberty": "statueofliberty", "greatwall": "greatwall", "victoria": "victoriamemorial",
    "kutub": "qutubminar", "gizah": "pyramids", "pyramid": "pyramids", "windmill": "windmills", "solar": "solar",
    "dam": "dams", "aloe": "aloe", "aero": "aero", "graf": "graffiti", "leuven": "leuven", "rubberwhale": "rubberwhale",
    "motorcycle": "motorcycle", "garching": "garching", "hurricane": "hurricane", "guereins": "guereins",
    "chamaeleon": "chameleon", "camel": "camel", "giraffe": "giraffe", "horse": "horse", "wood-": "wood", "sea": "sea",
    "grid-": "grid", "pixels-": "pixels", "truchet-": "truchet", "adwaita-": "adwaita", "licorice-": "licorice",
    "symbolic-": "symbolic",
}  # fmt: skip

# Drawings that are one another in other colours, or with a part left out.
DRAWN_ANEW = {
    "pot": ("black", "blue", "brown", "gray", "green", "mauve", "orange-color", "pink", "red", "white", "yellow"),
    "head": ("face", "head", "ear", "nose", "hair", "neck", "eyes"), "snake": ("reptile", "snake"),
    "girl": ("girl", "leg"), "couple": ("man", "woman"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file, perhaps inside another file."""

    name: str
    scene: str
    package: str
    licence: str
    kind: str
    path: Path
    inside: str = ""

    def image(self) -> Image.Image:
        """Its pixels in RGB, what is transparent in white, at full size."""
        content = dict(_resources(self.path))[self.inside] if self.inside else self.path.read_bytes()
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
        if opened.mode in ("RGB", "L"):
            return opened.convert("RGB")
        if opened.mode.startswith("I"):  # 16 bits of gray
            return Image.fromarray((np.asarray(opened) >> 8).astype(np.uint8)).convert("RGB")
        layers = opened.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")

    @property
    def share(self) -> float:
        """0 to 1, the same for all pictures of one scene: by it they are divided."""
        return int.from_bytes(hashlib.sha256(self.scene.encode()).digest()[:4], "big") / 2**32


class Unobtainable(RuntimeError):
    """A package could not be fetched or unpacked."""


def tuning(kind: str = PHOTOGRAPH) -> tuple[Picture, ...]:
    """Those a matcher may be tuned on, in an order that never changes."""
    return tuple(picture for picture in pictures(kind) if picture.share < TUNING_SHARE)


def reporting(kind: str = PHOTOGRAPH) -> tuple[Picture, ...]:
    """Those that no tuning has seen: no scene is in both."""
    return tuple(picture for picture in pictures(kind) if picture.share >= TUNING_SHARE)


@cache
def pictures(kind: str = PHOTOGRAPH) -> tuple[Picture, ...]:
    """All of a kind, each once: of those that plain PDQ takes for the same, the largest."""
    found = [picture for picture in _listed() if picture.kind == kind]
    listing = hashlib.sha256("\n".join(picture.name for picture in found).encode()).hexdigest()[:16]
    memo = FOLDER / f"each-once-{listing}.json"
    if not memo.exists():
        memo.parent.mkdir(parents=True, exist_ok=True)
        memo.write_text(json.dumps(_each_once(found)))
    kept = set(json.loads(memo.read_text()))
    return tuple(picture for picture in found if picture.name in kept)


def _each_once(found: list[Picture]) -> list[str]:
    """The names of the largest of each group of duplicates, without those too small to use."""
    seen: list[tuple[int, str, tuple[bytes, ...]]] = []
    for picture in found:
        image = picture.image()
        if min(image.size) < LEAST_SIDE:
            continue
        image.thumbnail((2048, 2048))
        seen.append((image.width * image.height, picture.name, pdq(np.asarray(image)).dihedral()))
    seen.sort(key=lambda entry: (-entry[0], entry[1]))
    kept: list[tuple[str, bytes]] = []
    for _, name, turns in seen:
        if all(distance(turn, other) > MATCH_DISTANCE for _, other in kept for turn in turns):
            kept.append((name, turns[0]))
    return [name for name, _ in kept]


def bundled() -> tuple[Picture, ...]:
    """The photographs that need no package beside scikit-image's wheel."""
    return tuple(picture for picture in _listed((WHEEL,)) if picture.kind == PHOTOGRAPH)


def _listed(packages: Container[str] | None = None) -> Iterator[Picture]:
    for source in SOURCES:
        if packages is not None and source.package not in packages:
            continue
        root = Path(data_dir) if source.package == WHEEL else _unpacked(source.package) / "usr"
        for pattern in source.paths:
            glob, _, wanted = pattern.partition(":")
            for path in sorted(root.glob(glob)):
                if path.suffix != ".rcc":
                    yield _picture(source, path, "")
                    continue
                for inside, content in _resources(path):
                    if re.search(wanted, inside) and content[8:12] == b"WEBP":
                        yield _picture(source, path, inside)


def _picture(source: Source, path: Path, inside: str) -> Picture:
    where = Path(inside or path)
    own = where.parts[-4] if source.package.startswith("plasma") else f"{where.parent.name}/{where.stem}"
    stem = re.sub(r"[^a-z-]", "", own.rpartition("/")[2].lower()).removesuffix("background")
    scene = next((scene for part, scene in SCENES.items() if stem.startswith(part) or part in stem[3:]), stem)
    if where.parent.name == "words_sample":
        scene = next((thing for thing, names in DRAWN_ANEW.items() if where.stem in names), where.stem)
    return Picture(f"{source.package}/{own}", scene or own, source.package, source.licence, source.kind, path, inside)


def _unpacked(package: str) -> Path:
    """The folder of an unpacked package, fetched if it is not there yet."""
    folder = FOLDER / package
    if folder.exists():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="fetch-") as scratch:
        try:
            subprocess.run(["apt-get", "download", "-q", package], cwd=scratch, check=True, capture_output=True)
            (archive,) = Path(scratch).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, Path(scratch) / "x"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            raise Unobtainable(
                f"{package} cannot be fetched. Run `apt-get update` on Debian or Ubuntu and try again, "
                f"or unpack the package into {folder}."
            ) from error
        (Path(scratch) / "x").rename(folder)
    return folder


@cache
def _resources(path: Path) -> tuple[tuple[str, bytes], ...]:
    """(name, content) of each file in a compiled Qt resource (https://doc.qt.io/qt-6/rcc.html, versions 1 to 3)."""
    whole = path.read_bytes()
    version, tree, contents, names = struct.unpack(">4I", whole[4:20])
    node_bytes = 14 if version < 2 else 22

    def walk(number: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = tree + number * node_bytes
        name_at, flags = struct.unpack(">IH", whole[at : at + 6])
        (letters,) = struct.unpack(">H", whole[names + name_at : names + name_at + 2])
        name = whole[names + name_at + 6 : names + name_at + 6 + 2 * letters].decode("utf-16-be") if number else ""
        if flags & 2:  # a folder
            count, first = struct.unpack(">II", whole[at + 6 : at + 14])
            for child in range(first, first + count):
                yield from walk(child, f"{folder}{name}/")
            return
        (content_at,) = struct.unpack(">I", whole[at + 10 : at + 14])
        start = contents + content_at + 4
        content = whole[start : start + struct.unpack(">I", whole[start - 4 : start])[0]]
        yield f"{folder}{name}", zlib.decompress(content[4:]) if flags & 1 else content

    return tuple(walk(0, ""))
