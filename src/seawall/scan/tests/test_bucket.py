"""A bucket is scanned as a folder is: s3fs against an S3 server of moto's, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from seawall.scan import listing
from seawall.scan.tests.conftest import answers, scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# threads and sockets of moto and botocore, which they leave to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3FileSystem]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        files = S3FileSystem()
        files.call_s3("create_bucket", Bucket="pictures")
        yield files
    server.stop()


def put(files: S3FileSystem, key: str, content: bytes = b"") -> None:
    files.call_s3("put_object", Bucket="pictures", Key=key, Body=content)


def test_it_answers_as_for_a_folder(bucket: S3FileSystem, catalogue: Path, index: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("coff/000.jpg", "rock/001.jpg", "astr/002.jpg", "text.jpg", "half.jpg", "empty.png", "plain.png"):
        (tmp_path / "photos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes((catalogue / name).read_bytes())
        put(bucket, f"photos/{name}", (catalogue / name).read_bytes())
    put(bucket, "photos/a folder/")
    put(bucket, "photos2/other.jpg")
    assert scan(tmp_path / "photos", index, tmp_path / "local").returncode == 3
    told = scan("s3://pictures/photos", index, tmp_path / "remote")
    assert told.returncode == 3, told.stderr
    assert answers(tmp_path / "remote") == answers(tmp_path / "local")
    assert len(answers(tmp_path / "remote")) == 7


def test_a_picture_that_changed_under_the_same_name_is_noticed(
    bucket: S3FileSystem, catalogue: Path, index: Path, tmp_path: Path
) -> None:
    put(bucket, "changing/x.jpg", (catalogue / "coff/000.jpg").read_bytes())
    assert scan("s3://pictures/changing", index, tmp_path / "out").returncode == 3
    put(bucket, "changing/x.jpg", bytes((catalogue / "coff/000.jpg").stat().st_size))
    told = scan("s3://pictures/changing", index, tmp_path / "out")
    assert (told.returncode, "or some have changed" in told.stderr) == (2, True)


def test_a_listing_goes_on_after_a_thousand_keys(bucket: S3FileSystem) -> None:
    names = [f"{number:04}{end}" for number in range(501) for end in (".jpg", "/é.jpg")]
    for name in names:
        put(bucket, f"many/{name}")
    found = [entry.path for entry in listing.list_files(listing.place("s3://pictures/many"))]
    assert found == sorted(names, key=str.encode)


@pytest.mark.parametrize("source", ["s3://pictures/nothing-here", "s3://no-such-bucket/photos"])
@pytest.mark.usefixtures("bucket")
def test_a_folder_that_is_not_there_is_said_so(index: Path, tmp_path: Path, source: str) -> None:
    told = scan(source, index, tmp_path / "out")
    assert (told.returncode, told.stdout, "Traceback" in told.stderr) == (2, "", False)
    assert "Check its name" in told.stderr
