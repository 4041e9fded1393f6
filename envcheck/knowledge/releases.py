"""What was released: every release of the recorded distributions, as their own wheels and the package index tell it.

The files are generated (``make refresh``) and read only when asked for, one distribution at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from packaging.version import Version

from envcheck.errors import EnvcheckError


class Build(msgspec.Struct, frozen=True):
    """The wheels of one release that share their metadata and what they were compiled with.

    ``wheels`` maps a platform tag (``manylinux_2_17_x86_64.manylinux2014_x86_64``) to the Python tags it was built for:
    ``cp312``, ``py3``, ``cp313t`` (free-threaded), ``cp38-abi3`` (that one and newer). ``requires`` and ``extras`` stand
    only where they differ from the release's.
    ``capabilities`` are as the wheel spells them: ``sm_80`` brings SASS, ``compute_90`` SASS and PTX. ``sonames`` maps
    a library (``cudart``) to the name that is opened (``libcudart.so.12``). None: the wheel does not tell.
    """

    wheels: Mapping[str, tuple[str, ...]]
    requires: tuple[str, ...] | None = None
    extras: Mapping[str, tuple[str, ...]] | None = None
    cuda: str | None = None
    cudnn: str | None = None
    rocm: str | None = None
    capabilities: tuple[str, ...] | None = None
    sonames: Mapping[str, str] | None = None


class Release(msgspec.Struct, frozen=True):
    """One release of a distribution.

    ``python`` is its Requires-Python. ``requires`` are its Requires-Dist without those of an extra, which stand in
    ``extras`` by the extra's name (without the marker that names it); None: not recorded for this distribution.
    ``yanked`` is the reason, empty when none was given. ``released`` is the index's date, ``built`` the newest time
    stamp in the wheel (both ISO 8601 dates), where they are told. ``sdist``: there is a source archive.
    """

    version: str
    python: str | None = None
    yanked: str | None = None
    released: str | None = None
    built: str | None = None
    requires: tuple[str, ...] | None = None
    extras: Mapping[str, tuple[str, ...]] = {}
    builds: tuple[Build, ...] = ()
    sdist: bool = False

    def requirements(self, build: Build | None = None) -> tuple[str, ...]:
        """The Requires-Dist (no extras) of one of its builds; of the release in general without one."""
        if build is not None and build.requires is not None:
            return build.requires
        return self.requires or ()


class Releases:
    """The releases of every recorded distribution, read from ``folder`` when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[Release, ...]] = {}

    def names(self) -> tuple[str, ...]:
        """The normalized names of the recorded distributions."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json")))

    def of(self, name: str) -> tuple[Release, ...]:
        """The releases of a distribution by its normalized name, oldest first; empty when none is recorded.

        Raises:
            EnvcheckError: the file is damaged.
        """
        if name not in self._read:
            path = self._folder / f"{name}.json"
            self._read[name] = _decode(path) if path.is_file() else ()
        return self._read[name]

    def find(self, name: str, version: Version) -> Release | None:
        """One release; a local version label (``2.17.0+nv25.2``) is another build and no release of the index."""
        if version.local is not None:
            return None
        return next((release for release in self.of(name) if Version(release.version) == version), None)


def _decode(path: Path) -> tuple[Release, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Release, ...])
    except (OSError, UnicodeError, msgspec.MsgspecError) as error:
        raise EnvcheckError(f"envcheck's own data is damaged: {path.name}: {error}") from None
