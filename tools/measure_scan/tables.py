"""The results as Markdown for people and as plain data."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .comparison import ABOUT, Comparison, Disagreement, Score
from .documents import cell_lines

_EXAMPLES = 3


def markdown(outcomes: Mapping[str, Comparison]) -> str:
    """One table of scores for all targets; then what each disagrees about, by cause and name, the most frequent first."""
    lines = [
        "| target | about | reported | precision | undecided | lacking | recall | reported or folded | unknown references |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, outcome in outcomes.items():
        share = f"{outcome.unknown_share:.2%}"
        lines += [
            _score(name, about, score, share if about == ABOUT[0] else "")
            for about, score in outcome.scores.items()
            if score != Score()
        ]
    for name, outcome in outcomes.items():
        lines += ["", f"## {name}", "", *_disagreements(outcome.disagreements)]
        lines += ["", "Reported, and not seen by the oracle at that place:", ""]
        lines += [f"- `{symbol}` × {count}" for symbol, count in outcome.members.most_common()]
    return "\n".join(lines) + "\n"


def _score(name: str, about: str, score: Score, share: str) -> str:
    decided = score.true + score.false
    cells = (
        name, about, decided, f"{score.precision:.4f}", score.undecided, score.lacking.total(), f"{score.recall:.4f}",
        f"{score.reported:.4f}", share,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _disagreements(found: list[Disagreement]) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[Disagreement]] = defaultdict(list)
    for one in found:
        symbol = one.symbol + (f"({one.parameter}=)" if one.parameter else "")
        groups[one.about, one.side, one.cause, symbol].append(one)
    if not groups:
        yield "No disagreement."
    for (about, side, cause, symbol), rows in sorted(groups.items(), key=_rank):
        yield f"- {side} {about} `{symbol}` × {len(rows)}: {cause}"
        yield f"  - {rows[0].detail[:200]}"
        for row in rows[:_EXAMPLES]:
            cell = f" cell {row.cell}" if row.cell else ""
            yield f"  - {row.path}{cell}:{row.line} `{source_line(row.path, row.cell, row.line)[:120]}`"


def _rank(item: tuple[tuple[str, str, str, str], list[Disagreement]]) -> tuple[int, str, int, str]:
    (about, side, _, symbol), rows = item
    return ABOUT.index(about), side, -len(rows), symbol


def plain(outcomes: Mapping[str, Comparison]) -> dict[str, Any]:
    """All of it, every disagreement with its source line."""
    return {
        name: {
            **{about: _plain_score(score) for about, score in outcome.scores.items()},
            "unknown_share": outcome.unknown_share,
            "reported_members": dict(outcome.members.most_common()),
            "disagreements": [
                {**dataclasses.asdict(one), "source": source_line(one.path, one.cell, one.line)}
                for one in outcome.disagreements
            ],
        }
        for name, outcome in outcomes.items()
    }


def _plain_score(score: Score) -> dict[str, Any]:
    return {
        "true": score.true,
        "false": score.false,
        "undecided": score.undecided,
        "lacking": dict(score.lacking),
        "precision": score.precision,
        "recall": score.recall,
        "reported_share": score.reported,
    }


def source_line(path: str, cell: int | None, line: int) -> str:
    """The line itself without its indentation; ``cell`` counts all cells of a notebook."""
    lines = _lines(path, cell)
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


@lru_cache(maxsize=64)
def _lines(path: str, cell: int | None) -> list[str]:
    source = Path(path).read_text(encoding="utf-8", errors="replace")
    if cell is None:
        return source.splitlines()
    return dict(cell_lines(json.loads(source))).get(cell, [])
