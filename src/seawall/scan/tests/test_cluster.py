"""A real Ray cluster of two nodes on this machine, which loses a worker, a node and a driver on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
import pytest

from seawall.scan.tests.conftest import content, scan, shards
from seawall.scan.tests.test_continue import Ended, marks, started, until_shards

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("ray")


class Nodes:
    """two_nodes.py, and what it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address, self.first, self.second = self._line(), int(self._line()), int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return next(iter(self._process.stdout)).strip()

    def _tell(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def kill_second(self) -> None:
        self._tell("kill")
        psutil.wait_procs([psutil.Process(self.second)], timeout=20)

    def add_second(self) -> None:
        self._tell("add")
        self.second = int(self._line())


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    said = tmp_path_factory.mktemp("cluster") / "stderr"
    with said.open("w") as stderr:
        # Ray gives a node 30 seconds to start, which a busy machine may need twice.
        for _ in range(3):
            with two_nodes(stderr) as process, pytest.MonkeyPatch.context() as patch:
                try:
                    running = Nodes(process)
                except StopIteration:
                    continue
                patch.setenv("RAY_ADDRESS", running.address)
                yield running
                return
    pytest.fail(f"the cluster did not start: {said.read_text()[-2000:]}")


@contextmanager
def two_nodes(stderr: IO[str]) -> Iterator[subprocess.Popen[str]]:
    program = Path(__file__).with_name("two_nodes.py")
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, program], stdin=pipe, stdout=pipe, stderr=stderr, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()  # which ends it


def worker_of(raylet: int, driver: subprocess.Popen[str]) -> psutil.Process:
    """A process that scans a slice on that node at this moment."""
    while True:
        if driver.poll() is not None:
            raise Ended
        for process in psutil.Process(raylet).children(recursive=True):
            try:
                if "scan_slice" in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        time.sleep(0.005)


def test_a_killed_worker_and_a_killed_node_cost_nothing_but_time(
    nodes: Nodes, catalogue: Path, index: Path, scanned: Path, tmp_path: Path
) -> None:
    for attempt in range(4):  # a node whose workers have yet to start may come too late to be killed in mid-scan
        out = tmp_path / f"out{attempt}"
        with suppress(Ended), started(catalogue, index, out, "--engine", "ray") as driver:
            worker_of(nodes.second, driver)
            until_shards(out, 1, driver)
            worker_of(nodes.first, driver).kill()
            worker_of(nodes.second, driver)
            nodes.kill_second()
            assert len(shards(out)) < len(shards(scanned)), "the scan ended before the node did"
            _, told = driver.communicate(timeout=300)
            break
    else:
        pytest.fail("every scan ended before it could be disturbed")
    assert driver.returncode == 3, told
    assert content(out) == content(scanned)
    nodes.add_second()


def test_a_killed_driver_goes_on_without_repeating_a_finished_shard(
    nodes: Nodes, catalogue: Path, index: Path, scanned: Path, tmp_path: Path
) -> None:
    assert psutil.pid_exists(nodes.second)
    with started(catalogue, index, tmp_path / "out", "--engine", "ray") as driver:
        until_shards(tmp_path / "out", 3, driver)
        driver.kill()
        driver.communicate()
    finished = marks(tmp_path / "out")
    assert 3 <= len(finished) < len(shards(scanned))
    told = scan(catalogue, index, tmp_path / "out", "--engine", "ray")
    assert (told.returncode, "in earlier runs" in told.stdout) == (3, True), told.stderr
    assert finished.items() <= marks(tmp_path / "out").items()
    assert content(tmp_path / "out") == content(scanned)


def test_a_cluster_that_does_not_answer_is_said_so(
    catalogue: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    told = scan(catalogue, index, tmp_path / "out", "--engine", "ray")
    assert (told.returncode, "No Ray cluster answers" in told.stderr) == (2, True)
