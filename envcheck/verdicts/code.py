"""Readings of a tree judged on every target."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from envcheck.findings import Coverage
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.objects import Objects
from envcheck.knowledge.api.replacements import Replacements
from envcheck.knowledge.api.returns import Returns
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.values import Values
from envcheck.source.tree import FileReading
from envcheck.verdicts.found import Code, Trouble, Verdict
from envcheck.verdicts.judging import Judge, Source, Tally
from envcheck.verdicts.models.judged import judged
from envcheck.verdicts.project import Project
from envcheck.verdicts.targets import label, with_flag
from envcheck.verdicts.windows import Windows


class Library:
    """What envcheck knows about the API, loaded once for all targets.

    Args:
        folder: ``compat_matrix/api``.
    """

    def __init__(self, folder: Path) -> None:
        self.api = Api(folder)
        self.replacements = Replacements(folder / "replacements", self.api)
        self.returns = Returns(folder, self.api.shelf)
        self.objects = Objects(folder, self.api.shelf)
        self.values = Values(folder, self.api.shelf)
        self.identifiers = Identifiers(folder, self.api.shelf)


def judge(
    files: Sequence[FileReading],
    targets: Sequence[Target],
    library: Library,
    progress: Callable[[str], None],
    references: list[dict[str, object]] | None = None,
) -> tuple[Code, Coverage]:
    """Judge every file on every target.

    Args:
        files: what was read.
        targets: the releases, completed.
        library: what is known.
        progress: is told what is being done.
        references: takes every reference with what became of it; None: they are only counted.
    """
    project = Project({os.path.normpath(each.path).replace(os.sep, "/"): each for each in files})
    windows = Windows(library.api)
    tally = Tally(references=references)
    verdicts: list[Verdict] = []
    own = [file for file in files if file.legacy]
    asked = [(target, [file for file in files if not file.legacy] if own else files) for target in targets]
    asked += [(with_flag(target), own) for target in targets if own]
    for number, (target, some) in enumerate(asked):
        words = label(target)
        one = Judge(
            library.api,
            library.replacements,
            library.returns,
            library.objects,
            library.values,
            library.identifiers,
            target,
            words,
            project,
            tally,
            windows if number == 0 and not target.through_tf_keras else None,
        )
        progress(f"judging for {words}")
        for each in some:
            uses, conditions = each.unpacked()
            if uses:
                path = os.path.normpath(each.path).replace(os.sep, "/")
                verdicts += one.file(Source(path, uses, conditions, each.place))
    verdicts += judged(files, targets)
    verdicts.sort(
        key=lambda each: (each.place.path, each.place.cell or 0, each.place.line, each.place.column, each.symbol)
    )
    troubles = tuple(
        Trouble(each.path, trouble.reason, trouble.line, trouble.end, trouble.cell)
        for each in files
        for trouble in each.troubles
    )
    counts = tally.counts
    total = counts["known"] + counts["unknown"] + counts["guarded"]
    coverage = Coverage(
        scanned=len(files),
        unparsed=sum(bool(each.troubles) for each in files),
        total=total,
        known=counts["known"],
        unknown=counts["unknown"],
        guarded=counts["guarded"],
        folded=counts["folded"],
        untyped=counts["untyped"],
        targets=tuple(label(target) for target in targets),
        windows=tuple(windows.all()),
        notes=_by_themselves(own, targets),
    )
    return Code(tuple(verdicts), troubles), coverage


def _by_themselves(files: Sequence[FileReading], targets: Sequence[Target]) -> tuple[str, ...]:
    """What must be said of files that make ``tf.keras`` tf_keras."""
    under = [label(with_flag(each)) for each in targets if not each.legacy and each.knows_flag]
    if not files or not under:
        return ()
    who = f"{files[0].path} sets" if len(files) == 1 else f"{files[0].path} and {len(files) - 1} more set"
    return (f"{who} TF_USE_LEGACY_KERAS, which needs tf_keras: judged for {' and '.join(under)}",)
