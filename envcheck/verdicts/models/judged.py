"""The mistakes that were found in files, as verdicts for the targets of a scan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from envcheck.knowledge.api.target import FIRST_OWN_KERAS, Target
from envcheck.source.tree import FileReading, Look
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.models.faults import UNPACK, Fault, with_lines
from envcheck.verdicts.models.reading import packed
from envcheck.verdicts.targets import label

MEASURED = (2, 3)
"""The major versions of Keras that models are judged for."""
_RAISES = re.compile(r"Keras \d raises")


def look(targets: Sequence[Target]) -> Look | None:
    """What looks at the models of files for these targets; None where none of them has such a Keras."""
    majors = tuple(by_major(targets))
    return partial(packed, majors=majors) if majors else None


def by_major(targets: Sequence[Target]) -> Mapping[int, list[Target]]:
    """The targets by the major version of their Keras: that of ``tf.keras``, where there are two."""
    found: dict[int, list[Target]] = {}
    for target in targets:
        major = _major(target)
        if major is not None:
            found.setdefault(major, []).append(target)
    return dict(sorted(found.items()))


def unjudged(targets: Sequence[Target]) -> list[str]:
    """What must be said of targets whose models are not judged."""
    return [
        f"{label(target)}: model definitions (MDL) are not judged, what their Keras does with mistakes was not measured"
        for target in targets
        if _major(target) is None
    ]


def _major(target: Target) -> int | None:
    """The major version of the Keras that models are made with; None where what it does was not measured."""
    if target.through_tf_keras:
        return 2
    if target.keras is None or target.keras < FIRST_OWN_KERAS:
        return None
    return target.keras.major if target.keras.major in MEASURED else None


def judged(files: Sequence[FileReading], targets: Sequence[Target]) -> Iterator[Verdict]:
    """Verdicts about the models of files, one for each mistake, whatever the number of targets that have it."""
    labels = {major: [label(each) for each in some] for major, some in by_major(targets).items()}
    for file in files:
        if file.models:
            path = os.path.normpath(file.path).replace(os.sep, "/")
            for majors, fault in _together(dict(UNPACK.decode(file.models))):
                if all(major in labels for major in majors):
                    yield _verdict(file, path, majors, fault, [each for major in majors for each in labels[major]])


def _together(by_version: Mapping[int, tuple[Fault, ...]]) -> Iterator[tuple[tuple[int, ...], Fault]]:
    """Each mistake once, with the versions that have it in just this way."""
    found: dict[Fault, list[int]] = {}
    for major, faults in by_version.items():
        for fault in faults:
            found.setdefault(fault._replace(why=_RAISES.sub("Keras raises", fault.why)), []).append(major)
    for fault, majors in found.items():
        who = f"Keras {majors[0]} raises" if len(majors) == 1 else f"Keras {' and Keras '.join(map(str, majors))} raise"
        yield tuple(majors), fault._replace(why=fault.why.replace("Keras raises", who))


def _verdict(file: FileReading, path: str, majors: tuple[int, ...], fault: Fault, labels: Sequence[str]) -> Verdict:
    line, cell = file.place(fault.line)
    width = fault.end - fault.column if fault.end > fault.column else 0
    return Verdict(
        fault.kind,
        fault.symbol,
        " and ".join(labels),
        Place(path, line, fault.column + 1, cell, width),
        with_lines(fault.why, file.place),
        advice=fault.advice,
        runs=fault.runs,
        asked="model",
        details={"kind": "model", "stage": fault.stage, "keras": " and ".join(str(each) for each in majors)},
    )
