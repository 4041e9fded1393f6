"""The records of one distribution: its files on the index, grouped into releases and builds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from tools.refresh_matrix.index import File
from tools.refresh_matrix.wheels import WheelFacts

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of distributions.yaml: a distribution, and how much of it is recorded."""

    name: str
    role: str
    since: str
    read: str


def records(
    wanted: Wanted, files: Iterable[File], read: Callable[[File], WheelFacts], names: frozenset[str]
) -> list[Record]:
    """The records of a distribution, oldest release first; without pre-releases, unless there is nothing else.

    ``read`` is asked for one wheel of each release and platform. Of the extras of what is not TensorFlow or a backend, only
    requirements on ``names`` (the recorded distributions) are kept.
    """
    releases: dict[Version, list[File]] = {}
    for file in files:
        version = Version(file.version)
        if version >= Version(wanted.since) and version.local is None:
            releases.setdefault(version, []).append(file)
    final = {version: each for version, each in releases.items() if not version.is_prerelease}
    releases = final or releases
    keep = None if wanted.role in ("tensorflow", "backend") else names
    return [_record(version, releases[version], wanted, read, keep) for version in sorted(releases)]


def _record(
    version: Version, files: list[File], wanted: Wanted, read: Callable[[File], WheelFacts], keep: frozenset[str] | None
) -> Record:
    wheels = sorted((file for file in files if file.wheel), key=lambda file: file.name)
    platforms: dict[str, list[File]] = {}
    for wheel in wheels:
        platforms.setdefault(platform(wheel.name), []).append(wheel)
    facts = {}
    if wanted.read == "metadata":
        only = {"linux-x86_64"} & set(platforms) if wanted.name == "torch" else None
        facts = {
            kind: read(max(platforms[kind], key=_newest)) for kind in sorted(platforms) if kind in (only or platforms)
        }
    builds = _builds(platforms, facts, keep)
    first = next(iter(facts.values()), None)
    main = facts.get("linux-x86_64", first)
    yanked = [file.yanked for file in files]
    record: Record = {
        "version": str(version),
        "python": (main.python if main else None) or next((file.python for file in files if file.python), None),
        "yanked": next((why for why in yanked if why), "") if all(why is not None for why in yanked) else None,
        "released": min((file.uploaded for file in files if file.uploaded), default=None),
        "built": max((each.built for each in facts.values() if each.built), default=None),
        "requires": None if main is None else main.requires,
        "extras": {} if main is None else kept(main.extras, keep),
        "builds": [_without(build, record_of=main, keep=keep) for build in builds],
        "sdist": any(not file.wheel for file in files),
    }
    # An empty text stays: yanked without a reason.
    return {
        key: value
        for key, value in record.items()
        if value is not None and value is not False and value not in ({}, [])
    }


def _builds(
    platforms: Mapping[str, list[File]], facts: Mapping[str, WheelFacts], keep: frozenset[str] | None
) -> list[tuple[dict[str, list[str]], WheelFacts | None]]:
    """The wheels by platform tag, those together whose facts are equal; Linux x86-64 first."""
    groups: dict[str, tuple[dict[str, list[str]], WheelFacts | None]] = {}
    for kind in sorted(platforms, key=lambda kind: (kind != "linux-x86_64", kind)):
        found = facts.get(kind)
        if found is None:
            same = ""
        else:
            same = repr(
                (found.requires, kept(found.extras, keep), found.cuda, found.rocm, found.capabilities, found.sonames)
            )
        tags, _ = groups.setdefault(same, ({}, found))
        for file in platforms[kind]:
            python, abi, where = file.name.removesuffix(".whl").split("-")[-3:]
            suffix = "t" if re.fullmatch(r"cp\d+t", abi) else "-abi3" if abi == "abi3" else ""
            spelled = [f"{tag}{suffix}" for tag in python.split(".")]
            tags[where] = sorted({*tags.get(where, []), *spelled}, key=lambda tag: (_tag(tag), tag))
    return [({where: tags[where] for where in sorted(tags)}, found) for tags, found in groups.values()]


def _without(
    build: tuple[dict[str, list[str]], WheelFacts | None], *, record_of: WheelFacts | None, keep: frozenset[str] | None
) -> Record:
    """A build, without what the release says for all of them."""
    wheels, facts = build
    found: Record = {"wheels": wheels}
    if facts is not None and record_of is not None:
        if facts.requires != record_of.requires:
            found["requires"] = facts.requires
        if kept(facts.extras, keep) != kept(record_of.extras, keep):
            found["extras"] = kept(facts.extras, keep)
        told = {name: getattr(facts, name) for name in ("cuda", "cudnn", "rocm", "capabilities", "sonames")}
        found.update({name: value for name, value in told.items() if value})
    return found


def kept(extras: Mapping[str, tuple[str, ...]], names: frozenset[str] | None) -> dict[str, tuple[str, ...]]:
    """The extras; with ``names`` only their requirements on one of these."""
    if names is None:
        return dict(extras)
    found = {}
    for extra, requirements in extras.items():
        some = tuple(each for each in requirements if re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") in names)
        if some:
            found[extra] = some
    return found


def platform(wheel: str) -> str:
    """The kind of platform that a wheel is for: ``linux-x86_64``, ``macos-arm64``, ``any``, …"""
    tag = wheel.removesuffix(".whl").rpartition("-")[2]
    if tag == "any":
        return tag
    system = "macos" if "macosx" in tag else "windows" if "win" in tag else "musl" if "musllinux" in tag else "linux"
    machine = re.search(r"(x86_64|amd64|aarch64|arm64|universal2|i686|ppc64le|s390x|armv7l|intel)", tag)
    return f"{system}-{machine.group(1) if machine else '32'}"


def _newest(file: File) -> tuple[tuple[int, int], str]:
    """Newest CPython first, and one without free threading."""
    _, _, _, tags = parse_wheel_filename(file.name)
    return max(_tag(tag.interpreter) for tag in tags), "" if re.search(r"cp\d+t-", file.name) else "usual"


def _tag(tag: str) -> tuple[int, int]:
    found = re.match(r"\D*(\d)(\d*)", tag)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def text(found: list[Record]) -> bytes:
    """The file: a JSON array with one record per line, so that a diff reads well."""
    lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in found]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()
