"""A Zarr store in S3 that speaks of trouble in one line: zarr's own over obstore."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from zarr.storage import ObjectStore

from glassline.data.location.s3_errors import s3_answers

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


class S3ZarrStore(ObjectStore[Any]):
    """Reads and writes Zarr's keys below a prefix; every error of the server is a StorageError."""

    async def get(
        self, key: str, prototype: "BufferPrototype", byte_range: "ByteRequest | None" = None
    ) -> "Buffer | None":
        """Return the bytes of a key, None when it is not there."""
        with s3_answers(self._url(key)):
            return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: "BufferPrototype", key_ranges: "Iterable[tuple[str, ByteRequest | None]]"
    ) -> "list[Buffer | None]":
        """Return the bytes of ranges of keys."""
        with s3_answers(self._url("")):
            return await super().get_partial_values(prototype, key_ranges)

    async def exists(self, key: str) -> bool:
        """Return whether a key is there."""
        with s3_answers(self._url(key)):
            return await super().exists(key)

    async def set(self, key: str, value: "Buffer") -> None:
        """Write a key."""
        with s3_answers(self._url(key)):
            await super().set(key, value)

    async def delete(self, key: str) -> None:
        """Delete a key; a missing one is no error."""
        with s3_answers(self._url(key)):
            await super().delete(key)

    async def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:  # type: ignore[override]
        """Yield what lies directly below a prefix."""
        with s3_answers(self._url(prefix)):
            async for name in super().list_dir(prefix):
                yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:  # type: ignore[override]
        """Yield every key below a prefix."""
        with s3_answers(self._url(prefix)):
            async for name in super().list_prefix(prefix):
                yield name

    def _url(self, key: str) -> str:
        config = self.store.config
        return "/".join(filter(None, [f"s3://{config.get('bucket')}", self.store.prefix, key]))
