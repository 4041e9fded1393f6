"""`python -m tools.try_layers PYTHON…`: compares the shape rules with the Keras of each interpreter.

Prints one table per Keras and every difference; exits 1 when there is one. ``--layer Conv2D`` looks at one layer,
``--percent 300`` tries three times as many configurations, ``--seed`` others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tools.try_layers.asking import answers, release
from tools.try_layers.comparing import Comparison
from tools.try_layers.trials import trials, written


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.try_layers", description=__doc__)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON", help="an interpreter with TensorFlow and Keras 2 or 3")
    parser.add_argument("--seed", type=int, default=1, help="which configurations (default 1)")
    parser.add_argument("--percent", type=float, default=100, help="how many of them (default 100: about 9,000)")
    parser.add_argument("--layer", action="append", help="one layer by its class's name; may be given again")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at a time (default 2)")
    options = parser.parse_args()
    chosen = [
        (name, trial)
        for name, trial in trials(options.seed, options.percent)
        if not options.layer or name in options.layer
    ]
    wrong = 0
    for python in options.pythons:
        with tempfile.TemporaryDirectory() as folder:
            found = answers(Path(python), [trial for _, trial in chosen], Path(folder), options.jobs)
        comparison = Comparison(release(Path(python)))
        for (name, trial), answer in zip(chosen, found, strict=True):
            comparison.add(name, trial, answer)
        for each in comparison.differences:
            print(f"{each.name}: {each.kind}\n    {written(each.trial)}\n    rule: {each.rule}\n    real: {each.real}")
        print(comparison.table())
        print("differences:", dict(Counter(each.kind for each in comparison.differences)))
        print("compute_output_shape says something else than the call:", dict(sorted(comparison.inconsistent.items())))
        wrong += len(comparison.differences)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
