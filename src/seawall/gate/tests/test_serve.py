"""Starting, stopping and refusing to start."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from seawall.gate import config
from seawall.gate.config import BadSetting, Config
from seawall.gate.tests.conftest import CHECK_KEY, GateProcess, fingerprint_of, jpeg, photo, running, served, until
from seawall.gate.tests.exchange import KEY, ListExchange

if TYPE_CHECKING:
    from collections.abc import Iterator

CAT = photo("chelsea.png")


def read(folder: Path, environ: dict[str, str] | None = None, **changed: Any) -> Config:
    told: dict[str, Any] = {
        "feed": "https://exchange.example/api",
        "key": KEY,
        "check_key": None,
        "data": folder / "data",
        "host": "127.0.0.1",
        "port": 5100,
        "environ": environ or {},
    }
    return config.read(**told | changed)


def test_it_makes_a_key_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    assert re.fullmatch("[0-9a-f]{64}", first.check_key)  # never taken for an option, whatever is drawn
    assert first.check_key == second.check_key
    assert stat.S_IMODE((tmp_path / "data/check.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert read(tmp_path, {"SEAWALL_GATE_KEY": CHECK_KEY}).check_key == CHECK_KEY


@pytest.mark.parametrize(
    ("changed", "environ", "said"),
    [
        ({"host": "0.0.0.0"}, {}, "SEAWALL_BEHIND_PROXY=1"),
        ({"feed": "http://exchange.example/api"}, {}, "unencrypted"),
        ({"feed": "exchange.example/api"}, {}, "not a web address"),
        ({"feed": "ftp://exchange.example/"}, {}, "not a web address"),
        ({"feed": "http://[::1/api"}, {}, "not a web address"),
        ({"port": 0}, {}, "--port"),
        ({"key": None}, {}, "--key"),
        ({"key": "short"}, {}, "--key"),
        ({"check_key": "with a space in the middle"}, {}, "--check-key"),
        ({}, {"SEAWALL_GATE_KEY": "sixteen-or-more-ä"}, "SEAWALL_GATE_KEY"),
        ({}, {"SEAWALL_GATE_POLL_SECONDS": "soon"}, "SEAWALL_GATE_POLL_SECONDS"),
        ({}, {"SEAWALL_GATE_POLL_SECONDS": "0"}, "SEAWALL_GATE_POLL_SECONDS"),
        ({}, {"SEAWALL_GATE_POLL_SECONDS": "nan"}, "SEAWALL_GATE_POLL_SECONDS"),
        ({}, {"SEAWALL_GATE_MAX_BYTES": "-1"}, "SEAWALL_GATE_MAX_BYTES"),
        ({}, {"SEAWALL_GATE_LOOKS": "ALL"}, "SEAWALL_GATE_LOOKS"),
        ({}, {"SEAWALL_BEHIND_PROXY": "yes"}, "SEAWALL_BEHIND_PROXY"),
    ],
)
def test_it_refuses_a_setting_it_cannot_use_with_the_next_step(
    tmp_path: Path, changed: dict[str, Any], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(BadSetting, match=said):
        read(tmp_path, environ, **changed)


@pytest.mark.parametrize(
    ("changed", "environ"),
    [
        ({"host": "0.0.0.0"}, {"SEAWALL_BEHIND_PROXY": "1"}),
        ({"host": "::1", "feed": "http://localhost:8000/api"}, {}),
        ({"key": None}, {"SEAWALL_GATE_FEED_KEY": KEY}),
    ],
)
def test_it_takes_what_is_safe(tmp_path: Path, changed: dict[str, Any], environ: dict[str, str]) -> None:
    assert read(tmp_path, environ, **changed).feed_key == KEY


def gate_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "gate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_second_gate_in_the_same_folder_is_refused(exchange: ListExchange, tmp_path: Path) -> None:
    with running(exchange, tmp_path / "gate") as gate:
        told = gate_command("serve", "--feed", gate.feed, "--key", KEY, "--data", str(gate.folder), "--port", "1")
    assert told.returncode == 2
    assert "Another gate uses" in told.stderr


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = gate_command(
            "serve", "--feed", "http://localhost/api", "--key", KEY, "--data", str(tmp_path / "gate"), "--port", port
        )
    assert told.returncode == 2
    assert f"port {port}" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("verb", ["serve", "check"])
def test_a_damaged_copy_is_said_so_with_the_next_step(tmp_path: Path, verb: str) -> None:
    (tmp_path / "gate.sqlite3").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    arguments = ["--feed", "http://localhost/api", "--key", KEY] if verb == "serve" else ["picture.jpg"]
    told = gate_command(verb, *arguments, "--data", str(tmp_path))
    assert told.returncode == 2
    assert "it fetches the bank anew" in told.stderr
    assert "Traceback" not in told.stderr


def test_it_stops_when_told_and_goes_on_where_it_was(exchange: ListExchange, tmp_path: Path) -> None:
    exchange.submit(1, {1: fingerprint_of(CAT)})
    with running(exchange, tmp_path / "gate") as gate:
        assert gate.stop() == 0
        asked = len(exchange.asked)
        exchange.submit(2, {2: fingerprint_of(CAT)})
        gate.start()
        until(lambda: len(gate.matches(jpeg(CAT))) == 2)
        assert exchange.asked[asked] == "1.1.0"
        assert len({name for name, _ in exchange.acknowledged}) == 1


def test_it_checks_from_its_copy_while_the_exchange_is_away_from_the_start(
    exchange: ListExchange, tmp_path: Path
) -> None:
    exchange.submit(1, {1: fingerprint_of(CAT)})
    with running(exchange, tmp_path / "gate") as gate:
        gate.kill()
        gate.feed = "http://127.0.0.1:9/api"
        gate.start()
        assert gate.matches(jpeg(CAT))
        until(lambda: "cannot be reached" in (gate.detail()["problem"] or ""))


def test_before_its_first_list_it_says_so_instead_of_free(exchange: ListExchange, tmp_path: Path) -> None:
    with running(exchange, tmp_path / "first") as gate:
        gate.kill()
        gate.folder, gate.feed = tmp_path / "second", "http://127.0.0.1:9/api"
        gate.start(wait=False)
        until(lambda: gate.status() == "INDEX-NOT-LOADED\nThe reason is under /status/detail.")
        assert gate.http.get("/status").status_code == 503
        answer = gate.check(jpeg(CAT))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_gate_whose_key_is_refused_points_to_where_it_says_so(exchange: ListExchange, tmp_path: Path) -> None:
    with served(exchange) as feed:
        gate = GateProcess(tmp_path / "gate", feed)
        gate.start(wait=False, key="key-that-nobody-gave-out")
        try:
            until(lambda: gate.status().endswith("\nThe reason is under /status/detail."))
            assert "refuses our key" in gate.detail()["problem"]
            assert "refuses" not in gate.status()  # the reason is the operator's
        finally:
            gate.kill()


def test_a_crash_of_the_follower_ends_the_gate_so_that_it_is_started_again(
    exchange: ListExchange, tmp_path: Path
) -> None:
    """A gate that answers and no longer follows would look well."""
    with running(exchange, tmp_path / "gate") as gate:
        db = sqlite3.connect(gate.folder / "gate.sqlite3", isolation_level=None)
        db.execute("DELETE FROM state")
        db.close()
        assert gate.process.wait(timeout=20) == 1
        assert any(line["event"] == "gate crashed" for line in gate.lines())


def test_it_loads_no_django(tmp_path: Path) -> None:
    script = (
        "import sys; from seawall.cli import main\n"
        "try: main(['gate', 'serve', '--feed', 'x', '--key', 'y', '--data', sys.argv[1]])\n"
        "finally: import seawall.gate.server; assert not [n for n in sys.modules if n.split('.')[0] == 'django']"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "gate")], check=True, capture_output=True)


def test_check_asks_a_running_gates_copy_and_reports_nothing(exchange: ListExchange, tmp_path: Path) -> None:
    exchange.submit(2**63 - 1, {1: fingerprint_of(CAT)})
    for name, content in {"cat.jpg": jpeg(CAT, 30), "rocket.jpg": jpeg(photo("rocket.jpg")), "text.jpg": b"x"}.items():
        (tmp_path / name).write_bytes(content)
    cat, rocket, text = (str(tmp_path / name) for name in ("cat.jpg", "rocket.jpg", "text.jpg"))
    with running(exchange, tmp_path / "gate") as gate:
        data = ("--data", str(gate.folder))
        match = gate_command("check", cat, text, rocket, *data)
        assert (match.returncode, match.stderr.count("\n")) == (3, 1)
        assert match.stdout.startswith(f"{cat}: match, entry {2**63 - 1}, distance ")
        assert match.stdout.endswith(f"{rocket}: free\n")
        assert gate_command("check", rocket, *data).returncode == 0
        assert gate_command("check", text, rocket, *data).returncode == 1
        assert gate.stop() == 0
        assert gate_command("check", cat, *data).returncode == 3
    assert exchange.counted == {}


def test_check_without_a_gates_folder_says_what_to_give(tmp_path: Path) -> None:
    told = gate_command("check", "x.jpg", "--data", str(tmp_path))
    assert (told.returncode, told.stdout) == (2, "")
    assert "--data" in told.stderr


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    with running(ListExchange(), tmp_path_factory.mktemp("gate") / "data") as gate:
        yield gate


DESCRIPTION = schemathesis.openapi.from_dict(json.loads((Path(config.__file__).parent / "openapi.json").read_text()))


@DESCRIPTION.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_its_openapi_tells_the_truth(case: schemathesis.Case[Any], gate: GateProcess) -> None:
    # No schema says what a readable picture is, so that a made-up one may be refused.
    picture = case.media_type == "multipart/form-data"
    case.call_and_validate(
        base_url=str(gate.http.base_url),
        headers={"Authorization": f"Bearer {CHECK_KEY}"},
        excluded_checks=[positive_data_acceptance] if picture else [],
    )
