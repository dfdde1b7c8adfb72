"""A local folder and an S3 prefix behind one interface; everything after the rig reads through it.

Zarr reads by way of obstore, files move by way of boto3. Credentials, region and endpoint come from
the environment only (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
"""

import re
from pathlib import Path

from glassline.data.location.base import Entry, Location, checked_name
from glassline.data.location.local import LocalFolder
from glassline.errors import SettingsError, StorageError

__all__ = ["Entry", "Location", "open_location"]

_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://(.*)$", re.DOTALL)


def open_location(url: str | Path) -> Location:
    """Return the place that a URL or a folder names; nothing is made or contacted yet.

    Args:
        url: `s3://bucket/prefix`, or a folder.

    Raises:
        SettingsError: Another scheme, an empty bucket, a prefix with `..`, or user and password in the URL.
    """
    found = _SCHEME.match(str(url))
    if not found:
        if "\0" in str(url):
            raise SettingsError(f"a folder's name must have no zero byte, got {str(url)!r}; mend it")
        return LocalFolder(Path(url).resolve())
    if found[1].lower() != "s3":
        raise SettingsError(
            f"a place of storage must be a folder or s3://bucket/prefix, got {found[1]}://; give one of these"
        )
    from glassline.data.location.s3 import S3Prefix  # boto3 and obstore are for those who use them

    bucket, _, prefix = found[2].partition("/")
    prefix = prefix.rstrip("/")
    if not _BUCKET.match(bucket):
        raise SettingsError(
            f"an S3 URL must be s3://bucket/prefix with a bucket of 3 to 63 small letters, digits, dots and dashes, "
            f"got the bucket {bucket.rpartition('@')[2]!r}; keys belong into the environment"
        )
    try:
        return S3Prefix(bucket, checked_name(prefix) if prefix else "")
    except StorageError as error:
        raise SettingsError(str(error)) from None
