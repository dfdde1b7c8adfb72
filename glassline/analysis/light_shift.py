"""What the light of each rig tells: images that cannot be used, and backgrounds that moved since the last cycle."""

import pandas as pd

from glassline.analysis.cycle_findings import Finding, named
from glassline.vision.light_levels import LightLevels

# In 255ths of white: below it a background is the sensor's offset, and its ratio says nothing.
_FLOOR = 1.0


def light_shifts(rigs: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """Return each rig and light state beside that of the last cycle; another rig is compared with all of them.

    Args:
        rigs: Table of `by_rig`.
        last: The same of the last cycle; may be empty.

    Returns:
        `rigs` without histograms, with `last` and `last_spread` (then), `same_rig` and `change` of the background
        (relative; NaN where unknown).
    """
    rows = []
    for row in rigs.drop(columns="histogram").to_dict("records"):
        of_state = last[last["state"] == row["state"]] if len(last) else last
        same = of_state[of_state["rig"] == row["rig"]] if len(last) else last
        before = same if len(same) else of_state
        level = float(before["background"].median()) if len(before) else float("nan")
        spread = float(before["spread"].median()) if len(before) else float("nan")
        change = (row["background"] - level) / max(level, _FLOOR)
        told: dict[str, object] = {"last": level, "last_spread": spread, "same_rig": bool(len(same)), "change": change}
        rows.append({str(name): value for name, value in row.items()} | told)
    return pd.DataFrame(rows)


def light_findings(light: LightLevels, shifts: pd.DataFrame, limit: float) -> list[Finding]:
    """Return unreadable images as a refusal, and backgrounds that moved by more than a share as warnings."""
    found = []
    if light.unreadable:
        told = named(f"{image} ({why})" for image, why in light.unreadable.items())
        text = (
            f"{len(light.unreadable)} images are too light, too dark or cannot be read: {told}; capture them again, or "
            "leave them out"
        )
        found.append(Finding("light", "refused", text))
    for rig, rows in shifts[shifts["change"].abs() > limit].groupby("rig", sort=True) if len(shifts) else ():
        worst = rows.iloc[int(rows["change"].abs().argmax())]
        states = f" in {len(rows)} light states" if len(rows) > 1 else ""
        known = "" if worst["same_rig"] else " (of other rigs: this one is new)"
        text = (
            f"the background of {rig} moved{states}, from {worst['last']:.1f}{known} to {worst['background']:.1f} of "
            f"255, {worst['change']:+.0%}, more than {limit:.0%}; check lamps and exposure, or go on if the glass is "
            "another one"
        )
        found.append(Finding("light", "warned", text))
    return found
