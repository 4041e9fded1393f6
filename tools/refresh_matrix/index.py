"""The package index: which files a distribution has, and single members of a wheel without downloading all of it."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import requests
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage, PyPISimple
from remotezip import RemoteIOError, RemoteZip

T = TypeVar("T")
LARGEST_MEMBER = 4 << 20
"""Bytes of the largest member that is read: real ones have a few hundred kilobytes."""
TRIES = 4


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release on the index. ``digest`` (SHA-256) names its content; ``yanked`` is the reason, perhaps empty."""

    name: str
    version: str
    url: str
    digest: str
    python: str | None
    yanked: str | None
    uploaded: str | None
    wheel: bool


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a wheel that were asked for, and the newest date (ISO 8601) among those of its dist-info."""

    texts: dict[str, bytes]
    built: str | None


class Unreadable(Exception):  # noqa: N818 - said of a file, not of the program
    """A file of the index cannot be read: the reason."""


class Index(Protocol):
    """What the refresh asks of an index."""

    read_bytes: int

    def files(self, distribution: str) -> tuple[File, ...]:
        """The wheels and source archives of a distribution, in the index's order."""

    def members(self, file: File, wanted: Callable[[str], bool]) -> Members:
        """The members of a wheel whose names are wanted."""


class PackageIndex:
    """An index that speaks the simple repository API; one request at a time.

    https://packaging.python.org/en/latest/specifications/simple-repository-api/
    """

    def __init__(self, endpoint: str, agent: str) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = agent
        self._session.hooks["response"].append(self._count)
        self._client = PyPISimple(endpoint, session=self._session)
        self.read_bytes = 0

    def _count(self, response: requests.Response, *_args: object, **_more: object) -> None:
        self.read_bytes += int(response.headers.get("Content-Length") or 0)

    def files(self, distribution: str) -> tuple[File, ...]:
        """The wheels and source archives of a distribution.

        Raises:
            Unreadable: the index does not answer after several tries.
        """
        page = _again(lambda: self._client.get_project_page(distribution, timeout=60), distribution)
        return tuple(_files(page.packages))

    def members(self, file: File, wanted: Callable[[str], bool]) -> Members:
        """The members of a wheel whose names are wanted, by ranged reads.

        Raises:
            Unreadable: it cannot be read after several tries, or is no wheel.
        """
        return _again(lambda: self._members(file, wanted), file.name)

    def _members(self, file: File, wanted: Callable[[str], bool]) -> Members:
        with RemoteZip(file.url, session=self._session, timeout=60) as archive:
            return chosen(archive, wanted)


def chosen(archive: zipfile.ZipFile, wanted: Callable[[str], bool]) -> Members:
    """The wanted members of an open wheel.

    Raises:
        Unreadable: a wanted member is larger than any real one.
    """
    texts, dates = {}, []
    for info in archive.infolist():
        if ".dist-info/" in info.filename:
            dates.append(info.date_time[:3])
        if wanted(info.filename):
            if info.file_size > LARGEST_MEMBER:
                raise Unreadable(f"{info.filename} has {info.file_size} bytes")
            texts[info.filename] = archive.read(info)
    newest = max(dates, default=(1980, 1, 1))
    # Reproducible builds write 1980-01-01, the earliest date of the format: it tells nothing.
    return Members(texts, "{:04}-{:02}-{:02}".format(*newest) if newest[0] > 1980 else None)


def _files(packages: Iterable[DistributionPackage]) -> Iterable[File]:
    for each in packages:
        if each.package_type not in ("wheel", "sdist") or each.version is None:
            continue
        try:
            Version(each.version)
        except InvalidVersion:
            continue  # files of a time before PEP 440, which no installer takes
        yield File(
            name=each.filename,
            version=each.version,
            url=each.url,
            digest=each.digests.get("sha256", ""),
            python=each.requires_python,
            yanked=(each.yanked_reason or "") if each.is_yanked else None,
            uploaded=each.upload_time.date().isoformat() if each.upload_time else None,
            wheel=each.package_type == "wheel",
        )


def _again(read: Callable[[], T], what: str) -> T:
    for turn in range(TRIES):
        try:
            return read()
        except (requests.RequestException, RemoteIOError, zipfile.BadZipFile, OSError) as error:
            if turn == TRIES - 1:
                raise Unreadable(f"{what}: {type(error).__name__}: {error}") from None
            time.sleep(2**turn)
    raise AssertionError
