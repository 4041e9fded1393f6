"""The command line: `python -m tools.measure_scan absent` and `python -m tools.measure_scan compare --target NAME`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import packages, scanning, tables
from .absences import absences
from .comparison import Comparison, compare, unmatched
from .reading import projects, records
from .targets import TARGETS, Target, corpora, results, target
from .truth import Truth


def main() -> int:
    """Run one command; 2 where an environment or the scan gave no answer."""
    parser = argparse.ArgumentParser(prog="python -m tools.measure_scan", description=__doc__)
    parser.add_argument("command", choices=("absent", "compare"))
    parser.add_argument("--target", action="append", choices=[one.name for one in TARGETS], help="all where left out")
    parser.add_argument("--corpora", type=Path, default=corpora(), help="a folder with one tree of files per project")
    parser.add_argument("--project", action="append", help="only this folder of the corpora")
    parser.add_argument("--report", type=Path, help="a report of `envcheck scan` made before, with --references")
    parser.add_argument("--references", type=Path, help="what its --references wrote")
    options = parser.parse_args()
    trees = [one for one in projects(options.corpora) if not options.project or one.name in options.project]
    targets = [target(name) for name in options.target] if options.target else list(TARGETS)
    try:
        if options.command == "absent":
            list_absences(targets, trees)
        else:
            compare_all(targets, trees, options.report, options.references)
    except (packages.NoAnswerError, scanning.ScanFailedError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def list_absences(targets: list[Target], trees: list[Path]) -> None:
    """Write what each target lacks to `TARGET.json` among the results, and print the totals."""
    found = records(trees)
    asked = packages.questions(found)
    truths = {one.name: Truth(packages.ask(one, asked)) for one in targets}
    for name, truth in truths.items():
        rows = absences(found, truths, name)
        (results() / f"{name}.json").write_text(json.dumps(rows, indent=1))
        for kind, entries in rows.items():
            total = sum(row["count"] for row in entries)
            nowhere = sum(not row["there"] for row in entries)
            print(
                f"{name}: {len(entries)} {kind} absent, {total} references; {nowhere} are on none of the targets asked"
            )
        print(f"{name}: {len(truth.died)} questions ended their process")


def compare_all(targets: list[Target], trees: list[Path], report: Path | None, references: Path | None) -> None:
    """Measure each target; print the tables and write them with every disagreement among the results."""
    found = records(trees)
    asked = packages.questions(found)
    outcomes: dict[str, Comparison] = {}
    for one in targets:
        paths = (report, references) if report and references else scanning.run(one, trees, results())
        outcomes[one.name] = _compare(one, scanning.load(*paths), found, asked)
    text = tables.markdown(outcomes)
    print(text)
    (results() / "comparison.md").write_text(text)
    (results() / "comparison.json").write_text(json.dumps(tables.plain(outcomes), indent=1))


def _compare(
    one: Target, scan: scanning.Scan, found: list[dict[str, Any]], asked: dict[str, list[dict[str, Any]]]
) -> Comparison:
    answers = packages.ask(one, asked)
    members = list(unmatched(scan, found))
    if members:
        answers += packages.ask(one, {"names": [], "calls": [], "members": members})
    return compare(scan, found, Truth(answers))


if __name__ == "__main__":
    sys.exit(main())
