"""Where steps keep what they make, a folder or an S3 prefix: shards, checkpoints, whatever is not made twice.

`glassline.data.location` moves files. A store adds local paths of them, for those who read by path, and folders that
are there whole or not at all. Images of a table are read through it too.
"""

from pathlib import Path

from glassline.data.location import open_location
from glassline.data.store.base import Store
from glassline.data.store.fetched import check_unchanged, fetched, is_file, place_hash
from glassline.data.store.local import LocalStore

__all__ = ["Store", "check_unchanged", "fetched", "is_file", "open_store", "place_hash"]


def open_store(url: str | Path) -> Store:
    """Return the store that a folder or `s3://bucket/prefix` names; nothing is made or contacted yet.

    Raises:
        SettingsError: The URL breaks a rule, see `open_location`.
    """
    if "://" not in str(url):
        return LocalStore(Path(url).absolute())
    from glassline.data.store.remote import S3Store

    return S3Store(open_location(url))
