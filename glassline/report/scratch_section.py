"""The report's sections on scratches, and the files that an evaluation leaves for them.

A folder holds `rates.parquet`, `pixels.parquet`, `glasses.parquet`, `summary.json` and figures: `trade_off.png`,
`pixels.png`, `curves.png` and any number of `overlay_….png`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from glassline.analysis.operating_point import ErrorRates, OperatingPoint
from glassline.report.page import Section, SectionTable
from glassline.report.result_files import overlay_pictures, pictures, read_result, write_result
from glassline.report.tables import rows_of, share

_TABLES = ("rates", "pixels", "glasses")
_FIGURES = {
    "trade_off": "Missed against falsely rejected test glasses, at every threshold",
    "pixels": "Precision over recall of the test zones' pixels",
    "curves": "Loss by epoch",
}
_SHOWN = 60


@dataclass(frozen=True)
class SegmentationResult:
    """What is known of a network that finds scratches.

    Attributes:
        rates: One row per method and unit of the test: `method`, `unit` (glass or zone), the fields of `ErrorRates`.
        pixels: One row per method and tolerance, as it is shown.
        glasses: One row per test glass: `glass`, `defective`, `peak`, `rejected`.
        point: The threshold, and what it does on the validation glasses that it was chosen on.
        parameters: Numbers that the network learned.
    """

    rates: pd.DataFrame
    pixels: pd.DataFrame
    glasses: pd.DataFrame
    point: OperatingPoint
    parameters: int

    def write(self, folder: str | Path) -> None:
        """Write the files that `read` reads; figures are the caller's."""
        about = {"point": asdict(self.point), "parameters": self.parameters}
        write_result(folder, {name: getattr(self, name) for name in _TABLES}, about)

    @classmethod
    def read(cls, folder: str | Path) -> "SegmentationResult":
        """Return what `write` wrote.

        Raises:
            DataError: A file is missing; names it.
        """
        tables, about = read_result(folder, _TABLES, "a segmentation", "run evaluate_segmentation again")
        point = OperatingPoint(**{**about["point"], "rates": ErrorRates(**about["point"]["rates"])})
        return cls(**tables, point=point, parameters=about["parameters"])


def scratch_sections(folder: str | Path) -> list[Section]:
    """Return the page's sections on scratches: methods and figures, then the verdict on each glass.

    Args:
        folder: What `SegmentationResult.write` wrote, with figures beside it.

    Raises:
        DataError: A file is missing; names it.
    """
    found = SegmentationResult.read(folder)
    tables = [SectionTable("Errors on the test glasses and their zones", _methods(found.rates))]
    if len(found.pixels):
        tables.append(SectionTable("Pixels of the test zones", rows_of(found.pixels)))
    shown = [*pictures(Path(folder), _FIGURES), *overlay_pictures(Path(folder), "A zone with a {}")]
    scratches = Section("Scratches", shown, _note(found), tables)
    verdicts, note = _verdicts(found.glasses)
    return [scratches, Section("Verdict on each glass", [], note, [SectionTable("Test glasses", verdicts)])]


def _methods(rates: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {
            "method": one["method"], "judged": one["unit"],
            "FN": share(one["fn"], one["defective"], one["fn_rate"], one["fn_low"], one["fn_high"]),
            "FP": share(one["fp"], one["clean"], one["fp_rate"], one["fp_low"], one["fp_high"]),
            "threshold": one["threshold"],
        }
        for one in rates.to_dict("records")
    ]  # fmt: skip


def _note(found: SegmentationResult) -> str:
    point, rates = found.point, found.point.rates
    missed = share(rates.fn, rates.defective, rates.fn_rate, rates.fn_low, rates.fn_high)
    rejected = share(rates.fp, rates.clean, rates.fp_rate, rates.fp_low, rates.fp_high)
    return (
        f"A glass is rejected from a peak of {point.high:.3f}. This was chosen on {rates.defective + rates.clean:,} "
        f"validation glasses so that at most {100 * point.max_fn_rate:.3g}\u00a0% of the defective ones pass; there it "
        f"misses {missed} and falsely rejects {rejected}. {f'Beware: {point.warning}. ' if point.warning else ''}"
        f"FN: defective that pass. FP: clean that are rejected. In brackets: rate and its 95\u00a0% Wilson interval. "
        f"The network has {found.parameters:,} parameters."
    )


def _verdicts(glasses: pd.DataFrame) -> tuple[list[dict[str, object]], str]:
    """Return rows of misses, then false alarms, then what was judged rightly, and what is to be said of them."""
    judged = {(True, False): "miss", (False, True): "false alarm", (True, True): "hit", (False, False): "clean"}
    outcome = [judged[bool(row.defective), bool(row.rejected)] for row in glasses.itertuples()]
    order = {name: place for place, name in enumerate(judged.values())}
    told = glasses.assign(outcome=outcome, place=[order[name] for name in outcome])
    told = told.sort_values(["place", "peak", "glass"], ascending=[True, False, True], kind="stable")
    missed, alarmed, hit, clean = (outcome.count(name) for name in order)
    note = (
        f"Of {len(told):,} test glasses {missed:,} were missed, {alarmed:,} falsely rejected, {hit:,} rightly rejected "
        f"and {clean:,} rightly passed. Misses stand first, then false alarms."
    )
    if len(told) > _SHOWN:
        note += f" The first {_SHOWN} are shown."
    rows: list[dict[str, object]] = [
        {"glass": one.glass, "outcome": one.outcome, "scratches": "yes" if one.defective else "none",
         "verdict": "rejected" if one.rejected else "passed", "peak": one.peak}
        for one in told.head(_SHOWN).itertuples()
    ]  # fmt: skip
    return rows, note
