"""What ``import keras``, ``tf.keras`` and ``import tf_keras`` each are here, and with which backend.

The rules are TensorFlow's and Keras's own: ``tensorflow/__init__.py`` with ``python/util/lazy_loader.py`` (2.15 and
newer), and ``keras/src/backend/config.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from packaging.version import Version

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.environment import EnvironmentFacts
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.python import PythonFacts
from envcheck.probes.tensorflow import TensorFlowFacts
from envcheck.source.flags import FLAG, SET


@dataclass(frozen=True, slots=True)
class Resolved:
    """The distribution behind an import package."""

    name: str
    version: str
    location: str

    def __post_init__(self) -> None:
        """Refuse a version that nobody can compare, from a saved inventory."""
        Version(self.version)

    @property
    def major(self) -> int:
        """Its major version."""
        return Version(self.version).major


@dataclass(frozen=True, slots=True)
class KerasConfig:
    """``keras.json``: ``state`` is ``absent``, ``read``, ``invalid`` (no JSON), ``no object`` or ``unreadable``."""

    path: str
    state: str
    backend: str | None = None
    image_data_format: str | None = None
    floatx: str | None = None


@dataclass(frozen=True, slots=True)
class KerasFacts:
    """Who answers to which Keras name.

    ``tf_keras_is`` says what ``tf.keras`` is: ``bundled`` (up to 2.5), ``keras``, ``tf_keras`` or ``none`` without
    TensorFlow. ``legacy`` tells whether TF_USE_LEGACY_KERAS is set to a value that this TensorFlow honours.
    ``backend`` is the one that Keras 3 will load, ``backend_from`` where that is said: ``KERAS_BACKEND``, a path, or
    ``default``.
    """

    keras: Resolved | None
    tf_keras: Resolved | None
    tf_keras_is: str
    legacy: bool
    legacy_flag: str | None
    backend: str
    backend_from: str
    config: KerasConfig
    keras_copies: tuple[Resolved, ...] = ()

    @property
    def other_backend(self) -> str | None:
        """The backend that Keras 3 trains on where it is not TensorFlow."""
        return self.backend if self.keras and self.keras.major >= 3 and self.backend != "tensorflow" else None


def collect(
    host: Host,
    python: PythonFacts,
    packages: PackagesFacts,
    environment: EnvironmentFacts,
    tensorflow: TensorFlowFacts | Unavailable,
) -> KerasFacts:
    """Resolve every Keras name from what is installed and set."""
    copies = _copies(packages, "keras", "keras-nightly")
    legacy_copies = _copies(packages, "tf_keras", "tf-keras-nightly")
    flag = environment.get(FLAG)
    release = None if isinstance(tensorflow, Unavailable) else Version(tensorflow.version).release[:2]
    legacy = flag in SET and release is not None and release >= (2, 15)
    config = _config(host, _keras_home(host, python, environment))
    backend, backend_from = "tensorflow", "default"
    if config.backend is not None:  # an empty one is taken at its word
        backend, backend_from = config.backend, config.path
    if environment.get("KERAS_BACKEND"):
        backend, backend_from = environment.variables["KERAS_BACKEND"], "KERAS_BACKEND"
    return KerasFacts(
        keras=copies[0] if copies else None,
        tf_keras=legacy_copies[0] if legacy_copies else None,
        tf_keras_is=_tf_keras_is(release, legacy),
        legacy=legacy,
        legacy_flag=flag,
        backend=backend,
        backend_from=backend_from,
        config=config,
        keras_copies=copies,
    )


def _copies(packages: PackagesFacts, module: str, nightly: str) -> tuple[Resolved, ...]:
    found = packages.providers(module)
    if not found:  # an editable installation lists no files of its own
        named = (packages.find(module), packages.find(nightly))
        found = tuple(
            dist for dist in named if dist is not None and (not dist.modules or "editable" in str(dist.modules))
        )
    bad = {(each.name, each.version): each.missing + each.altered for each in packages.damaged}
    # Where two write one package, the one whose files are on disk is what is imported.
    real_first = sorted(found, key=lambda dist: bad.get((dist.name, dist.version), 0))
    return tuple(Resolved(dist.name, dist.version, dist.location) for dist in real_first)


def _tf_keras_is(release: tuple[int, ...] | None, legacy: bool) -> str:
    if release is None:
        return "none"
    if release < (2, 6):
        return "bundled"
    return "tf_keras" if legacy else "keras"


def _keras_home(host: Host, python: PythonFacts, environment: EnvironmentFacts) -> str:
    home = environment.get("KERAS_HOME")
    if home is not None:
        return home.replace("~", python.home, 1) if home.startswith("~") else home
    # Keras goes to /tmp where it may not write into the home directory.
    return f"{python.home if host.writable(python.home) else '/tmp'}/.keras"  # noqa: S108


def _config(host: Host, folder: str) -> KerasConfig:
    path = f"{folder}/keras.json"
    if not host.exists(path):
        return KerasConfig(path, "absent")
    text = host.read(path)
    if text is None:
        return KerasConfig(path, "unreadable")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return KerasConfig(path, "invalid")
    if not isinstance(data, dict):
        return KerasConfig(path, "no object")

    def text_of(name: str) -> str | None:
        return str(data[name]) if name in data else None

    return KerasConfig(path, "read", text_of("backend"), text_of("image_data_format"), text_of("floatx"))
