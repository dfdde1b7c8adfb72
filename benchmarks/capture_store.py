"""Write full-size zones and read random patches: the capture store beside TIFF files, in one run.

    python benchmarks/capture_store.py --folder /somewhere/with/10GB
    python benchmarks/capture_store.py --folder /somewhere/with/10GB --s3 s3://bucket/prefix

Every file is flushed to the disk before its time is taken. Local reads come once from memory (the page cache has
every file) and once from the disk (it is told to forget the zone before each patch, as it must where captures are
larger than memory). The six files of a zone are read and decoded in parallel, as the store's chunks are. `tiff` is
uncompressed, `tiff-zlib` compressed by tifffile's zlib. A patch from a decoded TIFF costs the whole frame, so few are
measured.
"""

import io
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tifffile
import typer
from rich.console import Console
from rich.table import Table

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Frames, Window, open_captures
from glassline.data.location import Location, open_location

STATES, HEIGHT_PX, WIDTH_PX, PATCH_PX = 6, 3120, 3504, 1024
TIFFS = {"tiff": None, "tiff-zlib": "zlib"}

Reader = Callable[[ZoneRef, Window], Frames]


def _meta(zone: int) -> ZoneMeta:
    return ZoneMeta(
        product="P1", cycle="2026a", glass="G0001", kind="clean", zone=zone, stage_x_mm=0, stage_y_mm=0,
        exposure_us=(900.0,) * STATES, gain_db=0, azimuths_deg=tuple(30.0 * state for state in range(STATES)),
        camera_model="benchmark", camera_serial="0", pattern="GRBG", bit_depth=12, pitch_um=11.4, overlap_px=256,
        taken_utc="2026-01-01T00:00:00Z",
    )  # fmt: skip


def _frames(generator: np.random.Generator) -> Frames:
    """Return a dark 12-bit GRBG zone: shot noise of 4 electrons a level, read noise of 2.4 levels, 20 scratches."""
    background_HW = np.full((HEIGHT_PX, WIDTH_PX), 40, np.float32)
    background_HW[::2, 1::2], background_HW[1::2, ::2] = 32, 24
    scratches = [(generator.uniform(0, 180), generator.uniform(0, 1, 2), generator.uniform(50, 900)) for _ in range(20)]
    frames_SHW = np.empty((STATES, HEIGHT_PX, WIDTH_PX), np.uint16)
    for state in range(STATES):
        light_HW = background_HW.copy()
        for angle_deg, start, length_px in scratches:
            across = np.sin(np.radians(30 * state - angle_deg)) ** 6
            start_px = start * (WIDTH_PX, HEIGHT_PX)
            end_px = start_px + length_px * np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
            line = [tuple(int(edge) for edge in place) for place in (start_px, end_px)]
            cv2.line(light_HW, *line, float(40 + 900 * across), 2)
        noise_HW = generator.standard_normal(light_HW.shape, np.float32) * np.sqrt(light_HW / 4 + 2.4**2)
        frames_SHW[state] = (light_HW + 32 + noise_HW).round().clip(0, 4095)
    return frames_SHW


def _write_tiffs(folder: Path, frames_SHW: Frames, compression: str | None) -> None:
    folder.mkdir(parents=True)
    for state, frame_HW in enumerate(frames_SHW):
        with open(folder / f"{state}.tif", "wb") as stream:
            tifffile.imwrite(stream, frame_HW, photometric="minisblack", compression=compression)
            stream.flush()
            os.fsync(stream.fileno())


def _write(folder: Path, zones: int, seed: int) -> Captures:
    """Write every zone to the store and as both kinds of TIFF; print rates and sizes."""
    generator, captures = np.random.default_rng(seed), open_captures(folder / "store")
    seconds, raw = dict.fromkeys(["store", *TIFFS], 0.0), 0
    for zone in range(zones):
        frames_SHW = _frames(generator)
        raw += frames_SHW.nbytes
        os.sync()
        for name in seconds:
            began = time.perf_counter()
            if name == "store":
                captures.write(_meta(zone), frames_SHW)
            else:
                _write_tiffs(folder / name / str(zone), frames_SHW, TIFFS[name])
            seconds[name] += time.perf_counter() - began
    table = Table("write", "MB/s of raw frames", "times faster than tiff", "bytes of raw", title=f"{zones} zones")
    for name, took in seconds.items():
        stored = sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
        table.add_row(name, f"{raw / took / 1e6:.0f}", f"{seconds['tiff'] / took:.2f}", f"{stored / raw:.3f}")
    Console().print(table)
    return captures


def _patches(zones: int, count: int, seed: int) -> Iterator[tuple[ZoneRef, Window]]:
    generator = np.random.default_rng(seed + 1)
    for _ in range(count):
        x_px, y_px = int(generator.integers(WIDTH_PX - PATCH_PX)), int(generator.integers(HEIGHT_PX - PATCH_PX))
        yield _meta(int(generator.integers(zones))).ref, Window(x_px, y_px, PATCH_PX, PATCH_PX)


def _crop(frame_HW: np.ndarray, window: Window) -> np.ndarray:
    return frame_HW[window.pixels]


def _tiff_reader(open_frame: Callable[[str], np.ndarray], pool: ThreadPoolExecutor) -> Reader:
    """Return a reader of patches from whole frames, `ZONE/STATE.tif`."""

    def read(ref: ZoneRef, window: Window) -> Frames:
        names = [f"{ref.zone}/{state}.tif" for state in range(STATES)]
        return np.stack(list(pool.map(lambda name: _crop(open_frame(name), window), names)))

    return read


def _forget(folder: Path) -> None:
    """Have the page cache forget every file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def _forget_zone(folder: Path, ref: ZoneRef) -> None:
    _forget(folder / "store" / ref.path)
    for kind in TIFFS:
        _forget(folder / kind / str(ref.zone))


def _time_readers(
    title: str,
    readers: dict[str, tuple[Reader, int]],
    zones: int,
    seed: int,
    before: Callable[[ZoneRef], None] = lambda ref: None,
) -> None:
    """Print milliseconds a patch. The readers take turns, so that whatever else the machine does slows all alike."""
    rounds = min(count for _, count in readers.values())
    plans = {name: list(_patches(zones, count, seed)) for name, (_, count) in readers.items()}
    took_s, cpu_s = dict.fromkeys(readers, 0.0), dict.fromkeys(readers, 0.0)
    for turn in range(rounds):
        for name, (read, _) in readers.items():
            for ref, window in plans[name][turn::rounds]:
                before(ref)
                began_s, began_cpu_s = time.perf_counter(), time.process_time()
                found_SHW = read(ref, window)
                took_s[name] += time.perf_counter() - began_s
                cpu_s[name] += time.process_time() - began_cpu_s
        # The last patch of a turn is checked against the store.
        np.testing.assert_array_equal(found_SHW, readers["store"][0](ref, window))
    table = Table("read", "patches", "ms a patch", "of the store's", "CPU ms", title=title)
    base_ms = took_s["store"] / readers["store"][1] * 1e3
    for name, (_, count) in readers.items():
        ms, cpu_ms = (seconds[name] / count * 1e3 for seconds in (took_s, cpu_s))
        table.add_row(name, str(count), f"{ms:.1f}", f"{ms / base_ms:.2f}", f"{cpu_ms:.1f}")
    Console().print(table)


def _local_readers(folder: Path, captures: Captures, pool: ThreadPoolExecutor, patches: int, few: int) -> dict:
    def mapped(name: str) -> np.ndarray:
        return tifffile.memmap(folder / "tiff" / name, mode="r")

    return {
        "store": (captures.read, patches),
        "tiff, memory-mapped": (_tiff_reader(mapped, pool), patches),
        "tiff, decoded": (_tiff_reader(lambda name: tifffile.imread(folder / "tiff" / name), pool), few),
        "tiff-zlib, decoded": (_tiff_reader(lambda name: tifffile.imread(folder / "tiff-zlib" / name), pool), few),
    }


def _s3_readers(place: Location, pool: ThreadPoolExecutor, patches: int, few: int) -> dict:
    def downloaded(kind: str) -> Callable[[str], np.ndarray]:
        return lambda name: tifffile.imread(io.BytesIO(place.read(f"{kind}/{name}")))

    return {
        "store": (Captures(place.below("store")).read, patches),
        "tiff, fetched, decoded": (_tiff_reader(downloaded("tiff"), pool), few),
        "tiff-zlib, fetched, decoded": (_tiff_reader(downloaded("tiff-zlib"), pool), few),
    }


def _upload(folder: Path, captures: Captures, place: Location) -> None:
    """Write the store's zones anew in S3, timed; send the TIFF files beside them."""
    target, took, raw = Captures(place.below("store")), 0.0, 0
    for ref in captures.zones():
        frames_SHW = captures.read(ref)
        began = time.perf_counter()
        target.write(captures.meta(ref), frames_SHW)
        took, raw = took + time.perf_counter() - began, raw + frames_SHW.nbytes
    Console().print(f"store in S3, written: {raw / took / 1e6:.0f} MB/s of raw frames")
    for kind in TIFFS:
        for path in sorted((folder / kind).rglob("*.tif")):
            place.upload(path, path.relative_to(folder).as_posix())


def main(
    folder: Annotated[Path, typer.Option(help="where the files go; a folder in it is made and removed")],
    s3: Annotated[str, typer.Option(help="s3://bucket/prefix, empty, to measure too; AWS_* tell the server")] = "",
    zones: Annotated[int, typer.Option(min=1, help="zones of 6 x 3504 x 3120")] = 10,
    patches: Annotated[int, typer.Option(min=1, help="patches of 6 x 1024 x 1024 where reading one is cheap")] = 1000,
    few: Annotated[int, typer.Option(min=1, help="patches where a whole frame is decoded for each")] = 50,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Measure writing and reading."""
    work = folder / "capture-store-benchmark"
    try:
        captures = _write(work, zones, seed)
        with ThreadPoolExecutor(STATES) as pool:
            readers = _local_readers(work, captures, pool, patches, few)
            _time_readers("from memory", readers, zones, seed)
            _time_readers("from the disk", readers, zones, seed, lambda ref: _forget_zone(work, ref))
            if s3:
                place = open_location(s3)
                _upload(work, captures, place)
                _time_readers(s3, _s3_readers(place, pool, patches, few), zones, seed)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    typer.run(main)
