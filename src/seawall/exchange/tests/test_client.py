"""The client that platforms run today, Meta's `threatexchange`, against a running exchange."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from skimage import data
from skimage.io import imsave
from threatexchange.exchanges.clients.stopncii.api import (
    StopNCIIAPI,
    StopNCIICaseStatus,
    StopNCIICSPFeedbackValue,
    StopNCIIEndpoint,
    StopNCIISignalType,
)

from bench import _clips
from seawall.exchange import operations, queries
from seawall.exchange.tests.conftest import EVERYWHERE, item, send, token, value
from seawall.exchange.wire import Item, Submission
from seawall.hashing import Pdq, fingerprint
from seawall.hashing.videos import Frame, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)

PDQ = StopNCIISignalType.ImagePDQ
TX = Path(sys.executable).with_name("tx")


def now() -> datetime:
    """The live server's clock is the machine's."""
    return datetime.now(UTC)


@pytest.fixture
def keys() -> dict[str, str]:
    return operations.add_partner(name="Meadow", slugs=["facebook"], now=now() - timedelta(hours=6))


@pytest.fixture
def client(live_server: LiveServer, keys: dict[str, str]) -> Any:
    return StopNCIIAPI(
        subscription_key=keys["subscription"],
        fetch_function_key=keys["fetch"],
        additional_function_keys={
            StopNCIIEndpoint.SubmitHashes: keys["submit"],
            StopNCIIEndpoint.SubmitFeedback: keys["feedback"],
        },
        base_url_override=f"{live_server.url}/v1",
    )


def everything(client: Any, start: int = 10) -> dict[str, Any]:
    return {record.hashValue: record for page in client.fetch_hashes_iter(start) for record in page.hashRecords}


def test_it_fetches_the_whole_bank_page_by_page(client: Any) -> None:
    sent = {value(number).hex() for number in range(1700)}
    send(*range(1700), now=now())
    pages = list(client.fetch_hashes_iter())
    assert [page.count for page in pages] == [800, 800, 100]
    records = [record for page in pages for record in page.hashRecords]
    assert {record.hashValue for record in records} == sent
    assert len(records) == 1700
    assert {(r.signalType, r.hashStatus) for r in records} == {(PDQ, StopNCIICaseStatus.Active)}
    assert all(record.lastModtimestamp % 3600 == 0 and record.caseNumbers == {} for record in records)


def test_it_goes_on_after_it_was_cut_off_midway_and_misses_nothing(client: Any) -> None:
    for ago in range(4, 0, -1):
        send(*range(ago * 1000, ago * 1000 + 300), now=now() - timedelta(hours=ago))
    pages = client.fetch_hashes_iter()
    first = next(pages)
    held = {record.hashValue for record in first.hashRecords}
    assert len(held) == 800
    del pages  # the client keeps only this, never the page token
    checkpoint = first.nextSetTimestamp
    send(9000, now=now())
    rest = everything(client, checkpoint)
    assert len(rest) < 1201, "it goes on from the checkpoint, not from the start"
    assert held | rest.keys() == {value(n).hex() for a in range(1, 5) for n in range(a * 1000, a * 1000 + 300)} | {
        value(9000).hex()
    }


def test_its_checkpoint_never_goes_back(client: Any) -> None:
    send(1, 2, now=now() - timedelta(hours=2))
    checkpoint = 10
    for _ in range(3):
        page = client.fetch_hashes(start_timestamp=checkpoint)
        assert page.nextSetTimestamp >= checkpoint
        checkpoint = page.nextSetTimestamp


def test_what_was_withdrawn_is_absent_from_a_full_fetch_and_a_tombstone_in_the_next(client: Any) -> None:
    send(1, 2, now=now())
    checkpoint = client.fetch_hashes().nextSetTimestamp
    operations.withdraw(token=token(1), now=now())
    assert everything(client).keys() == {value(2).hex()}
    assert everything(client, checkpoint)[value(1).hex()].hashStatus == StopNCIICaseStatus.Withdrawn


def test_what_it_submits_is_shared_and_alters_nobodys_entry(client: Any) -> None:
    send(1, now=now())
    client.submit_hash(PDQ, value(1).hex(), {"seen"})
    client.submit_hash(PDQ, value(7).hex())
    held = everything(client)
    assert held.keys() == {value(1).hex(), value(7).hex()}
    assert [said.source for said in held[value(7).hex()].CSPFeedbacks] == ["Meadow"]
    operations.withdraw(token=token(1), now=now())
    assert queries.status(token=token(1), now=now()).state != "active"


def test_its_feedback_reaches_the_persons_receipt(client: Any) -> None:
    send(1, now=now())
    everything(client)
    client.submit_feedback(PDQ, value(1).hex(), StopNCIICSPFeedbackValue.Blocked, {"nudity"})
    (platform,) = queries.status(token=token(1), now=now()).platforms
    assert (platform.state, platform.blocked) == ("blocked", 1)
    (said,) = everything(client)[value(1).hex()].CSPFeedbacks
    assert (said.source, said.feedbackValue, said.tags) == ("Meadow", StopNCIICSPFeedbackValue.Blocked, {"nudity"})


def stock_command(live_server: LiveServer, keys: dict[str, str], folder: Path) -> Callable[..., str]:
    """`tx` in a folder of its own, set up to fetch from here; answers what it printed."""
    environment = {
        **os.environ,
        "TX_STATEDIR": str(folder / "tx"),
        "TX_STOPNCII_KEYS": f"{keys['fetch']},{keys['subscription']},{live_server.url}/v1",
    }
    (folder / "tx").mkdir()

    def tx(*words: str) -> str:
        done = subprocess.run([TX, *words], env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    tx("config", "collab", "edit", "stop_ncii", "--create", "LOCAL")
    return tx


def of_type(client: Any, kind: StopNCIISignalType, start: int = 10) -> set[str]:
    return {
        record.hashValue
        for page in client.fetch_hashes_iter(start)
        for record in page.hashRecords
        if record.signalType == kind
    }


def test_it_gets_a_video_by_its_md5_and_its_frames_only_once_its_operator_asked(client: Any) -> None:
    frames = tuple(Frame(1000 * n, Pdq(value(n), 90)) for n in range(6))
    h, md5 = hashlib.sha256(token(1)).digest(), bytes(range(16))
    video = Item(h, "video", "vpdq1", pack(frames), 90, md5=md5, sha256=value(99))
    operations.submit(submission=Submission(EVERYWHERE, (video,)), now=now())
    assert of_type(client, StopNCIISignalType.VideoMD5) == {md5.hex()}
    assert of_type(client, PDQ) == set()

    operations.give_frames(name="Meadow", on=True)
    assert of_type(client, PDQ) == {frame.pdq.hex for frame in frames}

    def said() -> str:
        return queries.status(token=token(1), now=now()).platforms[0].state

    client.submit_feedback(StopNCIISignalType.VideoMD5, md5.hex(), StopNCIICSPFeedbackValue.PendingReview)
    assert said() == "matched"
    client.submit_feedback(PDQ, frames[2].pdq.hex, StopNCIICSPFeedbackValue.Blocked)
    assert said() == "blocked"

    operations.withdraw(token=token(1), now=now())
    assert everything(client) == {}


def test_the_stock_command_matches_a_frame_of_a_video_and_the_very_file(
    live_server: LiveServer, keys: dict[str, str], tmp_path: Path
) -> None:
    shown = list(_clips.panned(73, 60))
    clip, frame = _clips.write(tmp_path / "clip.mp4", shown), tmp_path / "frame.png"
    imsave(frame, shown[30])
    made = fingerprint(clip)
    h, best = hashlib.sha256(token(1)).digest(), max(each.pdq.quality for each in made.frames)
    digests = {"md5": bytes.fromhex(made.md5), "sha256": bytes.fromhex(made.sha256)}
    video = Item(h, "video", "vpdq1", pack(made.frames), best, **digests)
    operations.submit(submission=Submission(EVERYWHERE, (video,)), now=now())
    operations.give_frames(name="Meadow", on=True)
    tx = stock_command(live_server, keys, tmp_path)
    tx("fetch")
    assert "pdq" in tx("match", "photo", str(frame))
    assert "video_md5" in tx("match", "video", str(clip))


def test_the_stock_command_fetches_and_matches_a_photo(
    live_server: LiveServer, keys: dict[str, str], tmp_path: Path
) -> None:
    known, unknown = tmp_path / "known.png", tmp_path / "unknown.png"
    imsave(known, data.chelsea())  # type: ignore[no-untyped-call]
    imsave(unknown, data.coffee())  # type: ignore[no-untyped-call]
    of_the_cat = fingerprint(known.read_bytes()).pdq
    plain = item(1)
    submission = Submission(EVERYWHERE, (Item(plain.h, "image", "pdq1", of_the_cat.bits, of_the_cat.quality),))
    operations.submit(submission=submission, now=now())
    send(*range(100, 150), now=now())  # its index forgets a lone fingerprint when it is saved

    tx = stock_command(live_server, keys, tmp_path)
    tx("fetch")
    assert of_the_cat.hex in tx("dataset", "-P")
    assert "pdq" in tx("match", "photo", str(known))
    assert tx("match", "photo", str(unknown)) == ""
