"""Size and build time of every image, cold and after a change of one line of code, as docs/images.md.

python benchmarks/images.py --base python:3.11-slim-bookworm --out docs/images.md
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from glassline.data.storage import code_hash

ROOT = Path(__file__).resolve().parents[1]
WHAT = {
    "vision": "data, candidates, metrics, report: every step that trains nothing; no torch",
    "training": "torch, lightning, ONNX Runtime, OpenVINO",
    "database": "PostgreSQL of `make stack`",
    "object_store": "Ceph's S3 gateway of `make stack`",
    "tracking": "MLflow server of `make stack`",
}


def main(
    base: Annotated[str, typer.Option(help="base image")],
    out: Annotated[Path, typer.Option(help="Markdown file to write")] = ROOT / "docs" / "images.md",
    engine: Annotated[str, typer.Option(help="docker or podman")] = "docker",
) -> None:
    """Build all, twice, and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        _copy_tree(context)
        for family in WHAT:
            cold_s = _build(engine, context, family, base, cold=True)
            changed = context / "glassline" / "errors.py"
            before = changed.read_text()
            changed.write_text(f"{before}\n# changed at {time.time()}\n")
            changed_s = _build(engine, context, family, base, cold=False)
            changed.write_text(before)
            rows.append((family, _size_bytes(engine, family), cold_s, changed_s))
            print(rows[-1], flush=True)
    base_bytes = int(_told(engine, "image", "inspect", "--format", "{{.Size}}", base))
    out.write_text(_page(rows, base, base_bytes))


def _copy_tree(context: Path) -> None:
    """Copy what git knows of this checkout, so that nothing else is measured, and the bundle of certificates."""
    for name in subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True, text=True
    ).stdout.splitlines():
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, context / name)
    (context / "build").mkdir()
    shutil.copy(ROOT / "build" / "ca.crt", context / "build" / "ca.crt")


def _build(engine: str, context: Path, family: str, base: str, cold: bool) -> float:
    started = time.perf_counter()
    command = [
        engine, "build", "--network=host", "--build-arg", f"BASE={base}", "--build-arg", "COMMIT=benchmark",
        "--build-arg", f"CODE={code_hash('.')}", "--file", f"images/{family}/Containerfile",
        "--tag", f"glassline-benchmark/{family}", *(["--no-cache"] if cold else []), ".",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=context, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{family} must build, got: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def _size_bytes(engine: str, family: str) -> int:
    return int(_told(engine, "image", "inspect", "--format", "{{.Size}}", f"glassline-benchmark/{family}"))


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _page(rows: list[tuple[str, int, float, float]], base: str, base_bytes: int) -> str:
    table = "\n".join(
        f"| `{name}` | {WHAT[name]} | {size / 1e9:.2f} GB | {cold_s:.0f} s | {changed_s:.1f} s |"
        for name, size, cold_s, changed_s in rows
    )
    return _PAGE.format(base=base, base_mb=base_bytes / 1e6, table=table)


_PAGE = """# Images

`make images` builds the images of steps and of `make stack`'s servers, from `images/<name>/Containerfile` and a base
given by `BASE=`: any Debian bookworm. The steps' images run as a user without rights, check their imports when they are
built and as their health check, and carry version, commit and a hash of the code as labels; `glassline run --runner
docker` refuses images of other code.

| image | holds | size | cold | after a change of one line |
|---|---|---:|---:|---:|
{table}

The base `{base}` is {base_mb:.0f} MB of each. Cold is without any layer, packages from the network included. Taken by
`python benchmarks/images.py --base IMAGE` on two shared cores; the times are hints, the sizes are not.

Most of `training` is the CUDA libraries that torch's wheels bring; torchvision has no wheel for a torch without them.
"""


if __name__ == "__main__":
    typer.run(main)
