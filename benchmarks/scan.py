"""``envcheck scan`` against other readers of Python: ``python -m benchmarks.scan TREE --tools FOLDER``.

CPU seconds (user and system) of whole processes, the median of runs taken in turns, on a tree of at least 2,000 files:

1. no cache: at most 3 × ``ruff check --select ALL`` and 8 × ``ruff check``;
2. per MB, on a sample of the tree for the slow ones: at least 6 × faster than vermin, 40 × faster than pylint,
   tf_upgrade_v2 and TorchFix, each made to look at every file;
3. warm (nothing changed since the last run): at most 2 × the warm ``ruff check``;
4. memory of the largest process: under 300 MB; time linear in bytes: half of the files take 0.4 to 0.6 of the time;
5. model definitions add at most 0.4 of the time that the names take.

``--tools`` is the ``bin`` folder of an environment with ruff, vermin, pylint and torchfix; ``--tensorflow`` one with
tf_upgrade_v2. Tools that are not there are left out, and that is said.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

TARGET = "tensorflow==2.21.0"
SAMPLE = 60
"""Files for the tools that need minutes for thousands."""
SLOW = {"vermin": 6.0, "pylint": 40.0, "tf_upgrade_v2": 40.0, "torchfix": 40.0}


class Cost(NamedTuple):
    """What a process and its children cost: CPU seconds, and MB of the largest of them."""

    seconds: float
    memory: float


def cost(command: Sequence[str], **environ: str) -> Cost:
    """Run a command; its verdict does not matter."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environ}
    ) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def cpu(command: Sequence[str], **environ: str) -> float:
    """CPU seconds of a command and its children."""
    return cost(command, **environ).seconds


def medians(runs: int, *commands: Callable[[], float]) -> list[float]:
    """The median of each, measured in turns."""
    figures: list[list[float]] = [[] for _ in commands]
    for _ in range(runs):
        for place, command in enumerate(commands):
            figures[place].append(command())
    return [statistics.median(each) for each in figures]


def scanning(tree: Path, *more: str, select: str = "API") -> list[str]:
    """A scan of a tree as JSON; of names, which is what the other tools look at, unless said otherwise."""
    return [
        sys.executable,
        "-m",
        "envcheck",
        "scan",
        str(tree),
        "--target",
        TARGET,
        "--no-gitignore",
        "--select",
        select,
        "-f",
        "json",
        *more,
    ]


def sample(files: Sequence[Path], count: int, folder: Path) -> float:
    """Copy some of the files; their size in MB."""
    chance = random.Random(1)  # noqa: S311 - a sample that can be drawn again
    total = 0
    for number, path in enumerate(chance.sample(list(files), count)):
        shutil.copyfile(path, folder / f"m{number}_{path.name}")
        total += path.stat().st_size
    return total / 1e6


def slow_command(tool: str, where: Path, folder: Path, out: Path) -> list[str]:
    """How a tool is made to look at every file."""
    program = str(where / tool)
    commands = {
        "vermin": [program, "--no-tips", "--processes=1", "-q", str(folder)],
        "pylint": [program, "--jobs=1", str(folder)],
        "tf_upgrade_v2": [
            program,
            "--intree",
            str(folder),
            "--outtree",
            str(out / "out"),
            "--reportfile",
            str(out / "report"),
        ],
        "torchfix": [program, "--select=ALL", str(folder)],
    }
    return commands[tool]


def main() -> int:
    """Measure and print; 1 where a figure does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--tensorflow", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    files = sorted(path for path in options.tree.rglob("*.py") if path.is_file())
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {size:.1f} MB in {options.tree.name}")
    rows: list[tuple[str, float, str, float]] = []
    ruff = str(options.tools / "ruff")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        plain = [ruff, "check", "--isolated", "--no-respect-gitignore", "-q", str(options.tree)]
        ours, models, everything, usual = medians(
            options.runs,
            lambda: cpu(scanning(options.tree, "--no-cache")),
            lambda: cpu(scanning(options.tree, "--no-cache", select="API,MDL")),
            lambda: cpu([*plain, "--no-cache", "--select", "ALL"]),
            lambda: cpu([*plain, "--no-cache"]),
        )
        speed = f"{len(files) / ours:.0f} files/s, {size / ours:.2f} MB/s"
        print(f"envcheck scan {ours:.2f} s ({speed}), ruff ALL {everything:.2f} s, ruff {usual:.2f} s")
        print(f"with model definitions {models:.2f} s")
        rows.append(("times the scan of names, with model definitions", models / ours, "<=", 1.4))
        rows.append(("times ruff check --select ALL", ours / everything, "<=", 3.0))
        rows.append(("times ruff check", ours / usual, "<=", 8.0))
        kept = {"ENVCHECK_CACHE_DIR": str(scratch / "kept")}
        cpu(scanning(options.tree), **kept)
        cpu([*plain, "--cache-dir", str(scratch / "ruff")])
        warm, ruff_warm = medians(
            options.runs,
            lambda: cpu(scanning(options.tree), **kept),
            lambda: cpu([*plain, "--cache-dir", str(scratch / "ruff")]),
        )
        print(f"warm: envcheck scan {warm:.2f} s, ruff {ruff_warm:.2f} s")
        rows.append(("times ruff check, both warm", warm / ruff_warm, "<=", 2.0))
        rows.extend(slow_tools(options, files, scratch, ours / size))
        half = scratch / "half"
        half.mkdir()
        part = sample(files, len(files) // 2, half)
        (again,) = medians(options.runs, lambda: cpu(scanning(half, "--no-cache")))
        rows.append(("of the time for the share of the bytes", (again / part) / (ours / size), "<=", 1.3))
    memory = cost(scanning(options.tree, "--no-cache", select="API,MDL")).memory
    rows.append(("MB of the largest process", memory, "<=", 300.0))
    return told(rows)


def slow_tools(
    options: argparse.Namespace, files: Sequence[Path], scratch: Path, ours: float
) -> list[tuple[str, float, str, float]]:
    """How many times faster a scan of the whole tree is, per MB, than each of the slow tools that are there.

    What a tool needs to start is taken off its time on the sample, and not off that of the scan.

    Args:
        options: where the tools are.
        files: of the tree.
        scratch: a folder.
        ours: CPU seconds of the scan for one MB.
    """
    chosen, empty = scratch / "sample", scratch / "empty"
    chosen.mkdir()
    empty.mkdir()
    (empty / "empty.py").write_text("x = 1\n")
    part = sample(files, min(SAMPLE, len(files)), chosen)
    rows = []
    for tool, least in SLOW.items():
        where = options.tensorflow if tool == "tf_upgrade_v2" else options.tools
        if not (where / tool).exists():
            print(f"{tool} is not there: left out")
            continue
        start = cpu(slow_command(tool, where, empty, scratch / "a"))
        figure = cpu(slow_command(tool, where, chosen, scratch / "b"))
        print(f"{tool} {figure:.2f} s for {part:.2f} MB, {start:.2f} s of them to start")
        rows.append((f"times faster than {tool}", (figure - start) / part / ours, ">=", least))
    return rows


def told(rows: Sequence[tuple[str, float, str, float]]) -> int:
    """Print each figure beside its limit."""
    failed = 0
    for words, figure, sign, limit in rows:
        holds = figure <= limit if sign == "<=" else figure >= limit
        failed += not holds
        print(f"{'holds' if holds else 'FAILS':6} {figure:8.2f} {sign} {limit}: {words}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
