"""The mistakes that were found in files, as verdicts for the targets of a scan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial

from packaging.version import Version

from envcheck.knowledge.api.target import FIRST_OWN_KERAS, Target
from envcheck.knowledge.refusals import Refusals
from envcheck.knowledge.rows import folder
from envcheck.source.tree import FileReading, Look
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.models.faults import UNPACK, Fault, with_lines
from envcheck.verdicts.models.reading import packed
from envcheck.verdicts.targets import label, with_flag

MEASURED = (2, 3)
"""The major versions of Keras that models are judged for."""
_RAISES = re.compile(r"Keras \d raises")
_RAISES_WHEN = re.compile(r"Keras raises( when [\w ]+)?$")


def look(targets: Sequence[Target]) -> Look | None:
    """What looks at the models of files for these targets; None where none of them has such a Keras."""
    majors, under = tuple(by_major(targets)), tuple(by_major([with_flag(each) for each in targets]))
    return partial(packed, majors=majors, under_flag=under) if majors or under else None


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


def _keras(target: Target) -> Version:
    """The release of that Keras; tf_keras, and what a target with it leaves open, has the numbers of TensorFlow."""
    found = (target.tf_keras or target.tensorflow) if target.through_tf_keras else target.keras
    assert found is not None, "a target without Keras has no major version of it"
    return found


def judged(files: Sequence[FileReading], targets: Sequence[Target]) -> Iterator[Verdict]:
    """Verdicts about the models of files, one for each mistake, whatever the number of targets that have it."""
    for file in files:
        if file.models:
            by_version = by_major([with_flag(each) for each in targets] if file.legacy else targets)
            path = os.path.normpath(file.path).replace(os.sep, "/")
            for rows, fault in _together(dict(UNPACK.decode(file.models))):
                if all(major in by_version for major in rows):
                    about = [(each, major) for major in rows for each in by_version[major]]
                    for one, some in _by_release(fault, rows, about):
                        yield _verdict(file, path, one, some)


def _by_release(
    fault: Fault, rows: Mapping[int, str], about: Sequence[tuple[Target, int]]
) -> Iterator[tuple[Fault, list[tuple[Target, int]]]]:
    """A mistake for the targets whose release refuses it, and for those whose release makes something useless of it."""
    raising = [
        (each, major) for each, major in about if not rows[major] or _refusals().holds(rows[major], _keras(each))
    ]
    if raising:
        yield fault, raising
    others: dict[str, list[tuple[Target, int]]] = {}
    for each, major in about:
        otherwise = None if (each, major) in raising else _refusals().otherwise(rows[major])
        if otherwise is not None:
            others.setdefault(otherwise, []).append((each, major))
    for otherwise, some in others.items():
        releases = list(dict.fromkeys(f"Keras {_keras(each)}" for each, _ in some))
        who = releases[0] if len(releases) == 1 else f"each of {' and '.join(releases)}"
        yield (
            fault._replace(why=_RAISES_WHEN.sub(f"{who} {otherwise}", fault.why), runs="differs", stage="silent"),
            some,
        )


@cache
def _refusals() -> Refusals:
    """Read only where a file has such a mistake."""
    return Refusals(folder())


def _together(by_version: Mapping[int, tuple[Fault, ...]]) -> Iterator[tuple[Mapping[int, str], Fault]]:
    """Each mistake once, with the versions that have it in just this way, and for each the row that tells more."""
    found: dict[Fault, dict[int, str]] = {}
    for major, faults in by_version.items():
        for fault in faults:
            alike = fault._replace(why=_RAISES.sub("Keras raises", fault.why), row="")
            found.setdefault(alike, {})[major] = fault.row
    for fault, rows in found.items():
        yield rows, fault


def _verdict(file: FileReading, path: str, fault: Fault, about: Sequence[tuple[Target, int]]) -> Verdict:
    majors = [str(each) for each in dict.fromkeys(major for _, major in about)]
    who = f"Keras {majors[0]} raises" if len(majors) == 1 else f"Keras {' and Keras '.join(majors)} raise"
    line, cell = file.place(fault.line)
    width = fault.end - fault.column if fault.end > fault.column else 0
    return Verdict(
        fault.kind,
        fault.symbol,
        " and ".join(label(each) for each, _ in about),
        Place(path, line, fault.column + 1, cell, width),
        with_lines(fault.why.replace("Keras raises", who), file.place),
        advice=fault.advice,
        runs=fault.runs,
        asked="model",
        details={"kind": "model", "stage": fault.stage, "keras": " and ".join(majors)},
    )
