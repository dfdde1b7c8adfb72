"""`glassline severity`: how severe an annotated defect is, cell by cell."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from glassline.vision.severity import SeverityMap

_LONGEST = 32


def severity(
    image: Annotated[Path, typer.Argument(help="Image; colour is turned into grey.")],
    mask: Annotated[Path, typer.Option("--mask", help="Mask of its defect, of the same size.")],
    out: Annotated[Path, typer.Option("--out", help="FILE.npy for the map: float32, one severity per cell.")],
    cell_px: Annotated[int, typer.Option(help="Edge of a cell: 4, 2 or 1 px.")] = 4,
    depth_window: Annotated[
        tuple[int, int] | None, typer.Option(help="Grey levels that become 0 and 255, for more than 8 bit.")
    ] = None,
) -> None:
    """Label the severity of a defect, 0 to 12: print it and write the map.

    Example: glassline severity 0002.PNG --mask Label/0002_label.PNG --out 0002.npy
    """
    import numpy as np
    from rich.console import Console

    from glassline.data.images import read_grey, read_mask
    from glassline.data.storage import written_whole
    from glassline.errors import DataError, SettingsError
    from glassline.vision.severity import label_severity

    if cell_px not in (4, 2, 1):
        raise SettingsError(f"--cell-px must be 4, 2 or 1, got {cell_px}; choose one of them")
    if out.suffix != ".npy":
        raise SettingsError(f"--out must end in .npy, got {out}; rename it")
    if out.resolve() in {image.resolve(), mask.resolve()}:
        raise SettingsError(f"--out must be a file of its own, got {out}; name another")
    grey_HW = read_grey(image, depth_window)
    mask_HW = read_mask(mask, (grey_HW.shape[0], grey_HW.shape[1]))
    try:
        found = label_severity(grey_HW, mask_HW, cell_px)
    except DataError as error:
        raise DataError(f"{image} with {mask}: {error}") from error
    with written_whole(out) as beside, open(beside, "wb") as stream:
        np.save(stream, found.severity_RC)
    console = Console(soft_wrap=True, highlight=False)
    for line in _told(found):
        console.print(line, markup=False)
    console.print(f"written: {out}", markup=False)


def _told(found: "SeverityMap") -> list[str]:
    """Return the map around the defect as text, no wider than a screen, and what is to be said of it."""
    import numpy as np

    cells = found.severity_RC[found.defect_RC]
    rows, columns = found.severity_RC.shape
    lines = [f"{rows} x {columns} cells, {len(cells)} of them defective"]
    if not len(cells):
        return [*lines, "no cell is masked by half: take smaller cells"]
    row_N, column_N = np.nonzero(found.defect_RC)
    box_rc = found.severity_RC[row_N.min() : row_N.max() + 1, column_N.min() : column_N.max() + 1]
    step = -(-max(box_rc.shape) // _LONGEST)
    filled_rc = np.pad(box_rc, [(0, -size % step) for size in box_rc.shape])
    blocks = filled_rc.reshape(filled_rc.shape[0] // step, step, -1, step).max(axis=(1, 3))
    lines[0] += f"; severity mean {cells.mean():.2f}, highest {cells.max():.2f}"
    if step > 1:
        lines.append(f"each number is the highest of {step} x {step} cells")
    defect_rc = found.defect_RC[row_N.min() : row_N.max() + 1, column_N.min() : column_N.max() + 1]
    filled_rc = np.pad(defect_rc, [(0, -size % step) for size in box_rc.shape])
    shown_rc = filled_rc.reshape(filled_rc.shape[0] // step, step, -1, step).any(axis=(1, 3))
    lines += [
        " ".join(f"{value:4.1f}" if shown else "   ." for value, shown in zip(*pair, strict=True))
        for pair in zip(blocks, shown_rc, strict=True)
    ]
    if not cells.any():
        lines.append("the defect does not stand out at all")
    if found.one_sided:
        lines.append(f"rows with a clean cell on one side only: {_ranges(found.one_sided)}")
    if found.degenerate:
        lines.append(
            f"rows without a clean cell, compared with the median clean cell of the image: {_ranges(found.degenerate)}"
        )
    return lines


def _ranges(rows: tuple[int, ...]) -> str:
    """Return rising numbers as `3, 7-9`."""
    parts: list[list[int]] = []
    for row in rows:
        if parts and row == parts[-1][-1] + 1:
            parts[-1].append(row)
        else:
            parts.append([row])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
