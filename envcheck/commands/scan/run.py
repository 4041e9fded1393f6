"""The work of ``envcheck scan``: choose files and targets, read, judge, report."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.version import Version

from envcheck import __version__
from envcheck.commands.judging import make_host, now
from envcheck.commands.options import codes
from envcheck.commands.output import check_format, check_output, progress, reporter, style_for, write
from envcheck.commands.scan import baseline
from envcheck.commands.scan.kept import Found, key, models_state
from envcheck.commands.scan.known import beside, number, without_known
from envcheck.commands.scan.lines import stdin, with_source
from envcheck.commands.scan.saved import added, read
from envcheck.commands.scan.settings import Settings, settings
from envcheck.commands.scan.sifting import OURS
from envcheck.engine import Facts, exit_code, run
from envcheck.errors import UsageError
from envcheck.findings import Coverage, Report, Unseen
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.registry import checks, probes, select
from envcheck.source.cache import Cache
from envcheck.source.files import GRAPH, Skipped, find
from envcheck.source.remarks import Remarks
from envcheck.source.tree import FileReading, read_file, read_tree
from envcheck.verdicts.code import Library, judge
from envcheck.verdicts.found import Code, Trouble
from envcheck.verdicts.models.judged import look, unjudged
from envcheck.verdicts.pinned import against_pins
from envcheck.verdicts.targets import completed

NOT_INSTALLED = (
    "TensorFlow and Keras are not installed here: judged for the newest recorded releases; --target names others"
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the project's settings ask for; the options' help says what each means."""

    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    legacy_keras: bool = False
    python: str | None = None
    exclude: tuple[str, ...] = ()
    no_gitignore: bool = False
    files_from: str | None = None
    stdin_name: str = "stdin.py"
    baseline: str | None = None
    write_baseline: str | None = None
    statistics: bool = False
    jobs: int | None = None
    no_cache: bool = False
    references: str | None = None
    select: str | None = None
    ignore: str | None = None
    fail_on: str | None = None
    strict: bool = False
    format_: str = "text"
    output: str | None = None
    verbose: bool = False
    quiet: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Options:
        """The options as click gives them."""
        return cls(**options)

    def under(self, project: Settings) -> Options:
        """The options, with what a project sets in place of those that were not given.

        Patterns of a project in the current folder also keep ``find`` from looking into what they exclude.
        """
        here = project.folder == Path()
        exclude = self.exclude or (project.exclude if here else ())
        return replace(
            self,
            targets=self.targets or project.target,
            legacy_keras=self.legacy_keras or bool(project.legacy_keras),
            select=self.select if self.select is not None else ",".join(project.select) or None,
            ignore=self.ignore if self.ignore is not None else ",".join(project.ignore) or None,
            exclude=(*exclude, *(project.extend_exclude if here else ())),
            baseline=self.baseline or project.baseline,
            fail_on=self.fail_on or project.fail_on,
        )


def scan(options: Options) -> int:
    """Scan, report, and give the exit code."""
    collecting = gc.isenabled()
    gc.disable()  # nothing that grows here holds itself, and looking for what does takes a third of the time
    try:
        return _scan(options)
    finally:
        if collecting:
            gc.enable()


def _scan(options: Options) -> int:
    check_format(options.format_)
    if options.statistics and options.format_ != "text":
        raise UsageError("--statistics is a table for people: it goes with --format text")
    check_output(options.output)
    every = checks()
    project = settings(options.paths, [check.code for check in every])
    options = options.under(project)
    recorded = None if options.baseline is None or options.write_baseline else baseline.read(options.baseline)
    chosen = tuple(
        check
        for check in select(every, codes("--select", options.select), codes("--ignore", options.ignore))
        if check.code.startswith(OURS) and "build" not in check.facts
    )
    if not chosen:
        raise UsageError(f"the filters leave no check of code: those begin with {' or '.join(OURS)}")
    with progress(options.quiet) as show:
        library = Library(folder() / "api")
        targets, notes = chosen_targets(options, library, show)
        references: list[dict[str, object]] | None = [] if options.references else None
        models = any(check.code.startswith("MDL") for check in chosen)
        notes += unjudged(targets) if models else []
        found = examined(options, targets, library, show, references, project, models=models)
        outcomes = run(chosen, Facts({"code": found.code}, {}))
        found = found._replace(code=Code())  # the findings say all of it now, and there may be thousands
        outcomes = with_source(outcomes, options.stdin_name if options.paths == ("-",) else None)
    every_finding = number(outcomes)
    judged = [check.code for check in chosen]
    outcomes, said = without_known(outcomes, found, project, [check.code for check in every], judged)
    notes += said
    if options.write_baseline:
        count = baseline.write(options.write_baseline, outcomes, found.scanned, judged)
        notes.append(f"{options.write_baseline} has {count} {'entry' if count == 1 else 'entries'} now")
        recorded = baseline.read(options.write_baseline)
    if recorded is not None:
        name = options.write_baseline or options.baseline or ""
        outcomes, said = beside(outcomes, recorded, name, found.scanned, judged)
        notes += said
    coverage = replace(found.coverage, notes=(*found.coverage.notes, *notes), hidden=every_finding - number(outcomes))
    report = Report(
        __version__,
        Inventory({}, now(), __version__),
        outcomes,
        exit_code(outcomes, options.fail_on or "error", strict=options.strict),
        _unseen(coverage),
        None,
        coverage,
    )
    if options.references:
        _write_references(options.references, references or [])
    style = style_for(options.output, verbose=options.verbose, quiet=options.quiet)
    style = replace(style, statistics=options.statistics)
    write(reporter(options.format_)(report, style), options.output)
    return report.exit_code


def examined(
    options: Options,
    targets: Sequence[Target],
    library: Library,
    show: Callable[[str], None],
    references: list[dict[str, object]] | None = None,
    project: Settings | None = None,
    *,
    models: bool = True,
) -> Found:
    """Read the files and judge them on the targets; or what an earlier run found in just these files.

    ``models`` is False where nobody asks for the mistakes in model definitions: they take a fourth of the time.
    """
    looking = look(targets) if models else None
    paths = [*options.paths, *(_names(options.files_from) if options.files_from else ())]
    if "-" in paths:
        if len(paths) > 1 or sys.stdin is None:
            raise UsageError("PATH - reads code from stdin: it stands alone, and there must be a stdin")
        return _judged([read_file(options.stdin_name, stdin(), look=looking)], targets, library, show, references)
    show("looking for files")
    source, saved, named, skipped = find(paths or ["."], exclude=options.exclude, gitignore=not options.no_gitignore)
    if project is not None and (project.exclude or project.extend_exclude):
        own = project
        source, gone = _parted(source, lambda file: file not in named and own.excludes(file))
        saved, away = _parted(saved, lambda path: path not in named and own.excludes(_file(path)))
        skipped += [Skipped(path, "excluded", by_rule=True) for path in (*gone, *away)]
    cache = None if options.no_cache else Cache(cache_folder(), models_state(targets) if looking else b"")
    name = "" if cache is None or references is not None else key(cache, source, targets)
    known = cache.get(name, Found) if cache is not None and name else None
    if known is None:
        readings = read_tree(source, cache, show, options.jobs or 0, looking)
        known = _judged(readings, targets, library, show, references)
        if cache is not None and name:
            cache.put(name, known)
    unread = tuple(Trouble(each.path, each.reason) for each in skipped if not each.by_rule)
    pinned, unclear = against_pins(paths or ["."], known.coverage.windows, library.api)
    troubles = (*known.code.troubles, *unread, *unclear)
    code = replace(known.code, verdicts=(*known.code.verdicts, *pinned), troubles=troubles)
    known = known._replace(code=code, coverage=replace(known.coverage, skipped=len(skipped)))
    return added(known, read(saved, named, options.python, show, cache), targets, library) if saved else known


def _parted(paths: Sequence[str], out: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """The paths that stay, and those that are left out."""
    gone = {path for path in paths if out(path)}
    return [path for path in paths if path not in gone], sorted(gone)


def _file(path: str) -> str:
    """A file that stands for a saved model: excludes tell files from folders."""
    return f"{path}/{GRAPH}" if os.path.isdir(path) else path  # noqa: PTH112 - a path may hold what pathlib would change


def _judged(
    files: Sequence[FileReading],
    targets: Sequence[Target],
    library: Library,
    show: Callable[[str], None],
    references: list[dict[str, object]] | None,
) -> Found:
    code, coverage = judge(files, targets, library, show, references)
    remarks = {file.path: file.remarks for file in files if file.remarks != Remarks()}
    return Found(code, coverage, tuple(file.path for file in files if file.whole), remarks)


def chosen_targets(options: Options, library: Library, show: Callable[[str], None]) -> tuple[list[Target], list[str]]:
    """The targets asked for, else what is installed, else the newest recorded releases; and what must be said about that."""
    shelf = library.api.shelf
    notes = []
    if options.targets:
        found = [Target.parse(text) for text in options.targets]
    else:
        installed = _installed(options, show)
        if installed is None:
            installed = Target(tensorflow=shelf.book("tensorflow").versions[-1])
            notes.append(NOT_INSTALLED)
        found = [installed]
    if options.legacy_keras:
        found = [replace(target, legacy=True) for target in found]
    return [completed(target, shelf) for target in dict.fromkeys(found)], notes


def _installed(options: Options, show: Callable[[str], None]) -> Target | None:
    """The releases in the environment that doctor would look at; None where there is neither TensorFlow nor Keras."""
    host = make_host(options.python, 60.0, Expectations(), show)
    try:
        return target_of(Facts({}, probes(), host))
    finally:
        host.close()


def target_of(facts: Facts) -> Target | None:
    """The TensorFlow and Keras of an environment as a target; None where it has neither."""
    tensorflow, keras = facts.get("tensorflow"), facts.get("keras")
    own = None if isinstance(tensorflow, Unavailable) else Version(tensorflow.version)  # type: ignore[attr-defined]
    if isinstance(keras, Unavailable):
        return None if own is None else Target(tensorflow=own)
    versions = [each and each.version and Version(each.version) for each in (keras.keras, keras.tf_keras)]  # type: ignore[attr-defined]
    target = Target(own, versions[0], versions[1], keras.legacy)  # type: ignore[attr-defined]
    return None if target == Target() else target


def _names(source: str) -> list[str]:
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--files-from {source}: {error.strerror}") from None
    return [name for name in os.fsdecode(text).splitlines() if name.strip()]


def cache_folder() -> Path:
    """Where readings are kept: ``ENVCHECK_CACHE_DIR``, else the user's cache folder."""
    named = os.environ.get("ENVCHECK_CACHE_DIR")
    if named:
        return Path(named) / "scan"
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None)
    return Path(base or Path.home() / ".cache") / "envcheck" / "scan"


def _unseen(coverage: Coverage) -> tuple[Unseen, ...]:
    if coverage.scanned and not coverage.total:
        return (Unseen("TensorFlow and Keras", "no scanned file uses them"),)
    return ()


def _write_references(path: str, references: list[dict[str, object]]) -> None:
    try:
        with Path(path).open("w", encoding="utf-8", errors="surrogateescape") as stream:
            for reference in references:
                stream.write(json.dumps(reference) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
