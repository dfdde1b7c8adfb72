"""What stands at the head of a page: which run, which data, which code."""

from datetime import UTC, datetime

from glassline.data.samples import SampleTable
from glassline.tracking import commit, pipeline_run_id


def page_facts(images: SampleTable, count: int, **more: str) -> dict[str, str]:
    """Return what was run, for the head of a page: name to value.

    Args:
        images: Table of images.
        count: How many of them the page tells of.
        more: What is told after the images.
    """
    first = images.rows.iloc[0]
    return {
        "MLflow run": pipeline_run_id() or "untracked",
        "product": str(first["product"]),
        "cycle": str(first["cycle"]),
        "images": f"{count} in {images.rows['group'].nunique()} groups",
        **more,
        "data": images.content_hash()[:16],
        "code": commit()[:12],
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
