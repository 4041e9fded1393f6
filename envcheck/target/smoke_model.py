"""Part of smoke.py: what every framework has in common, the tiny Keras model and the numbers that must come out.

Standard library only until a step is run.
"""

import os
import re
from typing import Any, Dict, Set, Tuple

from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]

EXACT = 1e-5
"""Tolerance, as a part of the largest expected value. The inputs are small whole numbers: their products and sums are
exact in float32 and in the 10 bits of TensorFloat-32, which GPUs from Ampere on use by default."""
TRANSFORMED = 1e-2
"""The same for convolutions on a GPU: cuDNN may choose a Winograd or FFT algorithm, which goes through fractions that
TensorFloat-32 rounds to about 1e-3."""


def is_gpu(device: str) -> bool:
    """Whether a device such as ``GPU:0`` is an accelerator."""
    return not device.startswith("CPU")


def release(version: str) -> Tuple[int, ...]:
    """``(2, 15, 1)`` for "2.15.1-rc0"."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def whole_numbers(shape: Tuple[int, ...], seed: int) -> Any:
    """A NumPy array of small whole numbers."""
    import numpy as np

    return np.random.RandomState(seed).randint(-4, 5, shape).astype("float32")


def compare(what: str, found: Any, expected: Any, tolerance: float) -> str:
    """Say how far ``found`` is from ``expected`` (NumPy arrays).

    Raises:
        Wrong: another shape, or further away than ``tolerance`` times the largest expected value.
    """
    import numpy as np

    if found.shape != expected.shape:
        raise Wrong("{}: the result has the shape {}, expected {}".format(what, found.shape, expected.shape))
    deviation = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    if not deviation <= tolerance:  # NaN, too
        raise Wrong("{} deviates by {:.2g} from NumPy; at most {:g} is rounding".format(what, deviation, tolerance))
    return "{} deviates by {:.1g} from NumPy (tolerance {:g})".format(what, deviation, tolerance)


class Convolution:
    """A 3×3 convolution, channels last, without padding: its inputs, and in NumPy its result and its gradient."""

    def __init__(self) -> None:
        self.images = whole_numbers((2, 8, 8, 3), 1)
        self.kernel = whole_numbers((3, 3, 3, 4), 2)
        self.weights = whole_numbers((2, 6, 6, 4), 3)
        """What each value of the result counts in the sum whose gradient by the kernel is asked for."""

    def _patches(self) -> Any:
        import numpy as np

        rows = [[self.images[:, i : i + 6, j : j + 6, :] for j in range(3)] for i in range(3)]
        return np.array(rows)  # kernel row, kernel column, image, row, column, channel

    def expected(self) -> Any:
        """The result of the convolution."""
        import numpy as np

        return np.einsum("ijbxyc,ijco->bxyo", self._patches(), self.kernel)

    def expected_gradient(self) -> Any:
        """The gradient of ``sum(result * weights)`` by the kernel."""
        import numpy as np

        return np.einsum("ijbxyc,bxyo->ijco", self._patches(), self.weights)

    def check(self, result: Any, gradient: Any, device: str) -> str:
        """Compare a result and a gradient, as NumPy arrays."""
        tolerance = TRANSFORMED if is_gpu(device) else EXACT
        return "{}; {}".format(
            compare("the result", result, self.expected(), tolerance),
            compare("the gradient", gradient, self.expected_gradient(), tolerance),
        )


class Framework:
    """The steps that need nothing but Keras; a subclass adds those of one framework.

    ``wanted`` is ``auto``, ``cpu`` or ``gpu``; ``on`` the device that the devices step has settled on.
    """

    name = ""
    keras: Any = None
    on = ""

    def __init__(self, wanted: str, folder: str) -> None:
        self.wanted = wanted
        self.folder = folder
        self.has: Set[str] = set()
        self.versions: Dict[str, str] = {}
        self.files: Dict[str, str] = {}
        self.model: Any = None

    def note(self, name: str, module: Any) -> str:
        """Remember version and file of an imported package; returns the version.

        Raises:
            Wrong: it is not the package that goes by this name.
        """
        version = getattr(module, "__version__", None)
        file = getattr(module, "__file__", None) or "a folder without __init__.py: {}".format(list(module.__path__))
        self.files[name] = file
        if version is None:
            raise Wrong("what is imported as {} is not the package of that name, but {}".format(name, file))
        self.versions[name] = str(version)
        return str(version)

    def device_of(self, tensor: Any) -> str:
        """Where a tensor is, as ``GPU:0``."""
        raise NotImplementedError

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor as a NumPy array."""
        import numpy as np

        return np.asarray(tensor)

    def ran_on(self, tensor: Any) -> str:
        """Where the tensor was computed.

        Raises:
            Wrong: on the CPU, although a GPU was to be used.
        """
        device = self.device_of(tensor)
        if is_gpu(self.on) and not is_gpu(device):
            raise Wrong("it ran on {} although {} was to be used".format(device, self.on))
        return device

    def choose_device(self, gpu: str, why_none: str) -> str:
        """Settle on ``gpu`` (empty when there is none) or the CPU, as wanted.

        Raises:
            Wrong: a GPU is wanted and there is none.
        """
        if self.wanted == "gpu" and not gpu:
            raise Wrong("a GPU is asked for, and there is none to use: " + why_none)
        self.on = gpu if gpu and self.wanted != "cpu" else "CPU:0"
        return self.on

    def images(self) -> Any:
        """Eight images for the tiny model, in the layout that keras.json asks for."""
        first = self.keras.backend.image_data_format() == "channels_first"
        return whole_numbers((8, 3, 8, 8) if first else (8, 8, 8, 3), 4) / 4

    def do_fit(self) -> Tuple[str, str]:
        """Train the tiny model for two steps."""
        import numpy as np

        keras, images = self.keras, self.images()
        inputs = keras.Input(shape=images.shape[1:])
        hidden = keras.layers.Conv2D(4, 3)(inputs)
        outputs = keras.layers.Dense(2)(keras.layers.Flatten()(hidden))
        model = keras.Model(inputs, outputs)
        model.compile(optimizer="adam", loss="mse")
        before = model.get_weights()
        history = model.fit(images, whole_numbers((8, 2), 5), batch_size=4, epochs=1, verbose=0)
        loss = float(history.history["loss"][-1])
        if not np.isfinite(loss):
            raise Wrong("after two steps the loss is {}".format(loss))
        if all(np.array_equal(old, new) for old, new in zip(before, model.get_weights())):
            raise Wrong("two steps of training have not changed a single weight")
        weight = model.trainable_weights[0]
        # An optimizer's update runs where the weight is.
        device = self.ran_on(weight.value if hasattr(weight, "value") and not callable(weight.value) else weight)
        self.model = model
        return "two steps, loss {:.3g}, weights changed".format(loss), device

    def do_save_load(self) -> Tuple[str, str]:
        """Save the trained model, load it, and have both predict the same."""
        images = self.images()
        path = os.path.join(self.folder, "model" + self._suffix())
        self.model.save(path)
        loaded = self.keras.models.load_model(path)
        before, after = self.model(images), loaded(images)
        tolerance = TRANSFORMED if is_gpu(self.on) else EXACT
        try:
            compare("the loaded model's prediction", self.as_numpy(after), self.as_numpy(before), tolerance)
        except Wrong as error:
            raise Wrong(str(error).replace("from NumPy", "from the saved model's")) from None
        return "{}: the loaded model predicts the same".format(os.path.basename(path)), self.ran_on(after)

    def _suffix(self) -> str:
        """The file format that this Keras recommends: ``.keras`` from 2.12 on, else HDF5 where h5py is installed."""
        if release(self.versions["keras"]) >= (2, 12):
            return ".keras"
        try:
            import h5py  # noqa: F401
        except ImportError:
            return ""  # a SavedModel folder
        return ".h5"

    def do_xla(self) -> Tuple[str, str]:
        """Run one compiled function."""
        raise Skipped("{} does not compile with XLA".format(self.name))
