"""Part of smoke.py: the tiny Keras model, trained, saved and loaded. Standard library only until a step is run."""

import os
import time
from typing import Any, Dict, List, Tuple

from smoke_numbers import (  # type: ignore[import-not-found]
    EXACT,
    TRANSFORMED,
    compare,
    is_gpu,
    release,
    whole_numbers,
)
from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]

Told = Tuple[str, str]
"""What a step says, and the device where it ran."""


class Model:
    """The steps that need nothing of a framework but its Keras."""

    keras: Any = None
    on = ""
    folder = ""
    model: Any = None
    versions: Dict[str, str]
    more: Dict[str, Any]

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor as a NumPy array."""
        raise NotImplementedError

    def ran_on(self, *tensors: Any, device: str = "") -> str:
        """Where the tensors were computed."""
        raise NotImplementedError

    def capability(self) -> Tuple[int, ...]:
        """The compute capability of the GPU in use; empty where that is not told."""
        return ()

    def do_fit(self) -> Told:
        """Train the tiny model for two steps."""
        self.model = self.tiny_model(convolution=True)
        loss, device = self.train(self.model, self.images() / 4)
        return "two steps, loss {:.3g}, weights changed".format(loss), device

    def do_mixed(self) -> Told:
        """Train in each kind of mixed precision that the device is made for."""
        settings: Any = getattr(self.keras, "mixed_precision", None)
        if not hasattr(settings, "set_global_policy"):  # it came with 2.4
            raise Skipped("this Keras has mixed precision as an experiment only")
        before, device, told = settings.global_policy(), self.on, []
        for policy in self.policies():
            try:
                settings.set_global_policy(policy)
                # The convolution of a CPU has no bfloat16 in many releases: it is trained on GPUs.
                model = self.tiny_model(convolution=is_gpu(self.on))
                dtype = policy.partition("_")[2]
                if model.layers[-1].compute_dtype != dtype:
                    raise Wrong("under {} a layer computes in {}".format(policy, model.layers[-1].compute_dtype))
                # Small numbers: with its first loss scale of 2 ** 15, larger gradients overflow float16.
                loss, device = self.train(model, self.images() / 16, scale=1 / 16)
                told.append("{}: loss {:.3g}".format(policy, loss))
            finally:
                settings.set_global_policy(before)
        return ", ".join(told) + ", weights changed", device

    def policies(self) -> List[str]:
        """What is trained in: nobody trains in float16 on a CPU."""
        return ["mixed_float16"] * is_gpu(self.on) + ["mixed_bfloat16"] * self.has_bfloat16()

    def has_bfloat16(self) -> bool:
        """Whether bfloat16 is the device's: a CPU computes it somehow, GPUs of NVIDIA from compute capability 8.0 on.

        https://www.tensorflow.org/guide/mixed_precision#supported_hardware
        """
        return not is_gpu(self.on) or self.capability() >= (8, 0)

    def images(self) -> Any:
        """Eight images for the tiny model, in the layout that keras.json asks for."""
        first = self.keras.backend.image_data_format() == "channels_first"
        return whole_numbers((8, 3, 8, 8) if first else (8, 8, 8, 3), 4)

    def tiny_model(self, convolution: bool) -> Any:
        """The model that is trained, ready for it."""
        keras = self.keras
        inputs = keras.Input(shape=self.images().shape[1:])
        hidden = keras.layers.Conv2D(4, 3)(inputs) if convolution else inputs
        outputs = keras.layers.Dense(2)(keras.layers.Flatten()(hidden))
        model = keras.Model(inputs, outputs)
        model.compile(optimizer="adam", loss="mse")
        return model

    def train(self, model: Any, images: Any, scale: float = 1.0) -> Tuple[float, str]:
        """Train a model for two steps; the loss, and where its weights are.

        Raises:
            Wrong: the loss is no number, or no weight has changed.
        """
        import numpy as np

        clock, seconds = self._clock()
        before = model.get_weights()
        targets = whole_numbers((8, 2), 5) * scale
        history = model.fit(images, targets, batch_size=4, epochs=1, verbose=0, callbacks=[clock])
        if len(seconds) == 2:
            self.more.update(first=round(seconds[0], 6), steady=round(seconds[1], 6))
        loss = float(history.history["loss"][-1])
        if not np.isfinite(loss):
            raise Wrong("after two steps the loss is {}".format(loss))
        if all(np.array_equal(old, new) for old, new in zip(before, model.get_weights())):
            raise Wrong("two steps of training have not changed a single weight")
        # An optimizer's update runs where the weight is.
        return loss, self.ran_on(*(plain(weight) for weight in model.trainable_weights))

    def _clock(self) -> Tuple[Any, List[float]]:
        """A callback, and the list that it fills with the seconds of each step."""
        seconds: List[float] = []

        class Clock(self.keras.callbacks.Callback):  # type: ignore[misc,name-defined]
            start = 0.0

            def on_train_batch_begin(self, batch: Any, logs: Any = None) -> None:  # noqa: ARG002
                self.start = time.perf_counter()

            def on_train_batch_end(self, batch: Any, logs: Any = None) -> None:  # noqa: ARG002
                seconds.append(time.perf_counter() - self.start)

        return Clock(), seconds

    def do_save_load(self) -> Told:
        """Save the trained model, load it, and have both predict the same."""
        images = self.images() / 4
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


def plain(weight: Any) -> Any:
    """The framework's own variable behind one of Keras 3."""
    return weight.value if hasattr(weight, "value") and not callable(weight.value) else weight
