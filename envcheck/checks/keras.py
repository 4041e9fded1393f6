"""Does the Keras that is installed and configured fit the TensorFlow that is installed?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.findings import Finding, Fix, Location, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.knowledge.series import Series
    from envcheck.probes.keras import KerasFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


def _row(tensorflow: TensorFlowFacts, matrix: Matrix) -> Series:
    if Version(tensorflow.version).is_devrelease:
        raise Skip(f"TensorFlow {tensorflow.version} is a nightly build: no row holds for it", unknown=True)
    row = matrix.series(Version(tensorflow.version))
    if row is None:
        raise Skip(f"the compatibility matrix does not know TensorFlow {tensorflow.version}", unknown=True)
    return row


def _beside(tensorflow: TensorFlowFacts) -> tuple[str, ...]:
    """What keeps tf_keras, which requires the distribution ``tensorflow``, from installing it over another one."""
    return () if tensorflow.distribution == "tensorflow" else ("--no-deps",)


@check("ENV305", "Keras fits TensorFlow", explains=("ENV204", "ENV308", "SMK"), unless="SMK105")
def keras_fits(
    tensorflow: TensorFlowFacts, keras: KerasFacts, python: PythonFacts, matrix: Matrix
) -> Iterator[Finding]:
    """From TensorFlow 2.6 on, ``tf.keras`` is the separately installed ``keras``; the two must belong together.

    Cause: one was upgraded without the other. TensorFlow 2.6 to 2.15 were released with the Keras of the same minor
    version, 2.16 and newer with Keras 3. Run on the real packages: Keras 2 under 2.16, and Keras 3 under 2.14, fail at the
    first ``tf.keras`` (errors). Keras 3 under 2.15 works and makes ``tf.keras`` Keras 3, whose API differs; neighbouring
    minor versions work or fail from case to case (2.7 under 2.6 fails, 2.14 under 2.15 works): warnings.

    How to fix: install the Keras that this TensorFlow was released with, or change TensorFlow.

    Source: the requirements in TensorFlow's own metadata (compat_matrix/tensorflow.yaml);
    https://keras.io/getting_started/#tensorflow--keras-2-backwards-compatibility
    """
    if keras.tf_keras_is != "keras":
        raise Skip(f"`tf.keras` does not use the keras distribution here (it is {keras.tf_keras_is})")
    row = _row(tensorflow, matrix)
    if row.keras is None:
        raise Skip(f"TensorFlow {row.series} brings its own Keras")
    wanted = f"keras{row.keras}"
    fix = Fix(f"Install {wanted}.", (python.install(wanted),), "envcheck doctor")
    if keras.keras is None:
        yield Finding(f"TensorFlow {tensorflow.version} takes `tf.keras` from {wanted}; keras is not installed", fix)
    elif not SpecifierSet(row.keras).contains(keras.keras.version, prereleases=True):
        floor = min(Version(spec.version.removesuffix(".*")) for spec in SpecifierSet(row.keras))
        other_api = keras.keras.major != floor.major
        # The series that know tf_keras and still bring Keras 2 (2.15) were seen to train with Keras 3.
        works = not other_api or (floor.major == 2 and row.tf_keras is not None)
        yield Finding(
            f"Keras {keras.keras.version} is installed; TensorFlow {tensorflow.version} was released with {wanted}"
            + (f", and `tf.keras` is now Keras {keras.keras.major}, whose API differs" if other_api and works else "")
            + (", and its `tf.keras` cannot load this one" if not works else ""),
            fix,
            Location(row.source.path, row.source.line),
            symbol="keras",
            severity=Severity.WARNING if works else None,
        )


@check("ENV306", "TF_USE_LEGACY_KERAS finds tf_keras", explains=("SMK",), unless="SMK105")
def legacy_flag(
    tensorflow: TensorFlowFacts, keras: KerasFacts, python: PythonFacts, matrix: Matrix
) -> Iterator[Finding]:
    """With TF_USE_LEGACY_KERAS=1, ``tf.keras`` is the distribution tf_keras; without it every ``tf.keras.…`` raises.

    Cause: the variable is set (by the user, an image, or another library) and tf_keras is not installed. Only the values
    ``1``, ``true`` and ``True`` count; TensorFlow silently ignores any other.

    How to fix: install the tf_keras of TensorFlow's minor version, or unset the variable.

    Source: tensorflow/python/util/lazy_loader.py of TensorFlow 2.15 to 2.21.
    """
    if keras.legacy_flag is None:
        return
    release = Version(tensorflow.version).release[:2]
    if keras.legacy and keras.tf_keras is None:
        wanted = f"tf_keras~={release[0]}.{release[1]}.0"
        install = python.install(*_beside(tensorflow), wanted)
        yield Finding(
            f"TF_USE_LEGACY_KERAS={keras.legacy_flag} makes `tf.keras` the distribution tf_keras, which is not installed: "
            f"every use of `tf.keras` raises ImportError",
            Fix(f"Install {wanted}, or unset TF_USE_LEGACY_KERAS.", (install,), "envcheck doctor"),
            symbol="TF_USE_LEGACY_KERAS",
        )
    elif not keras.legacy and keras.legacy_flag not in ("", "0", "false", "False"):
        known = matrix.nearest(Version(tensorflow.version)).tf_keras is not None
        why = "only 1, true and True count" if known else f"TensorFlow {tensorflow.version} does not know the variable"
        yield Finding(
            f"TF_USE_LEGACY_KERAS={keras.legacy_flag} has no effect: {why}",
            Fix("Set it to 1, or unset it." if known else "Unset it."),
            symbol="TF_USE_LEGACY_KERAS",
            severity=Severity.WARNING,
        )


@check("ENV307", "tf_keras fits TensorFlow", explains=("SMK",), unless="SMK105")
def tf_keras_fits(
    tensorflow: TensorFlowFacts, keras: KerasFacts, python: PythonFacts, matrix: Matrix
) -> Iterator[Finding]:
    """tf_keras uses internals of TensorFlow and is released in step with it: their minor versions must be equal.

    Cause: one of the two was upgraded alone. Run on the real packages: a tf_keras newer than TensorFlow fails (2.20.1 under
    2.16.2), an older one was seen to work (2.16.0 and 2.19.0 under 2.21.0). An error where ``tf.keras`` is a newer tf_keras,
    else a warning: only libraries that import tf_keras themselves (tensorflow-hub, transformers, …) meet it.

    How to fix: install the tf_keras of TensorFlow's minor version.

    Source: https://github.com/keras-team/tf-keras/issues/257
    """
    if keras.tf_keras is None:
        raise Skip("tf_keras is not installed")
    row = _row(tensorflow, matrix)
    if row.tf_keras is None:
        raise Skip(f"tf_keras has no meaning for TensorFlow {row.series}")
    if not SpecifierSet(row.tf_keras).contains(keras.tf_keras.version, prereleases=True):
        wanted = f"tf_keras{row.tf_keras}"
        newer = Version(keras.tf_keras.version).release[:2] > Version(tensorflow.version).release[:2]
        yield Finding(
            f"tf_keras {keras.tf_keras.version} is installed; TensorFlow {tensorflow.version} was released with {wanted}",
            Fix(f"Install {wanted}.", (python.install(*_beside(tensorflow), wanted),), "envcheck doctor"),
            Location(row.source.path, row.source.line),
            symbol="tf_keras",
            severity=None if keras.legacy and newer else Severity.WARNING,
        )


# Import packages behind each backend: keras/src/backend/__init__.py (3.x), keras/backend/__init__.py (2.3).
def _usable(named: str, packages: PackagesFacts, backends: Mapping[str, str]) -> str:
    """A backend that is installed: the one that was meant, if only its case is wrong, else the usual one."""
    there = [name for name, module in backends.items() if packages.providers(module)]
    return named.lower() if named.lower() in there else (there or ["tensorflow"])[0]


@check("ENV308", "The backend that Keras will load is there", explains=("SMK",), unless="SMK105")
def backend(keras: KerasFacts, packages: PackagesFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """KERAS_BACKEND, or else ``keras.json``, names a backend that this Keras does not have or that is not installed.

    Cause: a ``~/.keras/keras.json`` from years ago (theano, cntk) survives every upgrade and every new environment.
    From TensorFlow 2.16 on it breaks ``import tensorflow`` as well, because TensorFlow imports Keras.

    How to fix: name a backend that is installed.

    Source: keras/src/backend/config.py and keras/src/backend/__init__.py of Keras 3.
    """
    if keras.keras is None:
        raise Skip("Keras is not installed")
    version = Version(keras.keras.version)
    row = matrix.backends_of(version)
    known = row.backends if row else {}
    if len(known) < 2:
        raise Skip(f"Keras {keras.keras.version} knows no backend but TensorFlow")
    said = "KERAS_BACKEND" if keras.backend_from == "KERAS_BACKEND" else keras.backend_from
    use = f"export KERAS_BACKEND={_usable(keras.backend, packages, known)}"
    if keras.backend == "tensorflow":
        raise Skip("whether TensorFlow is installed is the question of ENV301")
    if keras.backend not in known:
        yield Finding(
            f"{said} names the backend {keras.backend!r}; Keras {keras.keras.version} has {', '.join(known)}",
            Fix(
                f'Write "backend": "tensorflow" in {keras.config.path}, or set KERAS_BACKEND, which goes before the file.'
                if said != "KERAS_BACKEND"
                else "Set KERAS_BACKEND to one of them.",
                (use,),
                "envcheck doctor",
            ),
            Location(keras.config.path) if said != "KERAS_BACKEND" else None,
            symbol=keras.backend,
            severity=Severity.WARNING if keras.legacy else None,  # only an `import keras` meets it then
        )
    elif not packages.providers(known[keras.backend]):
        yield Finding(
            f"{said} names the backend {keras.backend}, which is not installed",
            Fix(
                f"Install {keras.backend}, or name a backend that is installed.",
                (python.install(known[keras.backend]),),
            ),
            Location(keras.config.path) if said != "KERAS_BACKEND" else None,
            symbol=keras.backend,
            severity=Severity.WARNING if keras.legacy else None,  # only an `import keras` meets it then
        )


@check("ENV309", "keras.json says what Keras can use", explains=("SMK",), unless="SMK105")
def config(keras: KerasFacts) -> Iterator[Finding]:
    """``keras.json`` holds defaults for every Keras program of this user; a bad one breaks or changes them all.

    Cause: an edit by hand, an old tutorial (``channels_first``), a write that was cut short. A file that is no JSON is
    ignored without a word; JSON that is no object, or an unknown value, raises when Keras is imported.

    How to fix: correct the value, or delete the file: Keras writes a new one.

    Source: keras/src/backend/config.py of Keras 3; keras/backend.py of Keras 2.
    """
    path = keras.config.path
    if keras.config.state == "absent":
        return
    if keras.config.state == "no object":
        yield Finding(
            f"{path} is JSON and no object: Keras raises when it reads it",
            Fix("Correct it, or delete it: Keras writes a new one."),
            Location(path),
        )
    if keras.config.state in ("invalid", "unreadable"):
        what = "is no JSON" if keras.config.state == "invalid" else "cannot be read"
        yield Finding(
            f"{path} {what}: what it was meant to set is ignored",
            Fix("Correct it, or delete it: Keras writes a new one."),
            Location(path),
            severity=Severity.WARNING,
        )
    usual = {"floatx": "float32", "image_data_format": "channels_last"}
    allowed = {"floatx": ("float16", "float32", "float64"), "image_data_format": ("channels_last", "channels_first")}
    for name, value in (("floatx", keras.config.floatx), ("image_data_format", keras.config.image_data_format)):
        if value is not None and value not in allowed[name]:
            yield Finding(
                f"{path} sets {name} to {value!r}; Keras accepts {', '.join(allowed[name])} and raises on anything else",
                Fix(f'Set "{name}" to "{usual[name]}".'),
                Location(path),
            )
    if keras.config.image_data_format == "channels_first":
        yield Finding(
            f"{path} sets image_data_format to channels_first: every image layer expects another shape than usual, and "
            "TensorFlow has no such convolution on the CPU",
            Fix('Set "image_data_format" to "channels_last".'),
            Location(path),
            severity=Severity.WARNING,
        )
    if keras.config.floatx not in (None, "float32") and keras.config.floatx in allowed["floatx"]:
        yield Finding(
            f"{path} makes {keras.config.floatx} the default type of every layer (usual: float32)",
            Fix('Set "floatx" to "float32" unless that is meant.'),
            Location(path),
            severity=Severity.NOTE,
        )


@check("ENV310", "One distribution brings Keras", Severity.WARNING, explains=("ENV205", "ENV305"))
def single_keras(keras: KerasFacts, python: PythonFacts) -> Iterator[Finding]:
    """Two distributions (keras, keras-nightly) write the import package ``keras``; what is imported is a mixture.

    Cause: a nightly build was installed beside the release.

    How to fix: remove both and install one.

    Source: https://github.com/keras-team/tf-keras/issues/676
    """
    if len({copy.name for copy in keras.keras_copies}) > 1:
        names = sorted({copy.name for copy in keras.keras_copies})
        yield Finding(
            f"{' and '.join(f'{copy.name} {copy.version}' for copy in keras.keras_copies)} both write the package keras",
            Fix("Remove them and install one.", (python.uninstall(*names), python.install("keras"))),
        )
