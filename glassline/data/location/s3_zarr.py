"""A Zarr store in S3 that speaks of trouble in one line: zarr's own over obstore."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from zarr.storage import ObjectStore

from glassline.data.location.s3_patience import patiently_awaited

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


class S3ZarrStore(ObjectStore[Any]):
    """Reads and writes Zarr's keys below a prefix; every error of the server is a StorageError."""

    async def get(
        self, key: str, prototype: "BufferPrototype", byte_range: "ByteRequest | None" = None
    ) -> "Buffer | None":
        """Return the bytes of a key, None when it is not there."""
        ask = super().get
        return await patiently_awaited(self._url(key), lambda: ask(key, prototype, byte_range))

    async def get_partial_values(
        self, prototype: "BufferPrototype", key_ranges: "Iterable[tuple[str, ByteRequest | None]]"
    ) -> "list[Buffer | None]":
        """Return the bytes of ranges of keys."""
        ask = super().get_partial_values
        return await patiently_awaited(self._url(""), lambda: ask(prototype, key_ranges))

    async def exists(self, key: str) -> bool:
        """Return whether a key is there."""
        ask = super().exists
        return await patiently_awaited(self._url(key), lambda: ask(key))

    async def set(self, key: str, value: "Buffer") -> None:
        """Write a key."""
        ask = super().set
        await patiently_awaited(self._url(key), lambda: ask(key, value))

    async def delete(self, key: str) -> None:
        """Delete a key; a missing one is no error."""
        ask = super().delete
        await patiently_awaited(self._url(key), lambda: ask(key))

    async def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:  # type: ignore[override]
        """Yield what lies directly below a prefix."""
        ask = super().list_dir
        for name in await patiently_awaited(self._url(prefix), lambda: _all(ask(prefix))):
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:  # type: ignore[override]
        """Yield every key below a prefix."""
        ask = super().list_prefix
        for name in await patiently_awaited(self._url(prefix), lambda: _all(ask(prefix))):
            yield name

    def _url(self, key: str) -> str:
        config = self.store.config
        return "/".join(filter(None, [f"s3://{config.get('bucket')}", self.store.prefix, key]))


async def _all(names: AsyncIterator[str]) -> list[str]:
    """Return every name: what was begun cannot be asked for again from the middle."""
    return [name async for name in names]
