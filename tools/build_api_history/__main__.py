"""`python -m tools.build_api_history`: extract what is missing, merge, write; `--ask N` then asks every release again."""

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from envcheck.knowledge.api.answers import Api
from tools.build_api_history import asking, books, environments, history, records, text
from tools.build_api_history.recipes import Recipe, recipes

FOLDER = Path(__file__).resolve().parents[2] / "compat_matrix" / "api"


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="build_api_history", description=__doc__)
    parser.add_argument(
        "--jobs", type=int, default=2, help="environments at a time; each needs up to 2 GB of disk and 3 GB of memory"
    )
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="RELEASE", help="extract or ask these alone, as tensorflow-2.21.0"
    )
    parser.add_argument("--ask", type=int, default=0, metavar="N", help="questions to each root of each release")
    options = parser.parse_args()
    started = time.monotonic()
    everything = recipes()
    chosen = [recipe for recipe in everything if not options.only or recipe.name in options.only]
    failed = records.make(chosen, options.jobs)
    if failed:
        print(f"{len(failed)} environments failed: {', '.join(failed)}; nothing was written", file=sys.stderr)
        return 1
    write(everything)
    print(f"written to {FOLDER}; {time.monotonic() - started:.0f} s", file=sys.stderr)
    return ask(chosen, options.ask, options.jobs) if options.ask else 0


def write(everything: list[Recipe]) -> None:
    """Merge all records into compat_matrix/api/."""
    books.ALL_TRIED = records.tried_keywords()
    merged, said = history.read_all(everything)
    FOLDER.mkdir(exist_ok=True)
    for book in merged:
        (FOLDER / f"{book.title}.txt").write_text(text.render(book), encoding="ascii")
        if book.modules:
            (FOLDER / f"{book.title}.modules.txt").write_text(text.render_modules(book), encoding="ascii")
    for line in said:
        print(line, file=sys.stderr)


def ask(chosen: list[Recipe], count: int, jobs: int) -> int:
    """Ask every release again; prints a table to stdout and every disagreement. Returns 1 where there is one."""
    folder = records.cache_folder() / "questions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def one(recipe: Recipe) -> list[asking.Verdict]:
        try:
            with environments.environment(recipe, records.cache_folder() / "environments") as python:
                return asking.ask(recipe, python, Api(FOLDER), count, folder)
        except environments.EnvironmentFailedError as error:
            return [asking.Verdict("?", disagreements=[f"could not be asked: {error}"])]

    wrong = 0
    print(f"{'release':24}{'root':12}{'names':>7}{'keywords':>10}{'unanswered':>12}{'disagreements':>15}")
    with ThreadPoolExecutor(jobs) as pool:
        for recipe, verdicts in zip(chosen, pool.map(one, chosen), strict=True):
            for verdict in verdicts:
                wrong += len(verdict.disagreements)
                numbers = f"{verdict.names:7}{verdict.keywords:10}{verdict.unknown:12}{len(verdict.disagreements):15}"
                print(f"{recipe.name:24}{verdict.root:12}{numbers}", *verdict.disagreements, sep="\n    ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
