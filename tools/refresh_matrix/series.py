"""The released columns of ``compat_matrix/tensorflow.yaml``: rewritten in place, so that people's columns and comments stay.

A series that has no row yet gets one, at the top; its columns that no artefact tells are null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import LEGACY
from envcheck.knowledge.releases import Build, Release

Value = str | list[str] | None

PLATFORMS = {
    "linux-x86_64": r"linux.*x86_64",
    "linux-aarch64": r"linux.*aarch64",
    "macos-x86_64": r"macosx.*(x86_64|universal2)",
    "macos-arm64": r"macosx.*(arm64|universal2)",
    "windows-x86_64": r"win_amd64",
}
MARKERS = {
    "linux-x86_64": ("Linux", "x86_64"),
    "linux-aarch64": ("Linux", "aarch64"),
    "macos-x86_64": ("Darwin", "x86_64"),
    "macos-arm64": ("Darwin", "arm64"),
    "windows-x86_64": ("Windows", "AMD64"),
}
"""``platform_system`` and ``platform_machine``."""
STAND_INS = ("tensorflow-intel", "tensorflow-macos", "tensorflow-cpu-aws")
COLUMNS = (
    "series",
    "python",
    "keras",
    "tf_keras",
    "numpy",
    "protobuf",
    "cuda",
    "cudnn",
    "sass",
    "ptx",
    "glibc",
    "platforms",
)
FIRST_ONLY = ("cudnn", "sass", "ptx")
"""Columns that are measured better by hand: filled where they are null, else compared."""


def rewritten(text: str, releases: Mapping[str, tuple[Release, ...]], as_of: str) -> tuple[str, list[str]]:
    """The file with its released columns made anew, and the conflicts between people's columns and the wheels."""
    head, *blocks = re.split(r"(?m)^(?=- series:)", text)
    rows = {_series(block): block for block in blocks}
    conflicts: list[str] = []
    series = {_of(release) for release in releases["tensorflow"]}
    for name in sorted(series - set(rows), key=Version):
        rows[name] = _new(name, as_of)
    for name in series:
        told = columns(name, releases)
        rows[name], found = _row(rows[name], told, as_of)
        conflicts += [f"tensorflow.yaml, series {name}: {each}" for each in found]
    order = sorted(rows, key=Version, reverse=True)
    return head + "".join(rows[name].rstrip("\n") + "\n\n" for name in order).rstrip("\n") + "\n", sorted(conflicts)


def columns(series: str, releases: Mapping[str, tuple[Release, ...]]) -> dict[str, Value]:
    """What the artefacts of a series tell, by column; a column that they do not tell is left out."""
    patches = [release for release in releases["tensorflow"] if _of(release) == series]
    sound = [release for release in patches if release.yanked is None] or patches
    last = sound[-1]
    pythons = {_python(tag) for release in sound for build in release.builds for tag in _tags(build, "linux-x86_64")}
    told: dict[str, Value] = {
        "python": sorted(pythons - {None}, key=lambda text: Version(str(text))),  # type: ignore[arg-type]
        "keras": _range(last, "keras"),
        "tf_keras": _tf_keras(Version(last.version), releases.get("tf-keras", ())),
        "numpy": _range(last, "numpy"),
        "protobuf": _range(last, "protobuf"),
        "glibc": _glibc(last),
        "platforms": [name for name in PLATFORMS if _has(name, last, releases)],
    }
    told.update(_compiled(_gpu_build(series, last, releases)))
    return told


def _compiled(build: Build | None) -> dict[str, Value]:
    if build is None or build.cuda is None:
        return {}
    told: dict[str, Value] = {"cuda": ".".join(build.cuda.split(".")[:2]), "cudnn": build.cudnn}
    listed = build.capabilities or ()
    if any(each.startswith(("sm_", "compute_")) for each in listed):
        # compute_90 makes SASS as well as PTX of 9.0: a TensorFlow build option, seen in the fatbins of 2.15 to 2.21.
        told["sass"] = [_dotted(each) for each in listed]
        told["ptx"] = [_dotted(each) for each in listed if each.startswith("compute_")]
    return told


def _gpu_build(series: str, last: Release, releases: Mapping[str, tuple[Release, ...]]) -> Build | None:
    gpu = [release for release in releases.get("tensorflow-gpu", ()) if _of(release) == series]
    for release in [last, *reversed(gpu)]:
        for build in release.builds:
            if build.cuda and list(_tags(build, "linux-x86_64")):
                return build
    return None


def _of(release: Release) -> str:
    return ".".join(release.version.split(".")[:2])


def _series(block: str) -> str:
    found = re.match(r'- series: "?([\d.]+)"?', block)
    assert found is not None, block[:40]
    return found.group(1)


def _tags(build: Build, platform: str) -> Iterable[str]:
    """The Python tags of a build's wheels for a platform."""
    for tag, pythons in build.wheels.items():
        if re.search(PLATFORMS[platform], tag):
            yield from pythons


def _python(tag: str) -> str | None:
    """``3.12`` for cp312; None for free-threaded (cp313t) and other tags."""
    found = re.fullmatch(r"cp(3)(\d+)", tag)
    return ".".join(found.groups()) if found else None


def _dotted(capability: str) -> str:
    digits = capability.partition("_")[2]
    return f"{digits[:-1]}.{digits[-1]}"


def _required(release: Release, name: str) -> list[Requirement]:
    return [
        parsed
        for parsed in map(Requirement, release.requires or ())
        if parsed.name.lower().replace("_", "-") == name and "platform" not in str(parsed.marker or "")
    ]


def _range(release: Release, name: str) -> Value:
    """The versions that a release requires; over all Pythons, where they differ by Python."""
    found = [requirement.specifier for requirement in _required(release, name)]
    if not found:
        return None
    if len(found) > 1:
        return _hull(found)
    series = re.fullmatch(r"<(\d+)\.(\d+)(?:\.0)?,>=(\d+)\.(\d+)(\.0)?(rc\d+|\.dev0)?", _plain(found[0]))
    if series and series[1] == series[3] and int(series[2]) == int(series[4]) + 1:
        return f"=={series[3]}.{series[4]}.*"
    return _plain(found[0])


def _hull(ranges: list[SpecifierSet]) -> str:
    """The range that holds all of them."""
    lowest = [
        min((Version(s.version) for s in each if s.operator in (">=", "~=", "==")), default=None) for each in ranges
    ]
    highest = [max((Version(s.version) for s in each if s.operator == "<"), default=None) for each in ranges]
    parts = []
    if None not in lowest:
        parts.append(f">={min(each for each in lowest if each)}")
    if None not in highest:
        parts.append(f"<{max(each for each in highest if each)}")
    return ",".join(parts)


def _plain(specifier: SpecifierSet) -> str:
    return ",".join(sorted(map(str, specifier)))


def _tf_keras(version: Version, tf_keras: Iterable[Release]) -> Value:
    for release in tf_keras:
        for requirement in _required(release, "tensorflow"):
            if requirement.specifier and requirement.specifier.contains(version):
                return f"=={_of(release)}.*"
    return None


def _glibc(last: Release) -> Value:
    floors = []
    for build in last.builds:
        for tag in build.wheels:
            if re.search(PLATFORMS["linux-x86_64"], tag):
                floors += re.findall(r"manylinux_(\d+_\d+)_", tag)
                floors += [floor.replace(".", "_") for name, floor in LEGACY.items() if f"{name}_" in tag]
    return min((floor.replace("_", ".") for floor in floors), key=Version, default=None)


def _has(platform: str, last: Release, releases: Mapping[str, tuple[Release, ...]]) -> bool:
    """Whether TensorFlow has wheels there with TensorFlow in them, its own or those of what it requires there."""
    system, machine = MARKERS[platform]
    here = {"platform_system": system, "platform_machine": machine}
    for build in last.builds:
        if not list(_tags(build, platform)):
            continue
        required = map(Requirement, last.requirements(build))
        stand_ins = [
            each.name
            for each in required
            if each.name in STAND_INS and (each.marker is None or each.marker.evaluate(here))
        ]
        found = [each for name in stand_ins for each in releases.get(name, ()) if each.version == last.version]
        if not stand_ins or any(list(_tags(other, platform)) for each in found for other in each.builds):
            return True
    return False


def _new(series: str, as_of: str) -> str:
    lines = [f"{'- ' if not index else '  '}{column}: null" for index, column in enumerate(COLUMNS)]
    lines[0] = f'- series: "{series}"'
    lines += ["  known: released", f'  source: ["wheels of tensorflow {series}"]', f"  checked: {as_of}"]
    return "\n".join(lines) + "\n"


def _row(block: str, told: Mapping[str, Value], as_of: str) -> tuple[str, list[str]]:
    """A row with the told columns in it; ``checked`` changes only with them."""
    lines = block.rstrip("\n").split("\n")
    conflicts, changed = [], False
    for column in COLUMNS[1:]:
        place = next((i for i, line in enumerate(lines) if line.startswith(f"  {column}:")), None)
        if place is None:
            before = COLUMNS[COLUMNS.index(column) - 1]
            place = next(i for i, line in enumerate(lines) if line[2:].startswith(f"{before}:")) + 1
            lines.insert(place, f"  {column}: null")
            changed = True
        if column not in told:
            continue
        line = f"  {column}: {_spelled(told[column])}"
        if column in FIRST_ONLY and not lines[place].endswith(": null"):
            if column != "cudnn" and lines[place] != line:
                conflicts.append(f"{lines[place].strip()} stands there, the wheel lists {_spelled(told[column])}")
        elif lines[place] != line:
            lines[place] = line
            changed = True
    if changed:
        lines = [f"  checked: {as_of}" if line.startswith("  checked:") else line for line in lines]
    return "\n".join(lines) + "\n", conflicts


def _spelled(value: Value) -> str:
    return json.dumps(value)
