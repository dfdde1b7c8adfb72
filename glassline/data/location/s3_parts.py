"""Sending a large file to S3 in parts, each a request of its own that is asked for again by itself.

boto3's `upload_file` keeps the server's last answer to itself, and what an object is asked for later may be another
writer's. The answer holds the ETag of what was put together, which is compared with our own sum.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from glassline.data.location.base import NotThereError
from glassline.data.location.s3_client import TRANSFER
from glassline.errors import StorageError

Ask = Callable[..., Any]

#: The most that S3 takes of one object.
_PARTS = 10_000


def send_parts(ask: Ask, source: Path) -> tuple[str, str]:
    """Send a file, some parts at once; on an error nothing of it is there.

    Args:
        ask: Asks the server for an operation on the object, by name and what it is given.
        source: Local file, not empty.

    Returns:
        The ETag that the server answered, and the one that it answers where ETags are MD5 sums.

    Raises:
        StorageError: The server refused, or did not answer.
    """
    size_bytes = source.stat().st_size
    part_bytes = max(TRANSFER.multipart_chunksize, -(-size_bytes // _PARTS))
    upload = {"UploadId": ask("create_multipart_upload")["UploadId"]}

    def send(start: int) -> tuple[str, bytes]:
        with open(source, "rb") as stream:
            stream.seek(start)
            part = stream.read(part_bytes)
        answer = ask("upload_part", PartNumber=start // part_bytes + 1, Body=part, **upload)
        return answer["ETag"], _md5(part)

    try:
        with ThreadPoolExecutor(TRANSFER.max_concurrency) as pool:
            sent = list(pool.map(send, range(0, size_bytes, part_bytes)))
        expected = f"{hashlib.md5(b''.join(md5 for _, md5 in sent), usedforsecurity=False).hexdigest()}-{len(sent)}"
        return _put_together(ask, upload, [etag for etag, _ in sent], expected), expected
    except BaseException:
        with suppress(StorageError):
            ask("abort_multipart_upload", **upload)
        raise


def _put_together(ask: Ask, upload: dict[str, str], etags: Iterable[str], expected: str) -> str:
    """Return the ETag of the whole."""
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    try:
        return str(ask("complete_multipart_upload", MultipartUpload={"Parts": parts}, **upload)["ETag"]).strip('"')
    except NotThereError:  # it was done, the answer got lost, and it was asked for again
        if ask("head_object")["ETag"].strip('"') == expected:
            return expected
        raise


def _md5(part: bytes) -> bytes:
    return hashlib.md5(part, usedforsecurity=False).digest()
