"""Are the distributions of TensorFlow and Keras there once, whole, and with what they require?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Location, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.packages import PackagesFacts, Unmet
    from envcheck.probes.python import PythonFacts


@check("ENV201", "Every distribution's metadata can be read", Severity.WARNING)
def readable(packages: PackagesFacts) -> Iterator[Finding]:
    """A folder of ``sys.path`` or the metadata of a distribution cannot be read: what is in it is not known.

    Cause: permissions, an interrupted installation (an empty METADATA), a damaged disk.

    How to fix: make the folder readable, or reinstall the distribution it belongs to.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    for unread in packages.unread:
        yield Finding(
            f"{unread.path} cannot be read ({unread.reason}): what it holds was not checked",
            Fix("Make it readable, or remove it and reinstall the distribution that it belongs to."),
            Location(unread.path),
        )


@check("ENV202", "No distribution of TensorFlow and Keras is there twice", Severity.WARNING)
def shadowed(packages: PackagesFacts, python: PythonFacts) -> Iterator[Finding]:
    """Two copies of one distribution lie on ``sys.path``; Python takes the first, and tools may change the other.

    Cause: a copy in the user site (``~/.local``) or on PYTHONPATH, or two metadata folders in one ``site-packages`` after
    an interrupted upgrade.

    How to fix: remove the copy that is not wanted; ``python -s`` shows whether the user site is to blame.

    Source: https://docs.python.org/3/library/site.html
    """
    for dist in packages.shadowed:
        first = packages.find(dist.key)
        if dist.key not in packages.family or first is None or dist.modules == ():
            continue
        if (first.location, first.version) == (dist.location, dist.version):
            continue
        same_folder = first.location == dist.location
        yield Finding(
            f"{dist.name} is installed twice: {first.version} in {first.location} is used, "
            f"{dist.version} in {'the same folder' if same_folder else dist.location} is not",
            Fix(
                "Remove both and install the one that is wanted."
                if same_folder
                else f"Remove the copy that is not wanted (the user site is {python.user_site}).",
                (python.uninstall(dist.name), python.install(f"{dist.name}=={first.version}")) if same_folder else (),
            ),
            Location(f"{dist.location}/{dist.metadata}"),
            symbol=dist.name,
        )


@check(
    "ENV203",
    "No removed distribution left parts behind",
    explains=("ENV204", "ENV301", "ENV302", "ENV305", "ENV307", "SMK"),
    unless="SMK105",
)
def leftovers(packages: PackagesFacts, python: PythonFacts) -> Iterator[Finding]:
    """An import package without a distribution, or a folder that pip was renaming away when it was interrupted.

    Cause: an uninstallation that was interrupted or did not own all files. ``import`` still finds the folder; without an
    ``__init__.py`` it succeeds and the module is empty (``module 'tensorflow' has no attribute 'constant'``).

    How to fix: delete the folder, then install the distribution again.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    for leftover in packages.leftovers:
        remove = shlex.join(["rm", "-r", leftover.path])
        if leftover.kind == "interrupted":
            yield Finding(
                f"{leftover.path} is what pip leaves when an uninstallation is interrupted",
                Fix("Delete it; nothing uses it.", (remove,)),
                Location(leftover.path),
                severity=Severity.WARNING,
            )
            continue
        state = "is importable" if leftover.importable else "imports as an empty namespace package"
        yield Finding(
            f"{leftover.path} belongs to no installed distribution and still {state}: "
            f"`import {leftover.module}` gets this leftover",
            Fix(
                f"Delete it and install {leftover.module} again.",
                (remove, python.install(packages.declared(leftover.module) or leftover.module)),
            ),
            Location(leftover.path),
            symbol=leftover.module,
        )


@check("ENV204", "What TensorFlow and Keras require is installed", Severity.WARNING, explains=("SMK",), unless="SMK105")
def requirements(packages: PackagesFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A distribution of the TensorFlow family declares a requirement that this environment does not meet.

    Cause: a later installation changed a version that TensorFlow had pinned; pip warns and goes on. A missing one is an
    error where TensorFlow or Keras themselves require it, except those that TensorFlow was seen to import without
    (compat_matrix/imports.yaml).

    How to fix: install the required version; where two libraries want different ones, use two environments.

    Source: the Requires-Dist of the installed distributions.
    """
    explained = {name for knot in matrix.hits(packages.versions(), python.series) for name in knot.when} | {"keras"}
    by_name: dict[str, list[Unmet]] = {}
    for unmet in packages.unmet:
        requirer = packages.find(unmet.requirer)
        if requirer is None or requirer.key not in packages.family or unmet.name in explained:
            continue
        if unmet.found is None and packages.providers(unmet.name.replace("-", "_")):
            continue  # another distribution brings it: tensorflow-cpu for tensorflow
        by_name.setdefault(unmet.name, []).append(unmet)
    roots = {dist.name for dist in packages.roots()}
    for name, wanting in by_name.items():
        found = wanting[0].found
        # What a requirement of a requirement is needed for, nobody has tried.
        fatal = found is None and name not in matrix.optional and any(each.requirer in roots for each in wanting)
        told = ", ".join(f"{each.requirer} {each.requirer_version} requires {each.requirement}" for each in wanting)
        specifiers = dict.fromkeys(each.requirement.removeprefix(each.bare) for each in wanting)
        wanted = wanting[0].bare + ",".join(filter(None, specifiers))
        yield Finding(
            f"{told}; {name} {found} is installed" if found else f"{told}; {name} is not installed",
            Fix("Install what is required.", (python.install(wanted),)),
            symbol=name,
            severity=Severity.ERROR if fatal else None,
        )


@check("ENV206", "What everything else requires is installed", Severity.NOTE)
def other_requirements(packages: PackagesFacts, python: PythonFacts, expectations: Expectations) -> Iterator[Finding]:
    """A distribution that has nothing to do with TensorFlow and Keras declares a requirement that is not met.

    Cause: a later installation changed a version that it had pinned. Reported with `-v` only.

    How to fix: install what is required, or remove the distribution that nobody uses.

    Source: the Requires-Dist of the installed distributions.
    """
    if not expectations.whole_environment:
        raise Skip("asked for with -v")
    for unmet in packages.unmet:
        requirer = packages.find(unmet.requirer)
        if requirer is not None and requirer.key not in packages.family:
            have = f"{unmet.name} {unmet.found} is installed" if unmet.found else f"{unmet.name} is not installed"
            yield Finding(
                f"{unmet.requirer} {unmet.requirer_version} requires {unmet.requirement}; {have}",
                Fix("Install what is required.", (python.install(unmet.requirement),)),
                symbol=unmet.name,
            )


@check("ENV205", "The files of TensorFlow and Keras are as they were installed", explains=("SMK",), unless="SMK105")
def intact(packages: PackagesFacts, python: PythonFacts) -> Iterator[Finding]:
    """Code files that a distribution's RECORD lists are missing, or have another size.

    Cause: another distribution wrote or deleted the same files, an interrupted installation, a full disk, or an edit by
    hand. Missing files are an error; altered ones a warning, since someone may have edited them on purpose.

    How to fix: reinstall the very same version.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
    """
    unlisted = sorted(dist.name for dist in packages.roots() if not dist.listed)
    if unlisted and not packages.damaged:
        raise Skip(f"{' and '.join(unlisted)} has no list of its files (RECORD)", unknown=True)
    for damage in packages.damaged:
        examples = ", ".join(damage.examples[:3])
        parts = [f"{damage.missing} missing"] * bool(damage.missing) + [f"{damage.altered} altered"] * bool(
            damage.altered
        )
        yield Finding(
            f"{damage.name} {damage.version} has {' and '.join(parts)} of {damage.checked} code files: {examples}",
            Fix("Put its files back.", (python.reinstall(f"{damage.name}=={damage.version}"),)),
            Location(damage.location),
            evidence={"examples": list(damage.examples)},
            symbol=damage.name,
            severity=None if damage.missing else Severity.WARNING,
        )
