"""Import a source of labelled images into a sample table."""

from collections.abc import Sequence

from glassline.data.importers import read_source, source_hash
from glassline.data.importers.unlabelled import unlabelled
from glassline.data.samples import SampleTable
from glassline.data.store import check_unchanged
from glassline.tracking import StepRun, parent_tags, step_run

_NAMED = 5  # images without a label that a note names


def import_images(
    data: str, data_format: str, data_hash: str, product: str, cycle: str, clean_class: str, samples_path: str,
    stated: bool = False,
) -> str:  # fmt: skip
    """Import a source and return the content hash of its sample table.

    Args:
        data: Folder of images and annotations, or their label file; a path or an S3 URL.
        data_format: Layout name, as `glassline import --format`.
        data_hash: SHA-256 of the source (see `source_hash`) when the run was submitted; "" skips the comparison.
        product: Product name for the rows.
        cycle: Product cycle for the rows.
        clean_class: Class without defect; "" where the layout tells or there is none.
        samples_path: Where the Parquet table of images goes.
        stated: Whether product and cycle win over what images say that they are of, which is kept beside them.

    Raises:
        DataError: The source changed since the run was submitted, or a record breaks a rule.
    """
    with step_run("import_images", {"data": data, "data_format": data_format, "data_hash": data_hash}) as run:
        refuse_changed(data, data_format, data_hash)
        table = read_source(data, data_format, product=product, cycle=cycle, clean_class=clean_class)
        if stated:
            table = as_stated(table, product, cycle)
        _tell_unlabelled(run, unlabelled(table, data_format), table.root)
        return keep_samples(run, table, samples_path, data_hash)


def _tell_unlabelled(run: StepRun, left_out: Sequence[str], root: str) -> None:
    """Count images that no label speaks of, here and on the pipeline's run, and note the first."""
    metrics = {"images_unlabelled": len(left_out)}
    run.metrics(metrics)
    parent_tags({}, metrics)
    if left_out:
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        run.note(f"without a label and left out, of {root}: {len(left_out)}, {', '.join(left_out[:_NAMED])}{more}")


def as_stated(table: SampleTable, product: str, cycle: str) -> SampleTable:
    """Return a table whose images are all of a product and cycle; others that images named are `named_product`, …"""
    named = {f"named_{what}": table.rows[what] for what in ("product", "cycle")}
    if (named["named_product"] == product).all() and (named["named_cycle"] == cycle).all():
        return table
    return table.with_rows(table.rows.assign(product=product, cycle=cycle, **named))


def refuse_changed(data: str, data_format: str, data_hash: str) -> None:
    """Compare a source with its hash when the run was submitted, unless that is "".

    Raises:
        DataError: It changed.
    """
    check_unchanged(data, data_hash, lambda: source_hash(data, data_format), "import")


def keep_samples(run: StepRun, table: SampleTable, samples_path: str, data_hash: str = "") -> str:
    """Write a table of images, log what is in it, and return its content hash.

    Args:
        run: The step's run.
        table: Table of images.
        samples_path: Where it goes.
        data_hash: SHA-256 of what it was read from; "" for the table's own.
    """
    table.write(samples_path)
    content = table.content_hash()
    counts, first = table.rows["label"].value_counts(), table.rows.iloc[0]
    metrics = {"images": len(table.rows), "groups": table.rows["group"].nunique()}
    metrics |= {f"images_{name}": int(counts.get(name, 0)) for name in table.classes}
    run.params({"content_hash": content, "classes": list(table.classes), "clean_class": table.clean_class})
    run.metrics(metrics)
    tags = {"data_hash": data_hash or content, "product": str(first["product"]), "cycle": str(first["cycle"])}
    parent_tags(tags, metrics)
    return content
