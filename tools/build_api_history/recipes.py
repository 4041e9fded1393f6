"""Which environments the history is read from: one for each release, as it was when that release was new.

The releases are those of compat_matrix/releases/ (`make refresh`): the next TensorFlow or Keras is picked up from there.
"""

import datetime
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.version import Version

RELEASES = Path(__file__).resolve().parents[2] / "compat_matrix" / "releases"
# Before 3.0, only the releases that were in wide use: a minor's last, and 2.2.5, which changed the API within a minor.
OLD_KERAS = ("2.0.9", "2.1.6", "2.2.4", "2.2.5", "2.3.1", "2.4.3")
# From TensorFlow 2.16 on, `tf.keras` is the installed Keras 3; before, it is keras of the same minor, or TensorFlow's own.
FIRST_WITH_OWN_KERAS = Version("2.6")
FIRST_WITH_KERAS_3 = Version("2.16")
# Days after a release's wheel was built up to which its dependencies are taken: some wheels were uploaded a month after.
PATIENCE = datetime.timedelta(days=45)
# What a release's metadata allows and what breaks it came out within those days: protobuf 4, two weeks after 2.9.0.
BESIDES = {Version("2.9.0"): ("protobuf<3.21",)}
# TensorFlow's wheels are built for these; the newest Python that a release supports and this list holds is used.
PYTHONS = ("3.12", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6")


@dataclass(frozen=True)
class Root:
    """One extraction in an environment.

    Args:
        package: the root package, `tensorflow`.
        below: only this part of it, or "".
        book: which history it becomes a column of.
    """

    package: str
    book: str
    below: str = ""


@dataclass(frozen=True)
class Recipe:
    """One environment.

    Args:
        release: the distribution and version it is made for, `tensorflow 2.10.1`.
        python: `3.9`.
        requirements: what is installed.
        before: nothing uploaded after this day is installed, so that dependencies are those of the time.
        roots: what is extracted there.
        legacy: whether TF_USE_LEGACY_KERAS is set.
    """

    release: tuple[str, str]
    python: str
    requirements: tuple[str, ...]
    before: datetime.date
    roots: tuple[Root, ...]
    legacy: bool = False

    @property
    def name(self) -> str:
        """`tensorflow-2.10.1`, for folders and messages."""
        return "-".join(self.release)


@cache
def released(distribution: str) -> dict[Version, tuple[datetime.date, frozenset[str]]]:
    """A distribution's releases: {version: (day of upload, Pythons with a Linux wheel)}; yanked and undated ones left out."""
    found = {}
    for row in json.loads((RELEASES / f"{distribution}.json").read_text()):
        if "built" not in row or "yanked" in row:
            continue
        tags = {
            tag
            for build in row["builds"]
            for platform, tags in build["wheels"].items()
            if platform == "any" or ("manylinux" in platform and "x86_64" in platform)
            for tag in tags
        }
        found[Version(row["version"])] = (datetime.date.fromisoformat(row["built"]), frozenset(tags))
    return found


def minors(versions: list[Version], firsts: bool) -> list[Version]:
    """The last release of each minor, and the first too where `firsts`."""
    chosen: dict[tuple[int, int], list[Version]] = {}
    for version in sorted(versions):
        chosen.setdefault((version.major, version.minor), []).append(version)
    return sorted(
        {version for found in chosen.values() for version in ((found[0], found[-1]) if firsts else (found[-1],))}
    )


def python_for(version: Version) -> str:
    """The newest Python that a TensorFlow release has a Linux wheel for."""
    tags = released("tensorflow")[version][1]
    return next(python for python in PYTHONS if "cp" + python.replace(".", "") in tags)


def tensorflow_requirement(version: Version) -> str:
    """The CPU build where there is one: the API is the same and the download a third."""
    cpu = released("tensorflow-cpu")
    name = "tensorflow-cpu" if version in cpu and version >= Version("2.1") else "tensorflow"
    return f"{name}=={version}"


def recipes(firsts: bool = True) -> list[Recipe]:
    """Every environment, in the order of release."""
    return [*_tensorflows(firsts), *_old_keras(), *_keras_3(firsts), *_tf_keras()]


def _tensorflows(firsts: bool) -> list[Recipe]:
    found = []
    releases = released("tensorflow")
    lasts = minors(list(releases), firsts=False)
    for version in minors(list(releases), firsts):
        roots = [Root("tensorflow", "tensorflow")]
        if FIRST_WITH_OWN_KERAS <= version < FIRST_WITH_KERAS_3 and version in lasts:
            roots.append(Root("keras", "keras"))  # keras of the same minor, which has one release
        requirements = (tensorflow_requirement(version), *BESIDES.get(version, ()))
        before = releases[version][0] + PATIENCE
        found.append(Recipe(("tensorflow", str(version)), python_for(version), requirements, before, tuple(roots)))
    return found


def _old_keras() -> list[Recipe]:
    found = []
    for version in OLD_KERAS:
        companion = (
            Version("1.13.2")
            if Version(version) < Version("2.2.5")
            else Version("1.15.5")
            if Version(version) < Version("2.4")
            else Version("2.3.4")
        )
        before = released("tensorflow")[companion][0] + PATIENCE
        requirements = (tensorflow_requirement(companion), f"keras=={version}", "h5py<3", "protobuf<3.21")
        found.append(Recipe(("keras", version), python_for(companion), requirements, before, (Root("keras", "keras"),)))
    return found


def _keras_3(firsts: bool) -> list[Recipe]:
    found = []
    keras, tensorflow = released("keras"), released("tensorflow")
    with_keras_3 = {version: facts for version, facts in tensorflow.items() if version >= FIRST_WITH_KERAS_3}
    for version in minors([version for version in keras if version.major >= 3], firsts):
        day = keras[version][0]
        companion = max((one for one, facts in with_keras_3.items() if facts[0] <= day), default=min(with_keras_3))
        before = max(day, tensorflow[companion][0]) + datetime.timedelta(days=3)
        roots = (Root("keras", "keras"), Root("tensorflow", "tensorflow.keras", below="keras"))
        found.append(
            Recipe(
                ("keras", str(version)),
                python_for(companion),
                (tensorflow_requirement(companion), f"keras=={version}"),
                before,
                roots,
            )
        )
    return found


def _tf_keras() -> list[Recipe]:
    found = []
    tensorflow = released("tensorflow")
    for version, (day, _) in sorted(released("tf-keras").items()):
        if version == Version("2.15.0"):
            continue  # 2.15.1 is the minor's last
        companion = max(one for one in tensorflow if (one.major, one.minor) == (version.major, version.minor))
        before = max(day, tensorflow[companion][0]) + PATIENCE
        requirements = (tensorflow_requirement(companion), f"tf-keras=={version}")
        found.append(
            Recipe(
                ("tf_keras", str(version)),
                python_for(companion),
                requirements,
                before,
                (Root("tf_keras", "tf_keras"),),
                legacy=True,
            )
        )
    return found
