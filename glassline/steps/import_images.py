"""Import a source of labelled images into a sample table."""

from glassline.data.importers import read_source, source_hash
from glassline.data.samples import SampleTable
from glassline.errors import DataError
from glassline.tracking import StepRun, parent_tags, step_run


def import_images(
    data: str, data_format: str, data_hash: str, product: str, cycle: str, clean_class: str, samples_path: str
) -> str:
    """Import a source and return the content hash of its sample table.

    Args:
        data: Folder of images and annotations; for captures their label file, its folder, or the S3 URL of either.
        data_format: Layout name, as `glassline import --format`.
        data_hash: SHA-256 of the source (see `source_hash`) when the run was submitted; "" skips the comparison.
        product: Product name for the rows.
        cycle: Product cycle for the rows.
        clean_class: Class without defect; "" where the layout tells or there is none.
        samples_path: Where the Parquet table of images goes.

    Raises:
        DataError: The source changed since the run was submitted, or a record breaks a rule.
    """
    with step_run("import_images", {"data": data, "data_format": data_format, "data_hash": data_hash}) as run:
        refuse_changed(data, data_format, data_hash)
        table = read_source(data, data_format, product=product, cycle=cycle, clean_class=clean_class)
        return keep_samples(run, table, samples_path, data_hash)


def refuse_changed(data: str, data_format: str, data_hash: str) -> None:
    """Compare a source with its hash when the run was submitted, unless that is "".

    Raises:
        DataError: It changed.
    """
    if data_hash and (found := source_hash(data, data_format)) != data_hash:
        raise DataError(
            f"{data} must not change between submission and import: its hash was {data_hash[:12]}, now it is "
            f"{found[:12]}; submit the run again"
        )


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
