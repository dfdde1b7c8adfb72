"""A prefix of an S3 bucket, on any server that speaks S3.

What a file's bytes are is checked from end to end: every request carries the SHA-256 of its bytes in its
signature, which the server compares with what arrived, and the ETag in the server's answer is compared with our own
sum. Neither needs the newer additional checksums, which not every server knows (Ceph 16 ignores them).
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from glassline.data.location.base import Entry, Location, NotThereError, checked_name, disk_answers, is_hidden
from glassline.data.location.s3_client import TRANSFER, reader, transfers
from glassline.data.location.s3_parts import send_parts
from glassline.data.location.s3_patience import patiently
from glassline.data.location.s3_zarr import S3ZarrStore
from glassline.data.storage import sha256_file, written_whole
from glassline.errors import StorageError


class S3Prefix(Location):
    """A place in a bucket. It holds names only, so that it travels between processes; clients are kept per process."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """Remember the place.

        Args:
            bucket: Bucket name.
            prefix: Checked, without a slash at its ends; "" for the whole bucket.
        """
        self._bucket, self._prefix = bucket, prefix
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")

    def below(self, name: str) -> "S3Prefix":
        """Return the place `name` under this one, whether or not anything is there."""
        return S3Prefix(self._bucket, self._key(name))

    def entries(self) -> Iterator[Entry]:
        """Yield every file below, sorted by name; names with a hidden part (`.x`) are left out."""
        for page in self._pages():
            for found in page.get("Contents", []):
                name = found["Key"][len(self._start) :]
                if name and not name.endswith("/") and not is_hidden(name):
                    yield Entry(name, found["Size"])

    def folders(self) -> list[str]:
        """Return the names of the direct folders, sorted, without hidden ones."""
        prefixes = [one["Prefix"] for page in self._pages("/") for one in page.get("CommonPrefixes", [])]
        names = [prefix[len(self._start) : -1] for prefix in prefixes]
        return sorted(name for name in names if name and not is_hidden(name))

    def exists(self, name: str) -> bool:
        """Return whether the file `name` is there."""
        return self._head(name) is not None

    def read(self, name: str) -> bytes:
        """Return a file's bytes; a missing one is a StorageError."""
        # Not by obstore: its threads do not outlive a fork, and a forked loader worker would wait for ever.
        place = {"Bucket": self._bucket, "Key": self._key(name)}
        return bytes(patiently(self._url(name), lambda: transfers().get_object(**place)["Body"].read()))

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all, over an older one."""
        self._put(name, content)

    def upload(self, source: Path, name: str) -> None:
        """Copy a local file here, whole or not at all; in parts and in parallel when it is large."""
        with disk_answers(source):
            if source.stat().st_size < TRANSFER.multipart_threshold:
                self._put(name, source.read_bytes())
                return
            answered, expected = send_parts(lambda operation, **given: self._ask(operation, name, **given), source)
            self._check_arrived(name, answered, expected, lambda: sha256_file(source))

    def download(self, name: str, target: Path) -> None:
        """Copy a file to this machine, whole or not at all."""
        with disk_answers(target), written_whole(target) as beside:
            self._ask("download_file", name, Filename=str(beside), Config=TRANSFER)

    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        self._ask("delete_object", name)

    def zarr_store(self, read_only: bool = True) -> S3ZarrStore:
        """Return a Zarr store rooted here."""
        return S3ZarrStore(reader(self._bucket, self._prefix), read_only=read_only)

    @property
    def _start(self) -> str:
        return f"{self._prefix}/" if self._prefix else ""

    def _key(self, name: str) -> str:
        return self._start + checked_name(name)

    def _url(self, name: str) -> str:
        return f"s3://{self._bucket}/{self._key(name)}"

    def _pages(self, delimiter: str = "") -> Iterator[Any]:
        more: dict[str, str] | None = {}
        while more is not None:
            listed = {"Bucket": self._bucket, "Prefix": self._start, "Delimiter": delimiter, **more}
            page = _ask("list_objects_v2", self.url, **listed)
            yield page
            more = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else None

    def _head(self, name: str) -> Any:
        """Return what the server says of an object, None when it is not there."""
        try:
            return self._ask("head_object", name)
        except NotThereError:
            return None

    def _ask(self, operation: str, name: str, **given: Any) -> Any:
        return _ask(operation, self._url(name), Bucket=self._bucket, Key=self._key(name), **given)

    def _put(self, name: str, content: bytes) -> None:
        answered = self._ask("put_object", name, Body=content)["ETag"].strip('"')
        self._check_arrived(name, answered, _md5(content), lambda: hashlib.sha256(content).hexdigest())

    def _check_arrived(self, name: str, answered: str, expected: str, sha256: Callable[[], str]) -> None:
        """Compare what the server answered that it took with what was sent; where they differ, ask for the bytes.

        They differ where ETags are no MD5 (KMS) too. What lies there by now may be another writer's, who put it after
        us: that is whole, and stays.
        """
        if answered == expected:
            return
        etag, stored = self._stored(name)
        if etag != answered or stored == sha256():
            return
        # A server that knows conditions keeps what another writer put since; others ignore the condition.
        self._ask("delete_object", name, IfMatch=f'"{answered}"')
        raise StorageError(
            f"{self._url(name)} must arrive as it was sent, got other bytes, which were removed; upload again, and "
            "have network and server checked"
        )

    def _stored(self, name: str) -> tuple[str, str]:
        """Return ETag and SHA-256 of an object, of one answer."""
        place = {"Bucket": self._bucket, "Key": self._key(name)}

        def ask() -> tuple[str, str]:
            answer = transfers().get_object(**place)
            digest = hashlib.sha256()
            for block in answer["Body"].iter_chunks(1 << 20):
                digest.update(block)
            return answer["ETag"].strip('"'), digest.hexdigest()

        return patiently(self._url(name), ask)


def _ask(operation: str, url: str, **given: Any) -> Any:
    return patiently(url, lambda: getattr(transfers(), operation)(**given))


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
