"""Are these releases that envcheck knows, and does the package index still stand by them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.findings import Finding, Fix, Location, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.knowledge.series import Series
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

_OWN_ROW = "lay a row of your own over the matrix with --matrix FILE"


@check("ENV303", "The compatibility matrix knows this TensorFlow", Severity.NOTE)
def known(tensorflow: TensorFlowFacts, matrix: Matrix) -> Iterator[Finding]:
    """The matrix has no row for the installed TensorFlow, or its row was not read from this very build.

    Cause: the release is newer than this envcheck's data (or older than 1.13); or it is a nightly, a build of NVIDIA's
    (``2.17.0+nv25.2``) or conda's, or your own: such a build follows the release in its API, and may have another CUDA,
    cuDNN, compute capabilities and C library.

    How to fix: upgrade envcheck, whose data say up to which date releases are known. Where no envcheck can know the build,
    lay a row of your own over the matrix: ``--matrix FILE``, or ``matrix = "team.yaml"`` under ``[tool.envcheck]`` in
    pyproject.toml.

    Source: compat_matrix/tensorflow.yaml and compat_matrix/releases/, read from the package index; what a local version
    label is: https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers
    """
    version = Version(tensorflow.version)
    row = matrix.series(version)
    evidence = {"as_of": matrix.as_of, "series": None if row is None else row.series}
    if row is None:
        nearest = matrix.nearest(version)
        newer = version > Version(matrix.rows[0].series)
        yield Finding(
            f"envcheck knows TensorFlow {matrix.rows[-1].series} to {matrix.rows[0].series}, as released up to {matrix.as_of}, "
            f"and not {tensorflow.version}: what depends on the release is unknown; the nearest known series is "
            f"{nearest.series}",
            Fix(
                f"Upgrade envcheck; where the newest does not know it either, {_OWN_ROW}."
                if newer
                else f"envcheck does not cover so old a one; to have it judged, {_OWN_ROW}."
            ),
            Location(nearest.source.path, nearest.source.line),
            evidence={**evidence, "nearest": nearest.series},
        )
    elif not row.source.own:  # the team that laid it knows its build
        found = _other_build(tensorflow, version, row) or _unlisted(tensorflow, version, matrix)
        if found is not None:
            message, fix = found
            yield Finding(message, fix, Location(row.source.path, row.source.line), evidence=evidence)


def _other_build(tensorflow: TensorFlowFacts, version: Version, row: Series) -> tuple[str, Fix] | None:
    """What is said of a build that is none of the index's releases, whatever its number."""
    if version.is_devrelease or tensorflow.distribution.startswith("tf-nightly"):
        what = f"a nightly build on the way to TensorFlow {version.base_version}"
    elif version.is_prerelease:  # the index has them; the matrix does not record them
        what = f"a pre-release of TensorFlow {version.base_version}"
    elif tensorflow.vendor == "ngc":
        what = f"NVIDIA's build of TensorFlow {version.public}"
    elif tensorflow.vendor == "conda":
        what = f"conda's build of TensorFlow {version.public}"
    elif version.local is not None:
        what = f"another build (label {version.local}) of TensorFlow {version.public}"
    else:
        return None
    return (
        f"{tensorflow.distribution} {tensorflow.version} is {what}: the matrix's row of {row.series} was read from the "
        f"releases on the package index; CUDA, cuDNN, compute capabilities and C library may differ here",
        Fix(f"Nothing need be done. Where a finding rests on a wrong row, {_OWN_ROW}."),
    )


def _unlisted(tensorflow: TensorFlowFacts, version: Version, matrix: Matrix) -> tuple[str, Fix] | None:
    """What is said of a release of a known series that the recorded releases lack."""
    name = tensorflow.distribution
    if not matrix.releases.names() or matrix.releases.find(name, version) is not None:
        return None
    named = f"{name} {tensorflow.version}"
    row = f"{version.major}.{version.minor}"
    recorded = [Version(release.version) for release in matrix.releases.of(name)]
    if not recorded:
        return (
            f"envcheck has no record of the releases of {name}; it judges {tensorflow.version} by the row of TensorFlow {row}",
            Fix(f"Nothing need be done. Where that row is wrong for it, {_OWN_ROW}."),
        )
    same = [known for known in recorded if known.release[:2] == version.release[:2]]
    if version > max(same, default=min(recorded)):
        newest = f"the newest it knows is {max(same)}" if same else "it knows none of that series"
        return (
            f"{named} is newer than envcheck's data, which end with {matrix.as_of}: {newest}; it is judged by the row of "
            f"TensorFlow {row}",
            Fix(f"Upgrade envcheck; where the newest does not know it either, {_OWN_ROW}."),
        )
    return (
        f"{named} is none of the releases that the package index had on {matrix.as_of}: another build, or one that was "
        f"deleted there; it is judged by the row of TensorFlow {row}",
        Fix(f"Install a release, or {_OWN_ROW}."),
    )


@check("ENV311", "No release was withdrawn", Severity.WARNING)
def withdrawn(packages: PackagesFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Its makers withdrew ("yanked") a release of TensorFlow, of Keras or of what they require.

    Cause: it was installed before that, or is pinned with ``==``: pip still installs a yanked release that is asked for
    exactly, and then warns.

    How to fix: install the next release of the same series.

    Source: the package index (compat_matrix/releases/); https://packaging.python.org/en/latest/specifications/file-yanking/
    """
    recorded = set(matrix.releases.names())
    if not recorded:
        raise Skip("this matrix records no releases", unknown=True)
    looked_at = [dist for dist in packages.distributions if dist.key in recorded and dist.key in packages.family]
    if not looked_at:
        raise Skip("neither TensorFlow nor Keras is installed here")
    for dist in looked_at:
        version = Version(dist.version)
        release = matrix.releases.find(dist.key, version)
        if release is None or release.yanked is None:
            continue
        instead = _instead(dist.key, version, python, matrix)
        yield Finding(
            f"{dist.key} {dist.version} was withdrawn from the package index: {release.yanked or 'no reason was given'}",
            Fix(
                f"Install {instead}." if instead else "Install another release; its series has none for this Python.",
                (python.install(f"{dist.key}=={instead}"),) if instead else (),
                "envcheck doctor",
            ),
            Location(dist.location),
            symbol=dist.key,
            evidence={"reason": release.yanked, "as_of": matrix.as_of},
        )


def _instead(name: str, version: Version, python: PythonFacts, matrix: Matrix) -> Version | None:
    """The newest release of the same series that was not withdrawn and installs on this Python."""
    fitting = [
        Version(release.version)
        for release in matrix.releases.of(name)
        if release.yanked is None and SpecifierSet(release.python or "").contains(python.version, prereleases=True)
    ]
    same = [found for found in fitting if found.release[:2] == version.release[:2] and not found.is_prerelease]
    return max(same, default=None)
