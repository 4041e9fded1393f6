"""``python -m tools.refresh_matrix``: read the package index, write the releases."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from envcheck import __version__
from envcheck.knowledge.releases import Release
from envcheck.knowledge.rows import listed, read
from tools.refresh_matrix.cache import Cache, default, write
from tools.refresh_matrix.index import File, Index, PackageIndex, Unreadable
from tools.refresh_matrix.records import Record, Wanted, records, text
from tools.refresh_matrix.series import rewritten
from tools.refresh_matrix.wheels import WheelFacts, facts, wanted

FOLDER = Path(__file__).parent.parent.parent / "compat_matrix"


class Refresh:
    """One run: what was read, what would change, what failed."""

    def __init__(self, index: Index, cache: Cache, folder: Path) -> None:
        self._index = index
        self._cache = cache
        self._folder = folder
        self.wheels_read = 0
        self.files: dict[Path, bytes] = {}
        """What differs from what is there: the new content by path."""
        self.failed: list[str] = []

    def wheel(self, file: File) -> WheelFacts:
        """What a wheel tells, from the cache or by reading it.

        Raises:
            Unreadable: naming the wheel.
        """
        kept = self._cache.get(file.digest) if file.digest else None
        if kept is not None:
            return kept
        try:
            found = facts(self._index.members(file, wanted))
        except Unreadable as error:
            raise Unreadable(f"{file.name}: {error}") from None
        self.wheels_read += 1
        if file.digest:
            self._cache.put(file.digest, found)
        return found

    def distribution(self, row: Wanted, names: frozenset[str]) -> None:
        """Record one distribution; a failure is noted and the others go on."""
        path = self._folder / "releases" / f"{row.name}.json"
        try:
            found = records(row, self._index.files(row.name), self.wheel, names)
        except Unreadable as error:
            self.failed.append(f"{row.name}: {error}")
            return
        self.put(path, text(_dated(found, path)))

    def series(self, as_of: str) -> list[str]:
        """Rewrite the released columns of tensorflow.yaml and the date; the conflicts with people's columns."""
        releases = {}
        for name in (
            "tensorflow",
            "tensorflow-gpu",
            "tf-keras",
            "tensorflow-intel",
            "tensorflow-macos",
            "tensorflow-cpu-aws",
        ):
            path = self._folder / "releases" / f"{name}.json"
            data = self.files.get(path) or (path.read_bytes() if path.is_file() else b"[]")
            releases[name] = msgspec.json.decode(data, type=tuple[Release, ...])
        path = self._folder / "tensorflow.yaml"
        made, conflicts = rewritten(path.read_text("utf-8"), releases, as_of)
        self.put(path, made.encode())
        path = self._folder / "refreshed.yaml"
        self.put(path, re.sub(r"(?m)(as_of: |checked: )\S+", rf"\g<1>{as_of}", path.read_text("utf-8")).encode())
        return conflicts

    def put(self, path: Path, data: bytes) -> None:
        """Note the content of a file if it differs from what is there."""
        if not path.is_file() or path.read_bytes() != data:
            self.files[path] = data


def _dated(found: list[Record], path: Path) -> list[Record]:
    """Not every index tells upload times: those once told are kept."""
    if path.is_file():
        told = {record["version"]: record.get("released") for record in json.loads(path.read_bytes())}
        for record in found:
            before = told.get(record["version"])
            if before and "released" not in record:
                record["released"] = before
    order = ("version", "python", "yanked", "released", "built", "requires", "extras", "builds", "sdist")
    return [{key: record[key] for key in order if key in record} for record in found]


def rows(folder: Path) -> list[Wanted]:
    """The rows of distributions.yaml."""
    path = folder / "distributions.yaml"
    return [Wanted(row["name"], row["role"], row["since"], row["read"]) for row in listed(read(path), None, path.name)]


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="refresh_matrix", description=__doc__)
    made.add_argument("--index", default=PYPI_SIMPLE_ENDPOINT, help="the simple API of another package index")
    made.add_argument("--cache", type=Path, default=default(), help="where facts of wheels are kept (%(default)s)")
    made.add_argument("--folder", type=Path, default=FOLDER, help="the matrix to write (%(default)s)")
    made.add_argument("--only", action="append", help="one distribution; may be given several times")
    made.add_argument("--as-of", default=datetime.date.today().isoformat(), help="the date to write (today)")
    made.add_argument("--check", action="store_true", help="write nothing; exit 1 when something would change")
    return made


def main(arguments: Sequence[str] | None = None, index: Index | None = None) -> int:
    """Run; 0 when all is written (with --check: nothing differs), else 1."""
    options = parser().parse_args(arguments)
    source = index or PackageIndex(options.index, f"envcheck-refresh/{__version__}")
    start = time.monotonic()
    run = Refresh(source, Cache(options.cache), options.folder)
    wanted_rows = rows(options.folder)
    names = frozenset(row.name for row in wanted_rows)
    for row in wanted_rows:
        if not options.only or row.name in options.only:
            print(f"{time.monotonic() - start:7.1f} s  {row.name}", file=sys.stderr)
            run.distribution(row, names)
    conflicts = [] if options.only else run.series(options.as_of)
    if not options.check:
        for path, data in run.files.items():
            write(path, data)
    for path in run.files:
        print(f"{'differs' if options.check else 'written'}: {path.name}")
    for failure in run.failed:
        print(f"failed: {failure}", file=sys.stderr)
    for conflict in conflicts:
        print(f"conflict: {conflict}", file=sys.stderr)
    seconds = time.monotonic() - start
    print(f"{run.wheels_read} wheels and {source.read_bytes / 1e6:.1f} MB read in {seconds:.0f} s")
    return 1 if run.failed or (options.check and run.files) else 0


if __name__ == "__main__":
    sys.exit(main())
