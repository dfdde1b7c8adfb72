"""The report: one HTML page that holds all it shows, for reviewers who look rather than read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from glassline.data.storage import written_whole
from glassline.report.tables import Table, as_table
from glassline.report.templates import CONTENT_POLICY, template

_SHOWN_ELSEWHERE = 60
# The library that a t-SNE fragment carries, between the marks of its template.
_LIBRARY = re.compile(r"<!-- library -->.*?<!-- /library -->", re.DOTALL)


@dataclass(frozen=True)
class Verdict:
    """What was decided.

    Attributes:
        promoted: Whether the new model became champion.
        headline: One line, such as `ensemble_fusion, version 3, is the champion`.
        reasons: Why, one line each.
    """

    promoted: bool
    headline: str
    reasons: Sequence[str]


@dataclass(frozen=True)
class PageFigure:
    """A figure as the bytes of a PNG file, and what it shows; the caption is also its alternative text."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class SectionTable:
    """A table within a section: one mapping per row, column name to value."""

    title: str
    rows: Sequence[Mapping[str, object]]

    @property
    def cells(self) -> Table:
        """What its cells show."""
        return as_table(self.rows)


@dataclass(frozen=True)
class Section:
    """Tables and figures under one heading, with a line above them where one helps."""

    title: str
    figures: Sequence[PageFigure]
    note: str = ""
    tables: Sequence[SectionTable] = ()


@dataclass(frozen=True)
class LooksElsewhere:
    """A sample whose activation map lies outside its defect.

    Attributes:
        identity: Id of the sample.
        label: Its class.
        predicted: What the model said.
        energy_share: Share of the map's energy inside the defect mask, 0 to 1.
        thumbnail_png: The patch as the bytes of a PNG file.
    """

    identity: str
    label: str
    predicted: str
    energy_share: float
    thumbnail_png: bytes


@dataclass(frozen=True)
class ReportContent:
    """All that the page shows.

    Attributes:
        title: Title of the page.
        facts: Name to value of what was run: run id, data hash, git commit, product, cycle, date.
        sections: Tables and figures under headings.
        verdict: Promoted or kept, and why; None of a page about one system.
        models: One row per model, the best score of each column is marked. Without any there is neither significance,
            nor classes, t-SNE or what looks elsewhere.
        significance: One row per comparison; columns named `p` or ending in `_p` are shown as p-values.
        per_class: One row per class of the exported model.
        tsne: Name of each model to its fragment written by `tsne_html`, trusted as it is.
        warnings: What a reviewer must know before believing the figures.
        elsewhere: Samples whose activation map looks elsewhere; the 60 with the least inside are shown.
        highlights: The few figures that stand large at the top, name to value as read.
    """

    title: str
    facts: Mapping[str, str]
    sections: Sequence[Section]
    verdict: Verdict | None = None
    models: Sequence[Mapping[str, object]] = ()
    significance: Sequence[Mapping[str, object]] = ()
    per_class: Sequence[Mapping[str, object]] = ()
    tsne: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    elsewhere: Sequence[LooksElsewhere] = ()
    highlights: Mapping[str, str] = field(default_factory=dict)


def write_page(content: ReportContent, path: str | Path) -> None:
    """Write the report as one HTML file that needs no network, whole or not at all.

    Raises:
        DataError: A figure or thumbnail is no PNG.
        StorageError: The disk is full or the folder may not be written.
    """
    least_first = sorted(content.elsewhere, key=lambda sample: sample.energy_share)
    html = template("page.html").render(
        content=content,
        policy=CONTENT_POLICY,
        models=as_table(content.models, mark_best=True),
        significance=as_table(content.significance),
        per_class=as_table(content.per_class),
        tsne=_fragments(content.tsne),
        elsewhere=least_first[:_SHOWN_ELSEWHERE],
    )
    with written_whole(path) as beside:
        beside.write_text(html, encoding="utf-8")


def _fragments(tsne: Mapping[str, str]) -> dict[str, Markup]:
    """Return the fragments; one library, that of the first, draws all of them."""
    kept = {
        name: _LIBRARY.sub("", fragment) if number else fragment for number, (name, fragment) in enumerate(tsne.items())
    }
    return {name: Markup(fragment) for name, fragment in kept.items()}  # noqa: S704 - our own, which escape
