"""What a project pins against what its code needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.specifiers import SpecifierSet

from envcheck.findings import Window
from envcheck.knowledge.api.answers import Api
from envcheck.source.pins import Pin, pins
from envcheck.verdicts.found import Place, Trouble, Verdict


def against_pins(paths: Sequence[str], windows: Sequence[Window], api: Api) -> tuple[list[Verdict], list[Trouble]]:
    """What the scanned folders' own files pin against what the code needs, and what of those files could not be read."""
    verdicts: list[Verdict] = []
    troubles: list[Trouble] = []
    for path in dict.fromkeys(path for path in paths if os.path.isdir(path)):  # noqa: PTH112 - a path may hold a NUL
        found, unread = pins(Path(path))
        verdicts += disagreements(found, windows, api)
        troubles += [Trouble(each.path, each.reason) for each in unread]
    return verdicts, troubles


def disagreements(asked: Sequence[Pin], windows: Sequence[Window], api: Api) -> Iterator[Verdict]:
    """Pins that allow no release on which the code runs, or also releases on which it does not.

    Args:
        asked: what the project's files ask for.
        windows: what the code needs; those of the whole tree count.
        api: the recorded releases.
    """
    tree = {window.package: window for window in windows if window.scope == "."}
    for pin in asked:
        window = tree.get(pin.package)
        if window is None or not pin.specifier or not window.releases:
            continue
        book = api.shelf.book(pin.package)
        labels = {label: place for place, label in enumerate(book.labels)}
        needed = 0
        for first, last in window.releases:
            end = labels[last] if last is not None else len(labels) - 1
            needed |= (1 << (end + 1)) - (1 << labels[first])
        wanted = SpecifierSet(pin.specifier)
        allowed = sum(
            1 << place for place, version in enumerate(book.versions) if wanted.contains(version, prereleases=True)
        )
        if not allowed:  # an exact patch between two recorded ones
            continue
        if not allowed & needed:
            yield _verdict(
                pin,
                window,
                f"no release that it allows has all that the code uses: the code needs {window.words}",
                "differs",
            )
        elif allowed & ~needed:
            first, last = book.intervals(allowed & ~needed)[-1]
            outside = first if last == first else f"{first}-{last or book.labels[-1]}"
            yield _verdict(pin, window, f"it allows {outside} too, and the code needs {window.words}", "works")


def _verdict(pin: Pin, window: Window, why: str, runs: str) -> Verdict:
    bounds = [
        f"{bound.symbol} ({bound.location.path}:{bound.location.line})"
        for bound in (window.lower, window.upper)
        if bound
    ]
    told = f"; {' and '.join(bounds)} bound{'s' if len(bounds) == 1 else ''} it" if bounds else ""
    return Verdict(
        "pin",
        f"{pin.distribution}{pin.specifier}",
        window.words,
        Place(pin.path, pin.line, 1),
        f"{why}{told}",
        advice=f"ask for {window.words}, or change the code that bounds it",
        runs=runs,
        asked="pin",
    )
