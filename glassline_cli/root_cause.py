"""`glassline root-cause`: what on the line makes the same mark on every glass."""

import json
from pathlib import Path
from typing import Annotated

import typer


def root_cause(
    folder: Annotated[
        str, typer.Argument(help="images of one view, a folder per view, or captures; a folder or S3 URL")
    ],
    window: Annotated[int, typer.Option(help="consecutive images that are looked at together, 3 or more")] = 30,
    false_alarm_rate: Annotated[
        float, typer.Option(help="chance that a window without a common mark gives a finding, at most 0.1")
    ] = 0.001,
    reference: Annotated[
        str | None, typer.Option(help="the same views of good glasses: what repeats there too is not told")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for root_cause.json, findings.csv and pictures")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Find marks that repeat in one place from image to image: a fault of the line and not of one glass.

    Images are taken in the order of their names, captures in that of their time. Exit code 0 with or without findings.

    Example: glassline root-cause line-3/shift-7 --window 30 --reference line-3/good --out found
    """
    from rich.console import Console

    from glassline.analysis.root_cause import find_root_cause
    from glassline.data.storage import check_apart, check_empty, written_whole
    from glassline.report.root_cause import told, write_result
    from glassline.vision.repeating_marks import RootCauseSettings

    settings = RootCauseSettings.parse({"window": window, "false_alarm_rate": false_alarm_rate})
    if out is not None:
        if "://" not in folder:
            check_apart(out, Path(folder))
        check_empty(out)
    quiet = Console(stderr=True, soft_wrap=True, highlight=False)
    results = find_root_cause(folder, settings, reference, lambda line: quiet.print(line, markup=False))
    pictures = []
    if out is not None:
        with written_whole(out.resolve()) as beside:
            pictures = [out / path.name for path in write_result(results, settings, beside)]
    result = told(results, settings)
    if as_json:
        typer.echo(json.dumps(result))
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in _lines(result):
        console.print(line, markup=False)
    for path in pictures:
        console.print(f"written: {path}", markup=False)


def _lines(result: dict) -> list[str]:
    """Return the result as text."""
    lines = [
        f"{result['images']} images, {result['windows']} windows of {result['window']}, false alarms in "
        f"{result['false_alarm_rate']:g} of clean windows"
    ]
    if not result["findings"]:
        return [*lines, "no mark repeats"]
    lines.append(f"{'view':<24} {'x, y, width, height':<24} {'sigma':>6} {'levels':>7}  images  since")
    for one in result["findings"]:
        box = ", ".join(map(str, one["bbox"]))
        lines.append(
            f"{one['view'][:24]:<24} {box:<24} {one['strength_sigma']:>6.1f} {one['contrast_levels']:>+7.1f}  "
            f"{len(one['images']):>6}  {one['first_image']}"
        )
    return lines
