"""Of 1000 images of which 5 % are broken in many ways: is every good one judged, and every broken one named?

    python benchmarks/inspect_broken.py
    python benchmarks/inspect_broken.py --images 200 --bundle bundle.zip --record OUT

Images are simulated, the network is untrained unless a bundle is named. The command runs as on the line; it is killed
in the middle and called again, and must have judged each image once. Exit code 1 where anything was missed.
"""

import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tifffile
import typer
from inspect_speed import write_bundle_of
from PIL import Image

from glassline.bench.code import library_code
from glassline.bench.record import Block, Record
from glassline.bench.run import machine

SHARE = 0.05


def _break(path: Path, number: int, grey_HW: np.ndarray) -> str:
    """Write a broken image in one of many ways and return how."""
    whole = cv2.imencode(".png", grey_HW)[1].tobytes()
    jpeg = cv2.imencode(".jpg", grey_HW)[1].tobytes()
    ways = {
        "empty": b"", "cut to a half": whole[: len(whole) // 2], "cut JPEG": jpeg[: len(jpeg) // 2],
        "text": b"no picture\n" * 20, "HTML": b"<html>404</html>", "zeros": b"\0" * 5000,
        "flipped bytes": whole[:90] + b"\xff\0\xff\0" + whole[94:], "header only": whole[:33],
        "claims 60000 x 60000": whole[:16] + b"\0\0\xea\x60\0\0\xea\x60" + whole[24:],
        "noise": grey_HW.tobytes()[:4000],
    }  # fmt: skip
    more = ("16 bit", "two pages", "float", "GIF", "2 x 2 px", "dangling link")
    name = [*ways, *more][number % (len(ways) + len(more))]
    if name in ways:
        path.write_bytes(ways[name])
    elif name == "16 bit":
        cv2.imwrite(str(path), grey_HW.astype(np.uint16) * 200)
    elif name in ("two pages", "float"):
        tifffile.imwrite(path, np.stack([grey_HW, grey_HW]) if name == "two pages" else grey_HW.astype(np.float32))
    elif name == "GIF":
        Image.fromarray(grey_HW).save(path, "GIF")
    elif name == "2 x 2 px":
        cv2.imwrite(str(path), grey_HW[:2, :2])
    else:
        path.symlink_to(path.with_name("gone.png"))
    return name


def main(
    images: Annotated[int, typer.Option(min=20)] = 1000,
    bundle: Annotated[Path | None, typer.Option(help="a classifier's bundle; an untrained one by default")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    record: Annotated[
        Path | None, typer.Option(help="folder for a result of the page, as of `glassline bench`")
    ] = None,
) -> None:
    """Print how many were judged, named and missed."""
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        (work / "images").mkdir()
        broken = dict.fromkeys(generator.permutation(images)[: round(images * SHARE)].tolist(), "")
        for number in range(images):
            grey_HW = generator.normal(120, 6, (160, 160)).clip(0, 255).astype(np.uint8)
            path = work / "images" / f"{number:04d}.png"
            if number in broken:
                broken[number] = _break(path, list(broken).index(number), grey_HW)
            else:
                cv2.imwrite(str(path), grey_HW)
        if bundle is None:
            write_bundle_of("cnn", work)
        rows = _report(work, bundle or work / "bundle.zip", images, broken)
    for row in rows:
        print(f"{row[0]}: {row[2]} of {row[1]}")
    if record:
        print(f"written: {_record(rows, images, len(set(broken.values())), seed).write(record)}")
    if any(row[1] != row[2] for row in rows):
        raise SystemExit(1)


def _record(rows: list[tuple[str, str, str]], images: int, ways: int, seed: int) -> Record:
    return Record(
        name="broken-images", title="Broken images on the line", system="platform", order=10,
        command=shlex.join(["python", "benchmarks/inspect_broken.py", *sys.argv[1:]]),
        data=f"{images} simulated images, {SHARE:.0%} of them broken in {ways} ways", seed=seed, machine=machine(),
        protocol="`glassline inspect`, killed once in the middle and started again", code=library_code(),
        body=(Block(columns=("", "of", ""), rows=tuple(rows)),),
    )  # fmt: skip


def _report(work: Path, bundle: Path, images: int, broken: dict[int, str]) -> list[tuple[str, str, str]]:
    """Judge all images and return what was looked at, how many there are, and how many were right."""
    words = ("-m", "glassline_cli", "inspect", bundle, work / "images", "--out", work / "out")
    call, lines = [sys.executable, *map(str, words)], work / "out" / "verdicts.jsonl"
    killed = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and not (lines.exists() and lines.read_bytes().count(b"\n") > images // 2):
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    verdicts = {int(Path(line["unit"]).stem): line["verdict"] for line in told}
    refused = {number for number, verdict in verdicts.items() if verdict == "refused"}
    named = {number for number in broken if f"{number:04d}.png" in done.stderr}
    good = set(range(images)) - set(broken)
    if wrong := {broken.get(number, "good") for number in (refused ^ set(broken)) | (named ^ set(broken))}:
        print(f"missed: {sorted(wrong)}")
    rows = (
        ("good images judged", len(good), len((good - refused) & set(verdicts))),
        ("broken images refused and named", len(broken), len(refused & named & set(broken))),
        ("lines of `verdicts.jsonl`, one per image", images, len(told)),
        ("images with a line", images, len(verdicts)),
    )
    return [(name, str(of), str(found)) for name, of, found in rows]


if __name__ == "__main__":
    typer.run(main)
