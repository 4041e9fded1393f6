"""Precision and recall of a scan against the packages of one target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .absences import set_aside
from .matching import Places, counting, fits
from .scanning import NAME_KINDS, PARAMETER_KINDS, Said, Scan
from .truth import Answer, Truth

Record = Mapping[str, Any]
Row = Mapping[str, Any]
# Statuses with which the scan says that a reference needs no finding of its own, or that it does not know.
_ALLOWED = ("reported", "folded", "guarded", "unknown")
# The oracle's guards that keep a use from running, or its failure from being one; see `values.Reference`.
_PROTECTS = {"try", "handler", "condition", "after early return", "getattr default"}


ABOUT = ("names", "parameters", "members", "own names", "own parameters", "own members")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place where the scan and the package differ.

    ``side`` is ``false`` (a report that is not so), ``missed``, ``left open`` (the scan counts it as guarded or unknown, which
    is no mistake), or ``guarded`` (a report that is so, of what a handler or a condition protects; it counts as true).
    """

    about: str
    side: str
    cause: str
    path: str
    cell: int | None
    line: int
    symbol: str
    parameter: str | None
    detail: str


@dataclass(slots=True)
class Score:
    """Counts over references; ``missed`` by what the scan said instead of reporting.

    ``undecided`` are reports that the package could not be asked about; they count neither for nor against.
    """

    true: int = 0
    false: int = 0
    undecided: int = 0
    lacking: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Reports that are so, among those that could be decided; 1 where there are none."""
        decided = self.true + self.false
        return self.true / decided if decided else 1.0

    @property
    def recall(self) -> float:
        """References that the package lacks and that are reported, folded, or counted as guarded or unknown."""
        total = self.lacking.total()
        return sum(self.lacking[one] for one in _ALLOWED) / total if total else 1.0

    @property
    def reported(self) -> float:
        """The same, of reported and folded ones only."""
        total = self.lacking.total()
        return (self.lacking["reported"] + self.lacking["folded"]) / total if total else 1.0


@dataclass(slots=True)
class Comparison:
    """What came out for one target.

    ``scores`` are of ``names`` and ``parameters`` that the oracle's own resolver finds at the same place, and of ``members``:
    reports of what it does not see there, mostly attributes of instances. Of those the packages say whether the name is
    there; whether the code means that name, nobody but a reader can say, so ``members`` lists how often each was reported.
    ``own …`` are those of projects that have a top-level package of that name themselves (Keras's own trees).
    """

    scores: Mapping[str, Score]
    members: Counter[str]
    disagreements: list[Disagreement]
    unknown_share: float


def unmatched(scan: Scan, records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Questions about findings whose name the oracle did not find at their place (see `inside/members.py`)."""
    asked = set()
    at = _References(scan, records)
    for finding in scan.findings:
        if finding.kind not in NAME_KINDS | PARAMETER_KINDS or not finding.symbol:
            continue
        keyword = finding.parameter if finding.kind in PARAMETER_KINDS else None
        if (finding.symbol, keyword) not in asked and not at.fitting(finding):
            asked.add((finding.symbol, keyword))
            yield {"name": finding.symbol, "keyword": keyword}


def compare(scan: Scan, records: Sequence[Record], truth: Truth) -> Comparison:
    """Judge every finding by the packages, and look for every reference that they lack."""
    at = _References(scan, records)
    disagreements: list[Disagreement] = []
    scores = {about: Score() for about in ABOUT}
    members: Counter[str] = Counter()
    for finding in scan.findings:
        kind = "names" if finding.kind in NAME_KINDS else "parameters" if finding.kind in PARAMETER_KINDS else None
        if kind is None or not finding.symbol:
            continue
        fitting = at.fitting(finding)
        about = ("own " if at.own(finding) else "") + (kind if fitting else "members")
        judge = _judge_name if kind == "names" else _judge_parameter
        judge(finding, fitting, truth, scores[about], about, disagreements)
        if not fitting:
            members[f"{finding.symbol}({finding.parameter}=)" if finding.parameter else finding.symbol] += 1
    said = Places([*scan.findings, *scan.references], at.counting)
    for reference, keyword, answer in lacking(records, truth):
        about = ("own " if reference["local"] else "") + ("names" if keyword is None else "parameters")
        status = _status(reference, keyword, said)
        scores[about].lacking[status] += 1
        if status not in {"reported", "folded"}:
            side = "left open" if status in _ALLOWED else "missed"
            disagreements.append(_missed(about, side, reference, keyword, _cause(status, reference, said), answer))
    rows = Counter(one.status for one in scan.references if one.parameter is None)
    return Comparison(scores, members, disagreements, rows["unknown"] / max(rows.total(), 1))


def lacking(records: Sequence[Record], truth: Truth) -> Iterator[tuple[Row, str | None, Answer]]:
    """The references whose name the packages lack, and those whose callable does not take a keyword, with that keyword.

    Those that :func:`.absences.set_aside` sets aside are left out.
    """
    for record in records:
        for reference in record["references"]:
            if set_aside(reference):
                continue
            answer = truth.name(record["loads"], reference)
            if answer.status == "absent":
                yield reference, None, answer
            for keyword in reference["keywords"] if answer.status == "present" else ():
                taken = truth.keyword(reference["name"], keyword)
                if taken.status == "rejected":
                    yield reference, keyword, taken


class _References:
    """The oracle's references by file and line, to look up those that a finding speaks of."""

    def __init__(self, scan: Scan, records: Sequence[Record]) -> None:
        everything = [(record, reference) for record in records for reference in record["references"]]
        said = [*scan.findings, *scan.references]
        self.counting = counting(said, (reference for _, reference in everything))
        self._at: dict[tuple[str, int | None, int], list[tuple[Record, Row]]] = {}
        self._own: set[tuple[str, str]] = set()
        for record, reference in everything:
            cell = reference["cell"][self.counting] if reference["cell"] else None
            if reference["local"]:
                self._own.add((reference["path"], reference["name"].partition(".")[0]))
            for line in range(reference["line"], reference["end"] + 1):
                self._at.setdefault((reference["path"], cell, line), []).append((record, reference))

    def own(self, finding: Said) -> bool:
        """Whether it speaks of a package that the project has itself."""
        return (finding.path, finding.symbol.partition(".")[0]) in self._own

    def fitting(self, finding: Said) -> list[tuple[Record, Row]]:
        """Those on the finding's line whose name fits its symbol; the same name first."""
        found = self._at.get((finding.path, finding.cell, finding.line), [])
        return sorted(
            (one for one in found if fits(finding.symbol, one[1]["name"])),
            key=lambda one: (one[1]["name"] != finding.symbol, len(one[1]["name"])),
        )


def _judge_name(
    finding: Said, fitting: list[tuple[Record, Row]], truth: Truth, score: Score, about: str, found: list[Disagreement]
) -> None:
    answers = [truth.name(record["loads"], reference) for record, reference in fitting]
    lacking = [one for one in answers if one.status == "absent" and not _reaches(one.there, finding.symbol)]
    present = [one for one in answers if one.status == "present" or _reaches(one.there, finding.symbol)]
    if not answers:
        answer = truth.member(finding.symbol)
        lacking = [answer] if answer.status in {"absent", "uninstalled"} else []
        present = [answer] if answer.status == "present" else []
    if lacking:
        score.true += 1
        if fitting and all(reference["guard"] in _PROTECTS for _, reference in fitting):
            cause = f"the oracle sees a guard: {fitting[0][1]['guard']}"
            found.append(_wrong(about, "guarded", finding, lacking[0], cause))
    elif present:
        score.false += 1
        found.append(_wrong(about, "false", finding, present[0], "the package has it"))
    else:
        score.undecided += 1


def _judge_parameter(
    finding: Said, fitting: list[tuple[Record, Row]], truth: Truth, score: Score, about: str, found: list[Disagreement]
) -> None:
    keyword = str(finding.parameter)
    answers = [
        truth.keyword(reference["name"], keyword) for _, reference in fitting if keyword in reference["keywords"]
    ] or [truth.member_keyword(finding.symbol, keyword)]
    statuses = {one.status for one in answers}
    if "rejected" in statuses:
        score.true += 1
    elif "accepted" in statuses:
        score.false += 1
        found.append(_wrong(about, "false", finding, answers[0], "the package takes it"))
    else:
        score.undecided += 1


def _reaches(there: str, symbol: str) -> bool:
    """Whether what is surely there includes the symbol itself."""
    return there == symbol or there.startswith(symbol + ".")


def _wrong(about: str, side: str, finding: Said, answer: Answer, cause: str) -> Disagreement:
    return Disagreement(
        about, side, cause, finding.path, finding.cell, finding.line, finding.symbol, finding.parameter,
        f"{finding.kind}: {finding.message} | {answer.detail}",
    )  # fmt: skip


def _status(reference: Row, keyword: str | None, said: Places) -> str:
    """What the scan says of a reference, or of one of its keywords: ``unseen`` where it says nothing."""
    near = said.fitting(reference)
    if keyword is None:
        return near[0].status if near else "unseen"
    statuses = [one.status for one in near if one.parameter == keyword]
    # A finding about the callable itself, or a callable that the scan does not follow, leaves its keywords unsaid.
    statuses += [one.status for one in near if one.parameter is None and one.status in {"folded", "guarded", "unknown"}]
    return statuses[0] if statuses else ("known" if near else "unseen")


def _cause(status: str, reference: Row, said: Places) -> str:
    if status != "unseen":
        return f"the scan says: {status}"
    if reference["path"] not in said.paths:
        return "the scan saw nothing in this file"
    near = said.near(reference)
    return (
        f"the scan sees another name here ({near[0].symbol})"
        if near
        else f"the scan sees no reference here ({reference['kind']})"
    )


def _missed(about: str, side: str, reference: Row, keyword: str | None, cause: str, answer: Answer) -> Disagreement:
    cell = reference["cell"][0] if reference["cell"] else None
    return Disagreement(
        about, side, cause, reference["path"], cell, reference["line"], reference["name"], keyword, answer.detail
    )
