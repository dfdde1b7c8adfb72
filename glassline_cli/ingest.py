"""`glassline ingest`: a session's captures go to where they are kept."""

from pathlib import Path
from typing import Annotated

import typer


def ingest(
    session: Annotated[Path, typer.Argument(help="Folder of captures, as the rig wrote it.")],
    to: Annotated[str, typer.Option("--to", help="s3://bucket/prefix, or a folder.")],
) -> None:
    """Send a session's whole zones to S3 or another folder; what is there already is not sent again.

    Every file is checked before it leaves and after it has arrived. A killed ingest goes on when the command is
    given again. S3 is reached by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL.

    Example: glassline ingest session/ --to s3://rig/line-3
    """
    from rich.console import Console

    from glassline.data.captures.store import open_captures
    from glassline.data.ingest import ingest as send
    from glassline_cli.progress import progress_of

    console = Console()
    with progress_of("sending zones", console) as report:
        done = send(session, to, report)
    mb, seconds = done.size_bytes / 1e6, max(done.seconds, 1e-9)
    console.print(
        f"{done.zones} zones, {done.zones_sent} sent: {done.files} files, {done.size_bytes} bytes in "
        f"{done.seconds:.1f} s ({mb / seconds:.1f} MB/s)", highlight=False,
    )  # fmt: skip
    console.print(f"content hash {open_captures(session).content_hash()}", soft_wrap=True)
