"""The model card of a bundle: what it is, for what, how good, and what it was not shown."""

from glassline.deploy.bundle import Manifest


def model_card(manifest: Manifest, held_out: int) -> str:
    """Return the card as Markdown.

    Args:
        manifest: The bundle's manifest, metrics included.
        held_out: Number of samples that the metrics were taken on.
    """
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in sorted(manifest.metrics.items()))
    clean = f" The class without defect is `{manifest.clean_class}`." if manifest.clean_class else ""
    height, width = manifest.input_px
    return f"""# {manifest.model} (system {manifest.system})

Classifies candidate patches of {height} x {width} px, {manifest.bit_depth} bit, {manifest.channels} channel, into
{", ".join(f"`{name}`" for name in manifest.classes)}.{clean}

- Training data: content hash `{manifest.data_hash}`.
- Code: `{manifest.code_version}`.
- Metadata read beside the patch: {len(manifest.attributes)} columns, listed in `bundle.json`.
- Torch and ONNX Runtime differ by at most {manifest.parity["largest_difference"]:.2g}
  (gate: {manifest.parity["tolerance"]:.0e}) on {held_out} held-out samples.

## Figures on the held-out fold

| metric | value |
|---|---|
{rows}

## Limits

Made for glass that looks like the training images: same optics, same pitch, same light. Another product or rig
needs its own labelled images and a new run. Thresholds in `thresholds.yaml` may be edited; the rest may not.
"""
