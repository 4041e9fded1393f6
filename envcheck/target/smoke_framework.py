"""Part of smoke.py: what every framework has in common: choosing a device, single operations, several devices.

Standard library only until a step is run.
"""

import json
import os
import time
from typing import Any, Callable, Dict, List, Sequence, Set, Tuple

from smoke_model import Model, Told  # type: ignore[import-not-found]
from smoke_numbers import (  # type: ignore[import-not-found]
    EXACT,
    LENGTH,
    Convolution,
    Recurrent,
    compare,
    compare_rounded,
    fractions,
    is_gpu,
    whole_numbers,
)
from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]

LOOK = 20.0
"""Seconds that the process waits, with its memory on the GPU, for envcheck to ask the driver who uses it."""


class Framework(Model):  # type: ignore[misc]
    """The steps; a subclass puts them into the words of one framework.

    ``wanted`` is ``auto``, ``cpu``, ``gpu`` or ``gpu:N`` (then ``number`` is N); ``on`` is the device that the devices step
    has settled on, ``every`` are all that it may use. ``more`` holds what the record of the step tells besides.
    """

    name = ""
    title = ""

    def __init__(self, wanted: str, folder: str) -> None:
        self.wanted = wanted
        self.number = int(wanted[4:]) if wanted.startswith("gpu:") else None
        self.folder = folder
        self.every: Tuple[str, ...] = ()
        self.has: Set[str] = set()
        self.versions: Dict[str, str] = {}
        self.files: Dict[str, str] = {}
        self.more: Dict[str, Any] = {}

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

    # What a framework says in its own words

    def device_of(self, tensor: Any) -> str:
        """Where a tensor is, as ``GPU:0``."""
        raise NotImplementedError

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor as a NumPy array; waits until it is computed."""
        import numpy as np

        return np.asarray(tensor)

    def tensor(self, array: Any, dtype: str = "float32") -> Any:
        """A NumPy array as a tensor of this type, on the device in use."""
        raise NotImplementedError

    def product(self, left: Any, right: Any) -> Any:
        """The product of two matrices."""
        raise NotImplementedError

    def convolve(self, wanted: Convolution) -> Tuple[Any, Any]:
        """The result of a convolution and its gradient, in Keras's layout."""
        raise NotImplementedError

    def differentiated(self, layer: Any, inputs: Any, counts: Any) -> Callable[[], List[Any]]:
        """A function that answers what a layer makes of ``inputs``, and the gradients of ``sum(result * counts)`` by its
        weights."""
        raise NotImplementedError

    def compiled_product(self, left: Any, right: Any) -> Callable[[], Any]:  # noqa: ARG002
        """A function, compiled by XLA, that answers twice the product of two NumPy arrays."""
        raise Skipped("{} does not compile with XLA".format(self.title))

    def at(self, device: str) -> Any:
        """A context in which ``device`` computes."""
        raise NotImplementedError

    def sum_over_devices(self, array: Any) -> List[Any]:  # noqa: ARG002
        """What every device has after an all-reduce, to which the device number n gives n + 1 times the array."""
        raise Skipped("{} has no all-reduce within one process".format(self.title))

    # Devices

    def ran_on(self, *tensors: Any, device: str = "") -> str:
        """Where the tensors were computed.

        Raises:
            Wrong: not on the device that was to be used.
        """
        wanted = device or self.on
        for tensor in tensors:
            found = self.device_of(tensor)
            if found != wanted:
                raise Wrong("it ran on {} although {} was to be used".format(found, wanted))
        return self.device_of(tensors[0])

    def choose_device(self, gpus: Sequence[str], why_none: str, cpus: Sequence[str] = ("CPU:0",)) -> str:
        """Settle on one of ``gpus`` or the CPU, as wanted.

        Raises:
            Wrong: a GPU is wanted that is not there.
        """
        if self.wanted.startswith("gpu") and not gpus:
            raise Wrong("a GPU is asked for, and there is none to use: " + why_none)
        self.every = tuple(gpus if gpus and self.wanted != "cpu" else cpus)
        if self.number is not None:
            self.every = (self.numbered(gpus),)
        self.on = self.every[0]
        return self.on

    def numbered(self, gpus: Sequence[str]) -> str:
        """The one of ``gpus`` that is asked for by its number.

        Raises:
            Wrong: there are fewer.
        """
        name = "GPU:{}".format(self.number)
        if name not in gpus:
            there = "1 GPU: GPU:0" if len(gpus) == 1 else "{} GPUs: {} to {}".format(len(gpus), gpus[0], gpus[-1])
            raise Wrong("{} is asked for, and {} has {}".format(name, self.title, there))
        return name

    def timed(self, compute: Callable[[], Sequence[Any]]) -> Tuple[Sequence[Any], List[Any]]:
        """The tensors that ``compute`` answers, and the same as NumPy arrays; notes how long its first call took, and the
        quicker of two more: the first one loads libraries, and compiles where the build has no code for the GPU."""
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            tensors = compute()
            arrays = [self.as_numpy(tensor) for tensor in tensors]
            seconds.append(time.perf_counter() - start)
        self.more.update(first=round(seconds[0], 6), steady=round(min(seconds[1:]), 6))
        return tensors, arrays

    # The steps

    def do_matmul(self) -> Told:
        """Multiply two matrices."""
        left, right = whole_numbers((32, 64), 6), whole_numbers((64, 16), 7)
        tensors, arrays = self.timed(lambda: [self.product(self.tensor(left), self.tensor(right))])
        return compare("the product", arrays[0], left.dot(right), EXACT), self.ran_on(*tensors)

    def do_dtypes(self) -> Told:
        """Multiply two matrices of fractions in each type that models are trained in."""
        told = []
        on = self.on
        for dtype in ["float32", "float16"] + ["bfloat16"] * self.has_bfloat16():
            left, right = (
                self.tensor(fractions(shape, seed), dtype) for shape, seed in (((8, LENGTH), 8), ((LENGTH, 8), 9))
            )
            found = self.product(left, right)
            on = self.ran_on(found)
            told.append(
                compare_rounded(dtype, *(self.as_numpy(each).astype("float32") for each in (found, left, right)), on)
            )
        return "deviations from NumPy in float64 and what rounding may do: " + ", ".join(told), on

    def do_convolution(self) -> Told:
        """Convolve, and differentiate by the kernel."""
        wanted = Convolution()
        tensors, arrays = self.timed(lambda: self.convolve(wanted))
        device = self.ran_on(*tensors)
        return wanted.check(arrays[0], arrays[1], device), device

    def do_rnn(self) -> Told:
        """Run an LSTM layer, as cuDNN can, and differentiate by its weights."""
        wanted = Recurrent()
        # The activation of its gates was hard_sigmoid before TensorFlow 2.
        layer = self.keras.layers.LSTM(wanted.UNITS, recurrent_activation="sigmoid")
        layer.build(wanted.sequences.shape)
        layer.set_weights(wanted.weights())
        tensors, arrays = self.timed(self.differentiated(layer, self.tensor(wanted.sequences), wanted.counts))
        device = self.ran_on(*tensors)
        return wanted.check(arrays[0], arrays[1:], device), device

    def do_xla(self) -> Told:
        """Run a function that XLA compiles."""
        left, right = whole_numbers((32, 64), 8), whole_numbers((64, 16), 9)
        compiled = self.compiled_product(left, right)
        tensors, arrays = self.timed(lambda: [compiled()])
        return compare("the compiled function", arrays[0], left.dot(right) * 2, EXACT), self.ran_on(*tensors)

    def do_each_device(self) -> Told:
        """Multiply and convolve on every device."""
        self._need_several()
        left, right, wanted = whole_numbers((32, 64), 6), whole_numbers((64, 16), 7), Convolution()
        found: Dict[str, str] = {}
        for device in self.every:
            try:
                with self.at(device):
                    tensors = [self.product(self.tensor(left), self.tensor(right))]
                    tensors.extend(self.convolve(wanted))
                arrays = [self.as_numpy(tensor) for tensor in tensors]
                self.ran_on(*tensors, device=device)
                compare("the product", arrays[0], left.dot(right), EXACT)
                wanted.check(arrays[1], arrays[2], device)
            except Exception as error:
                found[device] = " ".join("{}: {}".format(type(error).__name__, error).split())[:300]
            else:
                found[device] = ""
        self.more["per_device"] = found
        wrong = ["{} ({})".format(device, text) for device, text in found.items() if text]
        if wrong:
            raise Wrong("{} of {} devices: {}".format(len(wrong), len(found), "; ".join(wrong)))
        return "a product and a convolution on each: " + ", ".join(found), ""

    def do_all_reduce(self) -> Told:
        """Sum over all devices, as training on several GPUs does in every step."""
        self._need_several()
        array = whole_numbers((256,), 10)
        results = self.sum_over_devices(array)
        if len(results) != len(self.every):
            raise Wrong("{} devices take part, {} have a result".format(len(self.every), len(results)))
        expected = array * sum(range(1, len(results) + 1))
        for device, result in zip(self.every, results):
            compare("the sum on " + device, self.as_numpy(result), expected, EXACT)
        return "the sum over {} is the same on each".format(", ".join(self.every)), ""

    def _need_several(self) -> None:
        if self.number is not None:
            raise Skipped("one GPU is asked for")
        if len(self.every) < 2:
            raise Skipped("there is one device: {}".format(self.on))

    def do_process(self) -> Told:
        """Hold the GPU until envcheck has asked the driver who is on it."""
        if not is_gpu(self.on):
            raise Skipped("nothing runs on a GPU")
        path, end = os.path.join(self.folder, "seen.json"), time.monotonic() + LOOK
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise Skipped("the driver was not asked within {:.0f} s".format(LOOK))
            time.sleep(0.01)
        with open(path, encoding="utf-8") as file:
            seen = json.load(file)
        if "reason" in seen:
            raise Skipped(seen["reason"])
        self.more["held"] = seen["held"]
        return "the driver was asked while the process held its memory", self.on
