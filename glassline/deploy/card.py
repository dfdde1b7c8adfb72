"""The model card of a bundle: what it is, for what, how good, and what it was not shown."""

from collections.abc import Mapping
from typing import Any

from glassline.deploy.bundle import Manifest
from glassline.vision.defects import DefectSettings
from glassline.vision.scratches import FindSettings


def model_card(manifest: Manifest, held_out: int, thresholds: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        manifest: The bundle's manifest, metrics included.
        held_out: Number of samples that the metrics were taken on.
        thresholds: Thresholds as exported.
    """
    clean = f" The class without defect is `{manifest.clean_class}`." if manifest.clean_class else ""
    height, width = manifest.input_px
    unknown = ""
    if manifest.system == "B":
        unknown = """
Classes are read from the references of `reference.parquet`. A sample farther than `unknown_distance` from all of them
is `unknown`; the threshold was chosen on a fold beside this one. `glassline enrol` adds a class from a few images.
"""
    learnt = ""
    if manifest.start:
        before = ", ".join(f"`{name}`" for name in manifest.sources) or "nothing else"
        learnt = f"\n- Weights that it started from: {manifest.start}.\n- Learnt from before: {before}."
    return f"""# {manifest.model} (system {manifest.system})

Classifies candidate patches of {height} x {width} px, {manifest.bit_depth} bit, {manifest.channels} channel, into
{", ".join(f"`{name}`" for name in manifest.classes)}.{clean}
{unknown}
- Training data: content hash `{manifest.data_hash}`.{learnt}
- Code: `{manifest.code_version}`.
- Metadata read beside the patch: {len(manifest.attributes)} columns, listed in `bundle.json`.
- Torch and ONNX Runtime differ by at most {manifest.parity["largest_difference"]:.2g}
  (gate: {manifest.parity["tolerance"]:.0e}) on {held_out} held-out samples.

{_tables("the held-out fold", manifest, thresholds)}

## Limits

Made for glass that looks like the training images: same optics, same pitch, same light. Another product or rig
needs its own labelled images and a new run. Thresholds in `thresholds.yaml` may be edited; the rest may not.
"""


def segmenter_card(manifest: Manifest, tiles: int, find: FindSettings) -> str:
    """Return the card of a segmentation network as Markdown.

    Args:
        manifest: The bundle's manifest, metrics and parity included.
        tiles: Number of tiles that parity was checked on.
        find: Thresholds as exported.
    """
    of = manifest.preprocessing["format"]
    azimuths = ", ".join(f"{azimuth:g}" for azimuth in of["azimuths_deg"]) or "one grey image"
    pitch = f"{manifest.pitch_um:g} um" if manifest.pitch_um else "unknown"
    coarse = manifest.parity.get("bf16_largest_difference")
    told = f" In bfloat16 a score differs by up to {coarse:.2g}." if coarse is not None else ""
    thresholds = {name: f"{value:g}" for name, value in find.model_dump().items()}
    return f"""# {manifest.model} (system {manifest.system})

Finds {", ".join(f"`{name}`" for name in manifest.classes)} in dark-field zones of any size and says whether the zone
is good.

- Light states: {azimuths} (azimuth in degrees modulo 180); pattern {of["pattern"]}, {manifest.bit_depth} bit.
- Pixel pitch of the training zones: {pitch}.
- Training data: content hash `{manifest.data_hash}`.
- Code: `{manifest.code_version}`.
- Torch and the runtime differ by at most {manifest.parity["largest_difference"]:.2g} in score
  (gate: {manifest.parity["tolerance"]:.0e}) on {tiles} batches of real tiles.{told}

{_tables("glasses that it never saw", manifest, thresholds)}

A zone is defective when a scratch reaches `high`. Lower it to miss fewer scratches and raise more false alarms.

## Limits

Made for glass that looks like the training zones: same lights, same colour filter, same depth; other zones are
refused. Another product or rig needs its own labelled zones and a new run. `thresholds.yaml` may be edited; the rest
may not.
"""


def detector_card(manifest: Manifest, tiles: int, find: DefectSettings) -> str:
    """Return the card of a severity detector as Markdown.

    Args:
        manifest: The bundle's manifest, metrics and parity included.
        tiles: Number of tiles that parity was checked on.
        find: Thresholds as exported.
    """
    told, parity = manifest.preprocessing, manifest.parity
    pitch = f"{manifest.pitch_um:g} um" if manifest.pitch_um else "unknown, so that sizes are told in px alone"
    window = told["depth_window"]
    depth = f"8 bit; more through the window {window[0]} to {window[1]}" if window else "8 bit"
    coarse = "\n".join(
        f"| {name} | {parity[f'{name}_largest_difference']:.2g} | {parity[f'{name}_mean_difference']:.2g} | "
        f"{parity[f'{name}_cells_changed']:.2%} |"
        for name in ("bf16", "int8")
        if f"{name}_largest_difference" in parity
    )
    thresholds = {name: f"{value:g}" for name, value in find.model_dump().items()}
    types = ", ".join(f"`{name}`" for name in manifest.classes if name != manifest.clean_class)
    return f"""# {manifest.model} (system {manifest.system})

Tells where defects are on {"colour" if told["colour"] else "grey"} images of any size, how severe they are, 0 to 12 in
cells of {told["cell_px"]} px, and of which type: {types}. What its classifier takes for clean is left out.

- Levels: {depth}.
- Pixel pitch of the training images: {pitch}.
- Training data: content hash `{manifest.data_hash}`.
- Code: `{manifest.code_version}`.
- Torch and the runtime differ by at most {parity["largest_difference"]:.2g} in severity
  (gate: {parity["tolerance"]:.1e}) on {tiles} real tiles.

| arithmetic | largest difference of severity | mean | cells that change sides of the threshold |
|---|---|---|---|
{coarse}

{_tables("images that it never saw", manifest, thresholds)}

A cell is defective from severity `threshold`; defects closer than `join_px` are one; smaller ones than `least_px`
(px of area) are passed over.

## Limits

Made for glass that looks like the training images: same optics, same pitch, same light. Severity is contrast against
the clean surface beside a defect, not depth. Another product or rig needs its own labelled images and a new run.
`thresholds.yaml` may be edited; the rest may not.
"""


def _tables(where: str, manifest: Manifest, thresholds: Mapping[str, Any]) -> str:
    """Return the sections that every card has: figures, and where they are of, then thresholds."""
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in sorted(manifest.metrics.items()))
    return f"""## Figures on {where}

| metric | value |
|---|---|
{rows}

## Thresholds as exported

| threshold | value |
|---|---|
{_threshold_rows(thresholds)}"""


def _threshold_rows(thresholds: Mapping[str, Any]) -> str:
    """Return a row a threshold, one for each class where it has several."""
    rows = []
    for name, value in thresholds.items():
        told = value if isinstance(value, Mapping) else {"": value}
        for of, one in told.items():
            rows.append(f"| {name}{f' of `{of}`' if of else ''} | {'null' if one is None else one} |")
    return "\n".join(rows)
