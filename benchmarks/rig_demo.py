"""A glass, clean and marked, through the simulated rig by the real protocols; what `make rig-demo` runs.

python benchmarks/rig_demo.py --out runs/rig-demo
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hardware_ingest.simulated_rig.process import simulator

#: Of seed 0: scratches, dust and prints in both zones.
GLASS = "G0004"


def _glassline(*words: object) -> None:
    print("$ glassline", *words, flush=True)
    subprocess.run([sys.executable, "-m", "glassline_cli", *map(str, words)], check=True)


def main(
    out: Annotated[Path, typer.Option(help="folder for captures/, emptied first, and contact sheet")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    address: Annotated[str, typer.Option(help="IP address of the simulated camera")] = "127.0.0.1",
) -> None:
    """Start the simulator, check it, capture a glass before and after the pen, verify, draw the contact sheet."""
    captures = out / "captures"
    shutil.rmtree(captures, ignore_errors=True)
    with simulator(out, "--seed", seed, "--address", address) as rig:
        for kind in ("clean", "marked"):
            rig.tell(f"glass {GLASS} {kind}")
            if kind == "clean":
                _glassline("rig-check", "--rig", rig.rig_file, "--times", 3)
            _glassline("capture", "--rig", rig.rig_file, "--glass", GLASS, "--kind", kind, "--out", captures)
    _glassline("captures", "verify", captures)
    _glassline("captures", "show", captures, "--out", out / "contact-sheet.png")


if __name__ == "__main__":
    typer.run(main)
