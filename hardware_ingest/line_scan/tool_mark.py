"""Line-scan images of glasses that a tool scratches, all in the same place, from some glass on.

Shapes: H x W pixels of the view.
"""

from pathlib import Path

import cv2
import numpy as np

from glassline.data.storage import check_empty, written_whole
from glassline.errors import SettingsError
from hardware_ingest.line_scan.render import Grey, render_glass
from hardware_ingest.line_scan.settings import SPOTS_PER_GLASS, LineScanSettings

#: Ends of the scratch, x and y in px, its width in px, and how much darker it is than what is around.
ENDS_PX, WIDTH_PX, CONTRAST = ((180, 400), (330, 520)), 2, 0.15
#: Share of the glasses that come before the tool is damaged.
GOOD = 0.4


def simulate_tool_mark(glasses: int, seed: int, out: Path) -> Path:
    """Write OUT/glass-0000.png and so on, each with its own spots, the later ones scratched by the tool; return OUT.

    Args:
        glasses: Number of glasses, at least 1.
        seed: Same seed, same bytes.
        out: Folder that is missing or empty; it is written whole or not at all.

    Raises:
        SettingsError: There is to be no glass.
        StorageError: The folder holds something, or may not be written.
    """
    if glasses < 1:
        raise SettingsError(f"glasses must be >= 1, got {glasses}; ask for at least one")
    check_empty(out)
    with written_whole(out.resolve()) as beside:
        beside.mkdir(parents=True)
        for glass in range(glasses):
            grey_HW, _ = render_glass(glass, seed, LineScanSettings(), SPOTS_PER_GLASS)
            if glass >= int(GOOD * glasses):
                grey_HW = scratched(grey_HW)
            (beside / f"glass-{glass:04d}.png").write_bytes(cv2.imencode(".png", grey_HW)[1].tobytes())
    return out


def scratched(grey_HW: Grey, contrast: float = CONTRAST) -> Grey:
    """Return a view with the tool's scratch: a line darker by a share of the local brightness."""
    line_HW = np.zeros(grey_HW.shape, np.uint8)
    cv2.line(line_HW, *ENDS_PX, 255, WIDTH_PX, cv2.LINE_AA)
    return np.asarray(np.rint(grey_HW * (1 - contrast * (line_HW / 255))), np.uint8)
