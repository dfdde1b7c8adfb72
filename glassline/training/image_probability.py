"""How likely images are defective, each looked at as a whole and by itself: the highest probability of its windows.

What decides an image comes from its pixels alone: windows lie on a grid, wherever its defects are annotated.
"""

from collections.abc import Callable, Sequence

import pandas as pd

from glassline.training.fitted import Fitted
from glassline.training.run_defective import run_defective
from glassline.vision.heat_store import HEAT, KeptHeat


def image_probabilities(
    fitted: Fitted, kept: KeptHeat, numbers: Sequence[int], progress: Callable[[int, int], None]
) -> pd.DataFrame:
    """Return a row per image, in order: its highest `probability` in [0, 1], and whether it is `defective`.

    Args:
        fitted: Classifier of windows that knows a clean class.
        kept: Images, how windows are laid over them, and what is known of their heat by this very classifier.
        numbers: Which images.
        progress: Called with (images done, images in all).

    Raises:
        DataError: An image cannot be read; names it.
        ModelError: The classifier knows no clean class, or tells something that is no number.
    """
    classify, rows = run_defective(fitted), []
    for done, number in enumerate(numbers, 1):
        highest = float(kept.heat(number, HEAT, classify).value_NM.max())
        rows.append((min(max(highest, 0.0), 1.0), kept.images.has_any(number)))
        progress(done, len(numbers))
    return pd.DataFrame(rows, columns=["probability", "defective"])
