"""``envcheck matrix show``: every TensorFlow series in a table, or one release in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from envcheck.commands.options import matrix_option
from envcheck.errors import FINDINGS, OK

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from envcheck.knowledge.matrix import Matrix
    from envcheck.knowledge.releases import Build, Release
    from envcheck.knowledge.series import Series

LETTERS = {"linux-x86_64": "L", "linux-aarch64": "A", "macos-x86_64": "I", "macos-arm64": "M", "windows-x86_64": "W"}
HEAD = ("series", "Python", "Keras", "numpy", "protobuf", "CUDA", "cuDNN", "GPUs", "driver", "glibc", "on")


@click.command("show")
@click.argument("what", nargs=-1)
@matrix_option
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
def command(what: tuple[str, ...], matrix: str | None, format_: str, output: str | None) -> int:
    """Show every TensorFlow series, or WHAT: tensorflow==2.16.2, 2.16, keras==3.3.3, tensorflow-text.

    Exits with 1 when a release asked for is not known.
    """
    import msgspec  # noqa: PLC0415

    from envcheck.commands.matrix.naming import asked  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.output import check_output, write  # noqa: PLC0415
    from envcheck.commands.settings import chosen_matrix  # noqa: PLC0415

    check_output(output)
    known = chosen_matrix(matrix)
    if not what:
        text = _json(known) if format_ == "json" else "\n".join(_table(known)) + "\n"
        write(text, output)
        return OK
    pages: list[str] = []
    records: list[dict[str, Any]] = []
    code = OK
    for each in what:
        name, wanted = asked(each, known)
        found = [release for release in known.releases.of(name) if _within(wanted, release)]
        if not found:
            code = FINDINGS
            pages.append(_unknown(known, name, wanted))
            records.append(
                {"distribution": name, "wanted": str(wanted), "known": False, "said": _unknown(known, name, wanted)}
            )
            continue
        release = found[-1]
        pages.append("\n".join(_sheet(known, name, release, len(found))))
        records.append({"distribution": name, "wanted": str(wanted), "known": True, **msgspec.to_builtins(release)})
    text = (
        json.dumps({"as_of": known.as_of, "releases": records}, indent=1) if format_ == "json" else "\n\n".join(pages)
    )
    write(text + "\n", output)
    return code


def _within(wanted: SpecifierSet, release: Release) -> bool:
    return wanted.contains(release.version, prereleases=True)


def _json(matrix: Matrix) -> str:
    import msgspec  # noqa: PLC0415

    rows = [{**msgspec.to_builtins(row), "driver": _driver(matrix, row)} for row in matrix.rows]
    page = {"as_of": matrix.as_of, "overrides": [asdict(each) for each in matrix.overrides], "series": rows}
    return json.dumps(page, indent=1) + "\n"


def _table(matrix: Matrix) -> Iterator[str]:
    yield from _aligned([HEAD, *(_cells(matrix, row) for row in matrix.rows)])
    yield ""
    yield "GPUs: compute capabilities with machine code; + newer ones by PTX. driver: the oldest on Linux for the machine code."
    yield "on: L Linux x86-64, A Linux aarch64, I macOS on Intel, M macOS on Apple silicon, W Windows."
    yield f"Releases known up to {matrix.as_of}."
    yield from (
        f"Your own row: {each.table} {each.row} ({each.file}:{each.line}): {each.reason}" for each in matrix.overrides
    )


def _cells(matrix: Matrix, row: Series) -> tuple[str, ...]:
    pythons = row.python[0] if len(row.python) == 1 else f"{row.python[0]}-{row.python[-1]}"
    capabilities = "-"
    if row.sass:
        ends = dict.fromkeys((row.sass[0], row.sass[-1]))
        capabilities = "-".join(ends) + ("+" if row.ptx else "")
    return (
        row.series,
        pythons,
        row.keras or "-",
        _short(row.numpy),
        _short(row.protobuf),
        row.cuda or "-",
        row.cudnn or "-",
        capabilities,
        _driver(matrix, row) or "-",
        row.glibc,
        "".join(letter for name, letter in LETTERS.items() if name in row.platforms),
    )


def _short(specifier: str | None) -> str:
    """A range without single versions that it leaves out."""
    return ",".join(part for part in (specifier or "-").split(",") if not part.startswith("!="))


def _driver(matrix: Matrix, row: Series) -> str | None:
    found = matrix.driver_floor(row.cuda) if row.cuda else None
    return found.linux if found else None


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _unknown(matrix: Matrix, name: str, wanted: SpecifierSet) -> str:
    from packaging.version import Version  # noqa: PLC0415

    releases = matrix.releases.of(name)
    said = (
        f"{name}{wanted}: unknown. Releases are known up to {matrix.as_of}: of {name} {releases[0].version} to "
        f"{releases[-1].version}."
    )
    exact = [each.version.removesuffix(".*") for each in wanted if each.operator == "=="]
    if name.startswith("tensorflow") and exact and matrix.series(Version(exact[0])) is None:
        said += f" The nearest series is {matrix.nearest(Version(exact[0])).series}; a newer envcheck may know more."
    return said


def _sheet(matrix: Matrix, name: str, release: Release, count: int) -> Iterator[str]:
    from packaging.version import Version  # noqa: PLC0415

    others = f" (the newest of {count})" if count > 1 else ""
    yanked = "" if release.yanked is None else f", yanked: {release.yanked or 'no reason given'}"
    yield f"{name} {release.version}{others}{yanked}"
    version = Version(release.version)
    facts = [("released", release.released), ("built", release.built), ("Requires-Python", release.python)]
    row = matrix.series(version) if name in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu") else None
    if row is not None:
        facts += [
            ("Keras", row.keras or "its own"),
            ("Keras 2 package", f"tf-keras{row.tf_keras}" if row.tf_keras else None),
            ("cuDNN", row.cudnn),
            ("SASS", ", ".join(row.sass or ())),
            ("PTX", ", ".join(row.ptx or ())),
            ("driver", _drivers(matrix, row)),
        ]
    if name == "keras":
        belongs = [each.series for each in reversed(matrix.rows) if each.keras and _meets(each.keras, version)]
        facts.append(("TensorFlow", ", ".join(belongs) or "to none: it is used with tensorflow 2.5 or older, or alone"))
    facts.append(("sdist", "yes" if release.sdist else "no"))
    yield from _pairs([(label, value) for label, value in facts if value])
    for build in release.builds:
        yield ""
        yield from _build(build)
    yield from _listed("requires", release.requires or ())
    for extra, wanted in release.extras.items():
        yield from _listed(f"[{extra}]", wanted)
    if row is not None:
        knots = [
            knot for knot in matrix.knots if "tensorflow" in knot.when and _meets(knot.when["tensorflow"], version)
        ]
        yield from _listed("knots", [f"{knot.id}: {_when(knot.when)}: {knot.consequence}" for knot in knots])
        faults = [knot for knot in matrix.gpu_knots if _meets(knot.tensorflow, version)]
        yield from _listed("on a GPU", [f"{knot.id}: {knot.consequence}" for knot in faults])


def _meets(specifier: str, version: object) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415

    return SpecifierSet(specifier).contains(str(version))


def _when(when: object) -> str:
    return " and ".join(f"{name}{wanted}" for name, wanted in dict(when).items() if name != "tensorflow")  # type: ignore[call-overload]


def _drivers(matrix: Matrix, row: Series) -> str | None:
    if row.cuda is None:
        return None
    floor, own = matrix.driver_floor(row.cuda), matrix.toolkit_driver(row.cuda)
    jit = f"; {own.linux} to compile PTX" if own and own.linux else ""
    return f"{floor.linux} or newer on Linux{jit}" if floor and floor.linux else None


def _build(build: Build) -> Iterator[str]:
    for platform, pythons in build.wheels.items():
        yield f"  {platform}: {' '.join(pythons)}"
    if build.requires is not None:
        names = [each for each in build.requires if each.startswith("tensorflow-")]
        yield f"    other requirements here{f', with {names[0]}' if names else ''}"
    if build.cuda:
        yield f"    CUDA {build.cuda}, cuDNN {build.cudnn}, {' '.join(build.capabilities or ())}"
    if build.sonames:
        yield f"    opens {' '.join(build.sonames.values())}"
    if build.rocm:
        yield "    for AMD GPUs (ROCm)"


def _pairs(pairs: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    width = max((len(label) for label, _ in pairs), default=0)
    yield from (f"  {label.ljust(width)}  {value}" for label, value in pairs)


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"  {title}"
        yield from (f"    {line}" for line in lines)
