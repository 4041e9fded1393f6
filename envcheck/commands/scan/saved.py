"""Saved models among what is scanned: which there are, what they say, and how the report tells it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envcheck.commands.judging import make_host
from envcheck.commands.scan.kept import Found
from envcheck.inventory import Expectations
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.knowledge.saved_models import SavedModels
from envcheck.saved import archive, bundle, hdf5
from envcheck.saved.found import EXPORTED, SavedModel, Unread
from envcheck.source.files import NEVER
from envcheck.source.gitignore import Rules, of_folder, of_folders_above
from envcheck.verdicts.code import Library
from envcheck.verdicts.found import Trouble
from envcheck.verdicts.saved import judged

ARCHIVES = (".keras",)
HDF5 = (".h5", ".hdf5")
DEADLINE = 60.0
"""Seconds for all HDF5 files."""
MOST_TOLD = 20
"""Models that the report tells something about; beyond that only what is wrong."""
FORMS = {"keras": ".keras archive", "hdf5": "HDF5", "saved-model": "SavedModel of Keras", "exported": "SavedModel"}


@dataclass(frozen=True, slots=True)
class Saved:
    """Saved models by their paths.

    Args:
        paths: files, and folders with a saved_model.pb.
        named: those that somebody named; the others lie in folders.
        rest: the paths that are none.
    """

    paths: tuple[str, ...]
    named: frozenset[str]
    rest: tuple[str, ...]


def among(paths: Sequence[str], gitignore: bool, excludes: Callable[[str], bool]) -> Saved:
    """The saved models that are named or lie in named folders, sorted.

    Args:
        paths: as the user wrote them.
        gitignore: whether ``.gitignore`` files count, as for code.
        excludes: whether a path, relative to the current folder, is to be passed over.
    """
    named = [path for path in paths if _is_file(path) or _is_bundle(path)]
    rest = [path for path in paths if path not in named]
    found = {path for each in rest if Path(each).is_dir() for path in _below(each, gitignore, excludes)}
    return Saved(tuple(sorted({*named, *found})), frozenset(named), tuple(rest))


def _is_file(path: str) -> bool:
    return path.endswith((*ARCHIVES, *HDF5)) and Path(path).is_file()


def _is_bundle(path: str) -> bool:
    return Path(path, bundle.GRAPH).is_file()


def _below(top: str, gitignore: bool, excludes: Callable[[str], bool]) -> Iterator[str]:
    waiting: list[tuple[str, Rules | None]] = [(top, of_folders_above(os.path.realpath(top)) if gitignore else None)]
    while waiting:
        here, rules = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = list(listing)
        except OSError:
            continue  # the search for code says so
        names = {entry.name for entry in entries}
        if here != top and not names.isdisjoint(("pyvenv.cfg", "conda-meta")):
            continue
        real = os.path.realpath(here)
        if gitignore and not names.isdisjoint((".git", ".gitignore")):
            rules = of_folder(real, names, rules)
        for entry in entries:
            inner = entry.is_dir(follow_symlinks=False)
            wanted = inner or (entry.name.endswith((*ARCHIVES, *HDF5)) and entry.is_file())
            if not wanted or (inner and entry.name in NEVER):
                continue
            path = os.path.normpath(entry.path)
            if excludes(path) or (rules and rules.ignore(f"{real}{os.sep}{entry.name}", inner)):
                continue
            if not inner or _is_bundle(path):
                yield path
            else:
                waiting.append((path, rules))


def read(saved: Saved, python: str | None, show: Callable[[str], None]) -> list[SavedModel | Unread]:
    """What saved models say; those in folders that turn out to be none of Keras's are left out."""
    show("reading saved models")
    found: list[SavedModel | Unread] = []
    hdf: list[str] = []
    for path in saved.paths:
        if Path(path).is_dir():
            found.append(bundle.read(path))
        elif path.endswith(ARCHIVES):
            found.append(archive.read(path))
        elif hdf5.is_hdf5(path):
            hdf.append(path)
        elif path in saved.named:
            found.append(Unread(path, "this is no HDF5 file, or it is cut short: copy or save it again"))
    found += _hdf5(hdf, python, show) if hdf else ()
    return [each for each in found if not isinstance(each, Unread) or not each.strange or each.path in saved.named]


def _hdf5(paths: Sequence[str], python: str | None, show: Callable[[str], None]) -> Iterator[SavedModel | Unread]:
    whole = {path: str(Path(path).absolute()) for path in paths}
    host = make_host(python, DEADLINE, Expectations(), show)
    try:
        ending = host.ask("saved_h5", {"paths": list(whole.values())}, deadline=DEADLINE)
        which = host.python
    finally:
        host.close()
    records = {record["path"]: record for record in ending.records if isinstance(record.get("path"), str)}
    missing = any("missing" in record for record in ending.records)
    for path in paths:
        record = records.get(whole[path])
        if record is not None:
            yield hdf5.read(path, record)
        elif missing:
            yield Unread(path, f"not read: {which} has no h5py; --python names the Python that has TensorFlow or Keras")
        else:
            yield Unread(path, f"not read: the child that reads HDF5 {ending.words()}")


def added(known: Found, models: Collection[SavedModel | Unread], targets: Sequence[Target], library: Library) -> Found:
    """The result of a scan with what the saved models say."""
    whole = [each for each in models if isinstance(each, SavedModel)]
    broken = [each for each in models if isinstance(each, Unread)]
    verdicts = tuple(judged(whole, targets, library.api, library.identifiers, SavedModels(folder())))
    troubles = tuple(Trouble(each.path, each.reason) for each in broken)
    unknown = sum(verdict.kind == "saved-custom" for verdict in verdicts)
    total = max(unknown, len(targets) * sum(len(model.parts) for model in whole))  # each object is a reference
    coverage = replace(
        known.coverage,
        scanned=known.coverage.scanned + len(models),
        unparsed=known.coverage.unparsed + len(broken),
        total=known.coverage.total + total,
        known=known.coverage.known + total - unknown,
        unknown=known.coverage.unknown + unknown,
        notes=(*known.coverage.notes, *_told(whole)),
    )
    code = replace(known.code, verdicts=(*known.code.verdicts, *verdicts), troubles=(*known.code.troubles, *troubles))
    scanned = (*known.scanned, *(each.path for each in whole))
    return known._replace(code=code, coverage=coverage, scanned=scanned)


def _told(models: Sequence[SavedModel]) -> Iterator[str]:
    """A sentence about each model: who wrote it, and of what it is made."""
    for model in models[:MOST_TOLD]:
        writers = [f"Keras {model.keras}"] if model.keras else []
        writers += [f"TensorFlow {model.tensorflow}"] if model.tensorflow else []
        by = f"written by {' and '.join(writers)}" if writers else "which does not say who wrote it"
        date = f" on {model.date}" if model.date else ""
        if model.form == EXPORTED:
            how = "for serving: read by tf.saved_model.load, not by load_model of Keras 3"
            yield f"{model.path}: {FORMS[model.form]}, {by}, {how}"
            continue
        count = sum(part.kind == "layer" for part in model.parts)
        compiled = "compiled" if model.compiled else "not compiled"
        yield f"{model.path}: {FORMS[model.form]}, {by}{date}: {count} layer{'' if count == 1 else 's'}, {compiled}"
    if len(models) > MOST_TOLD:
        yield f"{len(models) - MOST_TOLD} more saved models were read"
