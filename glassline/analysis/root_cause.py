"""What the line does to every glass: marks that repeat in one place, view by view, and since when.

Source: Yu et al. 2020 (system D of the reading), section 3.4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassline.errors import DataError
from glassline.vision.mark_images import mark_levels, median_magnitude, with_images
from glassline.vision.repeating_marks import Mark, RootCauseSettings, find_marks, same_place
from glassline.vision.view_align import align
from glassline.vision.view_check import check_copies, check_size
from glassline.vision.view_spool import ViewImages
from glassline.vision.views import open_views
from glassline.vision.window_strength import ImageRows, Reference, window_strength

# Good images that a window is compared with, spread over all that there are; fewer say more of their own noise than of
# what they share.
_REFERENCE, _LEAST_REFERENCE = 60, 10

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ViewResult:
    """What repeats in one view.

    Attributes:
        view: Its name.
        names: Its images in the order in which they were taken.
        windows: Number of windows that were looked at.
        moved: Number of images that were brought back to their place.
        marks: What repeats, the strongest first.
        example: Grey levels of an image that shows each mark, at the mark and around.
    """

    view: str
    names: tuple[str, ...]
    windows: int
    moved: int
    marks: tuple[Mark, ...]
    example: tuple["Example", ...]


@dataclass(frozen=True)
class Example:
    """A part of an image that shows a mark.

    Attributes:
        image: Its name.
        left_px: Where the part starts in the image.
        top_px: The same, downwards.
        levels_hw: Grey levels of the part.
        median_hw: Magnitude of the median gradient there, in grey levels per px.
    """

    image: str
    left_px: int
    top_px: int
    levels_hw: Any
    median_hw: Any


def find_root_cause(
    place: str | Path, settings: RootCauseSettings, reference: str | Path | None = None, tell: Progress | None = None
) -> list[ViewResult]:
    """Look for repeating marks in every view below a place.

    Args:
        place: See `open_views`.
        settings: What counts as a mark.
        reference: Views, of the same names, of glasses known to be good; what repeats there too is no mark.
        tell: Called with a line about how far the search is.

    Raises:
        DataError: A view has fewer images than a window, or a reference fewer than 10; images differ in size, are
            below 16 px or copies of one another, or one cannot be read.
    """
    views = open_views(place)
    good = _by_name(open_views(reference), views, reference) if reference is not None else {}
    for view in views:
        if len(view.names) < settings.window:
            raise DataError(
                f"a window must have no more images than the view, got --window {settings.window} for the "
                f"{len(view.names)} images of {view.name}; take more images or a smaller --window (30 or more is best)"
            )
    for view in good.values():
        if len(view.names) < _LEAST_REFERENCE:
            raise DataError(
                f"a reference must have {_LEAST_REFERENCE} images or more, got {len(view.names)} for {view.name}; take "
                "more good glasses (30 or more is best)"
            )
    return [_look(view, settings, good.get(view.name), tell or (lambda line: None)) for view in views]


def _by_name(good: list[ViewImages], views: list[ViewImages], place: object) -> dict[str, ViewImages]:
    if len(good) == len(views) == 1:
        return {views[0].name: good[0]}
    found = {view.name: view for view in good}
    if missing := [view.name for view in views if view.name not in found]:
        raise DataError(
            f"the reference must have every view, got none of {', '.join(missing[:5])} below {place}; name the folder "
            "that holds the same views of good glasses"
        )
    return found


def _look(view: ViewImages, settings: RootCauseSettings, good: ViewImages | None, tell: Progress) -> ViewResult:
    total = len(view.names)
    with view:
        view.load(lambda done, of: tell(f"{view.name}: {done} of {of} images read") if done in (of, of // 2) else None)
        check_size(view)
        check_copies(view, [range(start, start + settings.window) for start in window_starts(total, settings.window)])
        images, structure = align(view, total)
        if good is None:
            return _search(view, images, settings, None, tell)
        with good:
            good.load()
            if good.size_px != view.size_px:
                raise DataError(
                    f"reference images must be as large as those of {view.name}, {view.size_px[1]} x "
                    f"{view.size_px[0]} px, got {good.size_px[1]} x {good.size_px[0]} px; take them at the same place"
                )
            check_copies(good, [range(len(good.names))])
            there = align(good, len(good.names), structure)[0] if structure else good
            numbers = np.linspace(0, len(good.names) - 1, min(len(good.names), _REFERENCE)).round().astype(int)
            return _search(view, images, settings, Reference(there, tuple(numbers.tolist())), tell)


def _search(
    view: ViewImages, images: ImageRows, settings: RootCauseSettings, reference: Reference | None, tell: Progress
) -> ViewResult:
    total = len(view.names)
    starts = window_starts(total, settings.window)
    found: list[Mark] = []
    clean_N = None
    for done, start in enumerate(starts, 1):
        numbers = range(start, start + settings.window)
        strength = window_strength(images, numbers, start, reference, clean_N)
        found += find_marks(images, numbers, strength, settings.false_alarm_rate, reference)
        clean_N = strength.clean_N
        del strength  # as large as an image: gone before the next one comes
        tell(f"{view.name}: {done} of {len(starts)} windows, {len(found)} marks")
    marks = [with_images(images, total, mark) for mark in merged(found)]
    marks = [replace(mark, **_levels(images, mark, reference)) for mark in marks]
    shown = tuple(_example(images, view.names, mark) for mark in marks)
    moved = sum(one != (0, 0) for one in getattr(images, "shifts_px", ()))
    return ViewResult(view.name, view.names, len(starts), moved, tuple(marks), shown)


def _levels(images: ImageRows, mark: Mark, reference: Reference | None) -> dict[str, Any]:
    levels_hw, magnitude_hw = mark_levels(images, mark, reference)
    return {"levels_hw": levels_hw, "magnitude_hw": magnitude_hw}


def window_starts(total: int, window: int) -> list[int]:
    """Return where windows start: one after the other, the last one ending with the last image."""
    starts = list(range(0, total - window + 1, window))
    return starts if starts[-1] == total - window else [*starts, total - window]


def merged(found: Sequence[Mark]) -> list[Mark]:
    """Return the marks of all windows, those of one place as one: the strongest of them, with the first's window."""
    groups: list[list[Mark]] = []
    for mark in found:
        near = [group for group in groups if any(same_place(mark, other) for other in group)]
        groups = [group for group in groups if group not in near] + [[mark, *(one for group in near for one in group)]]
    strongest = [max(group, key=lambda mark: mark.strength) for group in groups]
    return sorted(strongest, key=lambda mark: (-mark.strength, mark.bbox_px))


def _example(images: ImageRows, names: Sequence[str], mark: Mark) -> Example:
    """Return an image that shows the mark, cut to the mark's surroundings."""
    x, y, width, height = mark.bbox_px
    around = max(width, height, 40)
    left, top = max(x - around, 0), max(y - around, 0)
    right, bottom = min(x + width + around, images.size_px[1]), min(y + height + around, images.size_px[0])
    number = mark.images[0] if mark.images else mark.window[0]
    levels_hw = images.rows(number, top, bottom)[:, left:right]
    median_hw = median_magnitude(images, mark, (slice(top, bottom), slice(left, right)))
    return Example(names[number], left, top, levels_hw.copy(), median_hw)
