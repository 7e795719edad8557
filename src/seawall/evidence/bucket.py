"""Sealed files in an S3 bucket, by django-storages. It needs `seawall[s3]`; only SEAWALL_BLOBS imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]

from seawall.evidence.storage import pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class Bucket(S3Storage):  # type: ignore[misc]  # it has no types
    """An S3 bucket. Address and credentials come from the environment, as boto3 reads them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(file_overwrite=True, use_threads=False, querystring_auth=False, **settings)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of an object.

        :raises FileNotFoundError: it is not there; at once
        """
        try:
            body = self.bucket.Object(self._normalize_name(name)).get()["Body"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - not found
                raise FileNotFoundError(name) from error
            raise
        return pieces_of(body)

    def files(self) -> Iterator[tuple[str, datetime]]:
        """Every object's name, and when it was put there."""
        prefix = f"{self.location}/" if self.location else ""
        for each in self.bucket.objects.filter(Prefix=prefix):
            yield each.key.removeprefix(prefix), each.last_modified
