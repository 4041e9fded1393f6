"""Where glibc's dynamic loader looks for a soname on behalf of one caller, and which file it takes.

Sources: ld.so(8); glibc's ``_dl_map_object``, ``open_path`` and ``open_verify`` in ``elf/dl-load.c``. Processor-specific
subfolders (``glibc-hwcaps``) are not followed: no CUDA package has any.
"""

from __future__ import annotations

import dataclasses
import errno
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from envcheck.host import Host
from envcheck.probes.gpu_libraries import ldcache
from envcheck.probes.gpu_libraries.elf import Elf, NotLoadable, read

CACHE = "/etc/ld.so.cache"
TRIPLETS = {62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu", 21: "powerpc64le-linux-gnu"}
"""Debian's folder names, by ``e_machine``."""
PASSED_OVER = "of another architecture"
ABSENT = "not there"
NO_FOLDER = "no such folder"
TAKEN = "found"
NO_END = "links without end"
DEEPEST = 16
"""How far libraries that need libraries are followed."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place that was searched: ``how`` (``LD_LIBRARY_PATH``, ``run path``, …), the file tried, and what came of it."""

    how: str
    path: str
    outcome: str

    @property
    def folder(self) -> str:
        """The folder of it."""
        return posixpath.dirname(self.path)


@dataclass(frozen=True, slots=True)
class Caller:
    """The object on whose behalf is searched: its ELF facts, and its folder, which is its ``$ORIGIN``."""

    elf: Elf
    folder: str


@dataclass(frozen=True, slots=True)
class Search:
    """What came of it: the places in order, the file taken, and why none was, or why that one cannot be loaded.

    ``lacking`` is the soname behind a failure: the one wanted, or one that it needs in turn.
    """

    places: tuple[Place, ...]
    path: str | None
    error: str = ""
    lacking: str = ""

    @property
    def loads(self) -> bool:
        """Whether the library, and all that it needs, would be loaded."""
        return self.path is not None and not self.error


@dataclass(frozen=True, slots=True)
class Process:
    """A process to be: ``main`` is the executable, whose DT_RPATH counts for callers without DT_RUNPATH.

    ``variables`` are the environment's. ``known`` keeps what was read of files, for several loaders to share.
    """

    host: Host
    caller: Caller
    main: Caller | None
    variables: Mapping[str, str]
    known: dict[str, Elf | NotLoadable] = field(default_factory=dict)

    def loader(self, folders: Sequence[str] = ()) -> Loader:
        """The loader of such a process that has ``folders`` in front of LD_LIBRARY_PATH."""
        path = ":".join(filter(None, (*folders, self.variables.get("LD_LIBRARY_PATH", ""))))
        return Loader(dataclasses.replace(self, variables={**self.variables, "LD_LIBRARY_PATH": path}))


class Loader:
    """The loader of one process: what it has loaded by now counts for what it is asked next."""

    def __init__(self, process: Process) -> None:
        host, caller, main, variables = process.host, process.caller, process.main, process.variables
        self._host = host
        self._known = process.known
        self._caller = caller
        self._main = main
        self._loaded: dict[str, str] = {}
        triplet = TRIPLETS.get(caller.elf.machine, "")
        debian = bool(triplet) and host.exists(f"/lib/{triplet}")
        self._lib = f"lib/{triplet}" if debian else "lib64" if caller.elf.bits == 64 else "lib"
        self.defaults = (
            (f"/lib/{triplet}", f"/usr/lib/{triplet}", "/lib", "/usr/lib") if debian else ("/lib64", "/usr/lib64")
        )
        path = variables.get("LD_LIBRARY_PATH", "")
        entries = path.replace(";", ":").split(":") if path else []
        self.library_path = tuple(dict.fromkeys(self._expanded(entry, main or caller) for entry in entries))
        self.cache, self.cache_trouble = _cache(host, caller.elf)

    def load(self, soname: str) -> Search:
        """Load ``soname`` as the caller would, with all that it needs."""
        return self._load(soname, (self._caller,), 0)

    def find(self, soname: str, chain: Iterable[Caller]) -> Search:
        """Where ``soname`` is searched for the last of ``chain``, callers from the outermost on, without what it needs."""
        chain = tuple(chain)
        if soname in self._loaded:
            return Search((Place("already loaded", self._loaded[soname], TAKEN),), self._loaded[soname])
        places: list[Place] = []
        for how, files in self._lists(soname, chain):
            if how == "ld.so.cache" and not files:
                places.append(Place(how, CACHE, self.cache_trouble or "it does not list it"))
            for file in files:
                found = self._try(file)
                places.append(Place(how, file, found if isinstance(found, str) else TAKEN))
                if isinstance(found, Elf):
                    return Search(tuple(places), file)
                if found.startswith("damaged: "):
                    return Search(tuple(places), file, f"{file} is {found.removeprefix('damaged: ')}", soname)
                if found == NO_END:  # glibc ends this list at such an error, and goes on with the next
                    break
        return Search(tuple(places), None, "no file of that name in any of them", soname)

    def _load(self, soname: str, chain: tuple[Caller, ...], depth: int) -> Search:
        found = self.find(soname, chain)
        if not found.loads or found.path is None or soname in self._loaded:
            return found
        self._loaded[soname] = found.path
        elf = self._read(found.path)
        if isinstance(elf, NotLoadable) or depth >= DEEPEST:
            return found
        own = Caller(elf, posixpath.dirname(found.path))
        for needed in elf.needed:
            inner = self._load(needed, (*chain, own), depth + 1)
            if not inner.loads:
                del self._loaded[soname]
                why = f"it needs {needed}: {inner.error}" if inner.lacking == needed else inner.error
                return Search(found.places, found.path, why, inner.lacking)
        return found

    def _lists(self, soname: str, chain: tuple[Caller, ...]) -> Iterable[tuple[str, tuple[str, ...]]]:
        caller = chain[-1]
        if caller.elf.runpath is None:
            for each in (*reversed(chain), *([self._main] if self._main else [])):
                if each.elf.runpath is None:
                    yield "RPATH", self._files(each.elf.rpath, each, soname)
        yield "LD_LIBRARY_PATH", tuple(posixpath.join(folder, soname) for folder in self.library_path)
        if caller.elf.runpath is not None:
            yield "run path", self._files(caller.elf.runpath, caller, soname)
        yield "ld.so.cache", tuple(entry.path for entry in self.cache if entry.soname == soname)[:1]
        yield "default folder", tuple(posixpath.join(folder, soname) for folder in self.defaults)

    def _files(self, entries: Iterable[str], caller: Caller, soname: str) -> tuple[str, ...]:
        folders = dict.fromkeys(self._expanded(entry, caller) for entry in entries)
        return tuple(posixpath.join(folder, soname) for folder in folders)

    def _expanded(self, entry: str, caller: Caller) -> str:
        if not entry:  # an empty entry is the current folder
            return str(self._host.cwd)
        for name, value in (("ORIGIN", caller.folder), ("LIB", self._lib)):
            entry = entry.replace(f"${{{name}}}", value).replace(f"${name}", value)
        return posixpath.normpath(entry if entry.startswith("/") else posixpath.join(str(self._host.cwd), entry))

    def _read(self, file: str) -> Elf | NotLoadable:
        if file not in self._known:
            self._known[file] = read(self._host.path(file))
        return self._known[file]

    def _try(self, file: str) -> Elf | str:
        path = self._host.path(file)
        try:
            path.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                return NO_END
            return ABSENT if self._host.exists(posixpath.dirname(file)) else NO_FOLDER
        except ValueError:  # a NUL in the name
            return ABSENT
        found = self._read(file)
        if isinstance(found, NotLoadable):
            return f"damaged: {found.reason}" if found.fatal else found.reason
        return found if found.fits(self._caller.elf) else PASSED_OVER


def _cache(host: Host, elf: Elf) -> tuple[tuple[ldcache.Entry, ...], str]:
    """The entries of the cache for this architecture, and why there are none."""
    try:
        path = host.path(CACHE)
        if not path.is_file():
            return (), "there is none"
        data = path.read_bytes()
    except OSError as error:
        return (), error.strerror or "it cannot be read"
    entries = ldcache.parse(data)
    if isinstance(entries, str):
        return (), entries
    wanted = ldcache.FLAGS.get((elf.bits, elf.machine))
    fitting = [entry for entry in entries if wanted is None or entry.flags == wanted]
    return tuple(sorted(fitting, key=lambda entry: entry.capabilities != 0)), ""
