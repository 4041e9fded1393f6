"""``envcheck matrix validate``: does the matrix, or a team's own file, hold together?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from packaging.version import Version

from envcheck.errors import FINDINGS, OK

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.knowledge.series import Series


@click.command("validate")
@click.argument("file", required=False, type=click.Path())
def command(file: str | None) -> int:
    """Check every table and every release of the matrix, with the rows of FILE over it.

    Exits with 1 when rows contradict each other, with 2 when FILE cannot be used.
    """
    from envcheck.commands.output import write  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.settings import chosen_matrix  # noqa: PLC0415
    from envcheck.knowledge.tables import TABLES  # noqa: PLC0415

    known = chosen_matrix(file)
    rows = sum(len(known.table(name)) for name in TABLES)
    names = known.releases.names()
    releases = sum(len(known.releases.of(name)) for name in names)
    problems = list(dict.fromkeys(contradictions(known)))
    looked = f"{len(TABLES)} tables with {rows} rows, {releases} releases of {len(names)} distributions"
    own = f", {len(known.overrides)} rows of your own" if known.overrides else ""
    lines = [*problems, f"{len(problems)} contradiction{'s' if len(problems) != 1 else ''} in {looked}{own}."]
    write("\n".join(lines) + "\n", None)
    return FINDINGS if problems else OK


def contradictions(matrix: Matrix) -> Iterator[str]:
    """Rows that cannot both be true, each with file and line."""
    for row in matrix.rows:
        yield from _series(matrix, row)
    recorded = {*matrix.releases.names(), "python"}
    for knot in matrix.knots:
        for name in set(knot.when) - recorded:
            yield f"{knot.source.path}:{knot.source.line}: knot {knot.id}: {name} is not a recorded distribution"
    for fault in matrix.gpu_knots:
        if not any(fault.holds(each.version) for each in matrix.releases.of("tensorflow")):
            yield f"{fault.source.path}:{fault.source.line}: {fault.id}: no recorded TensorFlow is {fault.tensorflow}"
    for name in matrix.releases.names():
        versions = [Version(each.version) for each in matrix.releases.of(name)]
        if versions != sorted(set(versions)):
            yield f"releases/{name}.json: the releases are not in order, each once"


def _series(matrix: Matrix, row: Series) -> Iterator[str]:
    where = f"{row.source.path}:{row.source.line}: series {row.series}"
    if row.cuda and matrix.driver_floor(row.cuda) is None:
        yield f"{where}: no row of drivers.yaml says which driver CUDA {row.cuda} needs"
    for capability in (*(row.sass or ()), *(row.ptx or ())):
        if matrix.architecture(capability) is None:
            yield f"{where}: compute capability {capability} has no row in gpus.yaml"
    if row.source.own:
        return  # a team knows its own builds; the package index does not
    patches = [each for each in matrix.releases.of("tensorflow") if each.version.startswith(f"{row.series}.")]
    if not patches:
        yield f"{where}: no release of it is recorded; run make refresh"
    tags = {tag for each in patches for build in each.builds for pythons in build.wheels.values() for tag in pythons}
    for python in row.python:
        if f"cp{python.replace('.', '')}" not in tags:
            yield f"{where}: no recorded wheel is for Python {python}"
