"""64 random patches of a shard in S3: asked for by range, and read from the shard once it is fetched.

python benchmarks/shards_s3.py s3://bucket/prefix
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np

from glassline.data.location import open_location
from glassline.data.location.s3_client import transfers
from glassline.data.shards import ROWS_PER_SHARD, ShardReader, ShardWriter

PATCH_PX, ROWS, TIMES = 112, 64, 9


def _took_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def main(url: str) -> None:
    """Write a shard and print medians."""
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        writer = ShardWriter(Path(folder), "patch", PATCH_PX)
        for _ in range(ROWS_PER_SHARD):
            writer.append(generator.integers(0, 256, (PATCH_PX, PATCH_PX), dtype=np.uint8))
        writer.close()
        open_location(url).upload(Path(folder) / "patch-00000.npy", "patch-00000.npy")
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    size = PATCH_PX * PATCH_PX

    def one(row: int) -> bytes:
        start = 128 + row * size
        asked = {"Bucket": bucket, "Key": f"{prefix}/patch-00000.npy", "Range": f"bytes={start}-{start + size - 1}"}
        return bytes(transfers().get_object(**asked)["Body"].read())

    draws = [generator.integers(0, ROWS_PER_SHARD, ROWS).tolist() for _ in range(TIMES)]
    with ThreadPoolExecutor(16) as pool:
        print(f"by range, 16 at once: {median(_took_ms(lambda r=r: list(pool.map(one, r))) for r in draws):.1f} ms")
    print(f"by range, one by one: {median(_took_ms(lambda r=r: list(map(one, r))) for r in draws):.1f} ms")
    reader = ShardReader(url, "patch")
    print(f"the first, with the fetch of 51 MB: {_took_ms(lambda: reader.read([0], [0])):.0f} ms")
    print(f"from the fetched shard: {median(_took_ms(lambda r=r: reader.read([0] * ROWS, r)) for r in draws):.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1])
