"""Saved models among what is scanned: which there are, what they say, and how the report tells it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import envcheck
from envcheck.commands.judging import make_host
from envcheck.commands.scan.kept import Found
from envcheck.inventory import Expectations
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.knowledge.saved_models import SavedModels
from envcheck.saved import archive, bundle, hdf5
from envcheck.saved.found import EXPORTED, SavedModel, Unread
from envcheck.source.cache import Cache
from envcheck.verdicts.code import Library
from envcheck.verdicts.found import Trouble
from envcheck.verdicts.saved import judged

ARCHIVES = (".keras",)
SCRIPT = Path(envcheck.__file__).parent / "target" / "saved_h5.py"
"""What reads HDF5: what another one answered is not taken for its answer."""
DEADLINE = 60.0
"""Seconds for all HDF5 files."""
MOST_CHILDREN = 8
"""Children that are started for the HDF5 files: one, and another one behind each file that ended one."""
MOST_TOLD = 20
"""Models that the report tells something about; beyond that only what is wrong."""
FORMS = {
    "keras": ".keras archive",
    "hdf5": "HDF5",
    "hdf5-as-keras": "HDF5 named .keras",
    "saved-model": "SavedModel of Keras",
    "exported": "SavedModel",
}


def read(
    paths: Sequence[str],
    named: Collection[str],
    python: str | None,
    show: Callable[[str], None],
    cache: Cache | None = None,
) -> list[SavedModel | Unread]:
    """What saved models say.

    Args:
        paths: files, and folders with a ``saved_model.pb``.
        named: those that somebody named: of the others, what turns out to be none of Keras's is left out.
        python: the target, whose h5py reads HDF5.
        show: is told what is being done.
        cache: what HDF5 files said before; None: they are read.
    """
    show("reading saved models")
    found: list[SavedModel | Unread] = []
    hdf: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            found.append(bundle.read(path))
        elif (is_one := hdf5.is_hdf5(path)) is True:  # also what Keras 2 saved as model.keras
            hdf.append(path)
        elif isinstance(is_one, Unread):
            found.append(is_one)
        elif path.endswith(ARCHIVES):
            found.append(archive.read(path))
        elif path in named:
            found.append(Unread(path, "this is no HDF5 file, or it is cut short: copy or save it again"))
    found += _hdf5(hdf, python, show, cache) if hdf else ()
    return [each for each in found if not isinstance(each, Unread) or not each.strange or each.path in named]


def _hdf5(
    paths: Sequence[str], python: str | None, show: Callable[[str], None], cache: Cache | None
) -> Iterator[SavedModel | Unread]:
    names = {path: _entry(path, cache) for path in paths} if cache is not None else {}
    known = {
        path: found for path, name in names.items() if cache and name and (found := cache.get(name, dict[str, Any]))
    }
    yield from (hdf5.read(path, record) for path, record in known.items())
    whole = {path: str(Path(path).absolute()) for path in paths if path not in known}
    if not whole:
        return
    for path, answer in _answers(whole, python, show):
        if isinstance(answer, str):
            yield Unread(path, answer)
            continue
        if cache is not None and names[path] and not answer.get("error"):
            cache.put(names[path], answer)
        yield hdf5.read(path, answer)


def _answers(
    whole: Mapping[str, str], python: str | None, show: Callable[[str], None]
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """What the target's h5py says of each file, or why nothing; what crashes it or does not end costs its own answer only."""
    waiting = list(whole)
    for _ in range(MOST_CHILDREN):
        with closing(make_host(python, DEADLINE, Expectations(), show)) as host:  # a host asks each script once
            ending = host.ask("saved_h5", {"paths": [whole[path] for path in waiting]}, deadline=DEADLINE)
        records = {record["file"]: record for record in ending.records if isinstance(record.get("file"), int)}
        yield from ((path, records[number]) for number, path in enumerate(waiting) if number in records)
        waiting = [path for number, path in enumerate(waiting) if number not in records]
        reason = f"not read: the child that reads HDF5 {ending.words()}"
        if any("missing" in record for record in ending.records):
            reason = f"not read: {host.python} has no h5py; --python names the Python that has TensorFlow or Keras"
        if not waiting or not any("ready" in record for record in ending.records):
            break
        if ending.signal == "SIGALRM":
            reason = "not read: h5py does not come to an end with it"
        yield waiting.pop(0), reason
        reason = "not read: other HDF5 files ended the child that reads them too often; name it alone"
        if not waiting:
            break
    yield from ((path, reason) for path in waiting)


def _entry(path: str, cache: Cache) -> str:
    """The name under which is kept what a file says, as long as it is not written to; empty where it cannot be told.

    Its content is not read for that: weights are gigabytes. Every write changes ``st_ctime_ns``, whatever is done to the other.
    """
    try:
        state, script = os.stat(path), SCRIPT.stat()  # noqa: PTH116 - a path may hold what pathlib would change
    except (OSError, ValueError):
        return ""
    parts = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    own = (script.st_size, script.st_mtime_ns)
    return cache.whole([b"hdf5", os.fsencode(os.path.realpath(path)), repr((parts, own)).encode()])


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
