"""A scan that is interrupted goes on; one that would mix two things refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import psutil
from PIL import Image

from seawall.matching import HashIndex
from seawall.scan.tests.conftest import answers, command, content, scan, shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def started(catalogue: Path, index: Path, out: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    words = command(catalogue, index, out, *more)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as driver:
        try:
            yield driver
        finally:
            driver.kill()


class Ended(AssertionError):
    """The scan ended before it could be disturbed."""


def until_shards(out: Path, count: int, driver: subprocess.Popen[str]) -> None:
    while len(shards(out)) < count:
        if driver.poll() is not None:
            raise Ended
        time.sleep(0.005)


def marks(out: Path) -> dict[str, tuple[int, int]]:
    """Which file on the disk each finished shard is: one that is written again is another."""
    return {shard.name: (shard.stat().st_ino, shard.stat().st_mtime_ns) for shard in shards(out)}


def test_a_killed_driver_goes_on_without_repeating_a_finished_shard(
    catalogue: Path, index: Path, scanned: Path, tmp_path: Path
) -> None:
    with started(catalogue, index, tmp_path / "out") as driver:
        until_shards(tmp_path / "out", 3, driver)
        family = psutil.Process(driver.pid).children(recursive=True)
        driver.kill()
        driver.communicate()
    finished = marks(tmp_path / "out")
    assert 3 <= len(finished) < len(shards(scanned))
    gone, left = psutil.wait_procs(family, timeout=20)
    assert gone
    assert not left, "its workers outlive a killed driver"
    told = scan(catalogue, index, tmp_path / "out")
    assert "in earlier runs" in told.stdout
    assert finished.items() <= marks(tmp_path / "out").items()
    assert content(tmp_path / "out") == content(scanned)
    # and once more: nothing is left to do
    finished = marks(tmp_path / "out")
    assert scan(catalogue, index, tmp_path / "out").returncode == 3
    assert marks(tmp_path / "out") == finished


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(catalogue: Path, index: Path, tmp_path: Path) -> None:
    with started(catalogue, index, tmp_path / "out") as driver:
        until_shards(tmp_path / "out", 1, driver)
        driver.send_signal(signal.SIGINT)
        _, told = driver.communicate(timeout=60)
    assert (driver.returncode, "Traceback" in told) == (130, False)
    assert "The same command goes on" in told


def test_a_killed_worker_costs_nothing_but_time(catalogue: Path, index: Path, scanned: Path, tmp_path: Path) -> None:
    with started(catalogue, index, tmp_path / "out") as driver:
        until_shards(tmp_path / "out", 1, driver)
        worker = next(workers(driver))
        worker.kill()
        driver.communicate(timeout=120)
    assert driver.returncode == 3
    assert content(tmp_path / "out") == content(scanned)


def workers(driver: subprocess.Popen[str]) -> Iterator[psutil.Process]:
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            if "spawn_main" in " ".join(process.cmdline()):
                yield process
        except psutil.Error:
            continue


def test_a_picture_no_worker_survives_is_named_and_the_others_are_answered(
    catalogue: Path, index: Path, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(10):
        (tmp_path / f"photos/{number}.jpg").symlink_to(catalogue / f"coff/{number:03}.jpg")
    Image.new("RGB", (10_900, 10_900)).save(tmp_path / "photos/4 too much.png")
    with started(tmp_path / "photos", index, tmp_path / "out") as driver:
        killed = 0
        while driver.poll() is None:  # what a machine short of memory does: end whoever takes much
            for process in workers(driver):
                try:
                    if process.memory_info().rss > 300 << 20:
                        process.kill()
                        killed += 1
                except psutil.Error:
                    continue
            time.sleep(0.01)
        _, told = driver.communicate()
    found = answers(tmp_path / "out")
    bad = found.pop("4 too much.png")
    assert killed >= 3, told
    assert "ended the program" in str(bad["error"])
    assert {row["verdict"] for row in found.values()} == {"match"}
    assert len(found) == 10


def test_it_refuses_another_index(changed: Callable[[], Path], tmp_path: Path) -> None:
    changed()
    before = content(tmp_path / "out")
    HashIndex.build(np.zeros((1, 32), np.uint8), np.array([1], np.uint64)).save(tmp_path / "other.index")
    told = scan(tmp_path / "photos", tmp_path / "other.index", tmp_path / "out")
    assert (told.returncode, "another index" in told.stderr) == (2, True)
    assert content(tmp_path / "out") == before


def test_it_refuses_another_folder(changed: Callable[[], Path], catalogue: Path, index: Path, tmp_path: Path) -> None:
    changed()
    told = scan(catalogue, index, tmp_path / "out")
    assert (told.returncode, "holds a scan of" in told.stderr) == (2, True)


def test_it_refuses_a_folder_that_changed_and_goes_on_if_told_to(
    changed: Callable[[], Path], index: Path, tmp_path: Path
) -> None:
    changed()
    before = content(tmp_path / "out")
    (tmp_path / "photos/new.txt").touch()
    told = scan(tmp_path / "photos", index, tmp_path / "out")
    assert (told.returncode, "2 then, 3 now" in told.stderr) == (2, True)
    shards(tmp_path / "out")[0].unlink()
    told = scan(tmp_path / "photos", index, tmp_path / "out", "--as-listed")
    assert (told.returncode, told.stdout[:8]) == (3, "2 files:")
    assert content(tmp_path / "out") == before


def test_it_refuses_a_picture_that_changed_under_the_same_name_and_size(
    changed: Callable[[], Path], index: Path, tmp_path: Path
) -> None:
    changed()
    os.utime(tmp_path / "photos/coffee.png", (1, 1))
    told = scan(tmp_path / "photos", index, tmp_path / "out")
    assert (told.returncode, "or some have changed" in told.stderr) == (2, True)


def test_a_file_that_grew_or_went_since_the_listing_is_listed_so(
    changed: Callable[[], Path], index: Path, tmp_path: Path
) -> None:
    changed()
    shards(tmp_path / "out")[0].unlink()
    with (tmp_path / "photos/coffee.png").open("ab") as file:
        file.write(b"more")
    (tmp_path / "photos/rocket.jpg").unlink()
    told = scan(tmp_path / "photos", index, tmp_path / "out", "--as-listed")
    assert told.returncode == 1
    errors = [str(row["error"]) for row in answers(tmp_path / "out").values()]
    assert "changed while" in errors[0]
    assert "No such file" in errors[1]


def test_it_refuses_a_folder_with_other_things_in_it(catalogue: Path, index: Path) -> None:
    told = scan(catalogue, index, index.parent)
    assert (told.returncode, "Choose an empty folder" in told.stderr) == (2, True)
    assert not (index.parent / "shards").exists()


def test_it_refuses_a_folder_that_it_would_scan_itself(catalogue: Path, index: Path) -> None:
    told = scan(catalogue, index, catalogue / "coff/out")
    assert (told.returncode, "lies within" in told.stderr) == (2, True)
    assert not (catalogue / "coff/out").exists()


def test_it_refuses_a_second_run_beside_the_first(catalogue: Path, index: Path, tmp_path: Path) -> None:
    with started(catalogue, index, tmp_path / "out") as driver:
        until_shards(tmp_path / "out", 1, driver)
        told = scan(catalogue, index, tmp_path / "out")
        assert driver.poll() is None
        driver.kill()
        driver.communicate()
    assert (told.returncode, "Another scan is writing" in told.stderr) == (2, True)


def test_the_half_of_a_shard_that_a_power_cut_left_is_no_shard(
    changed: Callable[[], Path], index: Path, tmp_path: Path
) -> None:
    changed()
    whole = shards(tmp_path / "out")[0]
    half = whole.with_name(f".{whole.name}.half")
    half.write_bytes(whole.read_bytes()[:100])
    before = content(tmp_path / "out")
    whole.unlink()
    assert scan(tmp_path / "photos", index, tmp_path / "out").returncode == 3
    assert content(tmp_path / "out") == before
    assert not half.exists()
