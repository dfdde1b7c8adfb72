"""A local folder and an S3 prefix behind one interface; everything after the rig reads through it.

Zarr reads by way of obstore, files move by way of boto3. Credentials, region and endpoint come from
the environment only (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
"""

import re
from pathlib import Path

from glassline.data.location.base import Entry, Location
from glassline.data.location.local import LocalFolder
from glassline.errors import SettingsError

__all__ = ["Entry", "Location", "open_location"]

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
    raise NotImplementedError
