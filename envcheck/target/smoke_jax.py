"""Part of smoke.py: the steps on Keras 3 with JAX, or with a backend that cannot train. Standard library only until a step
is run."""

import os
from typing import Any, Callable, List, Tuple

from smoke_framework import Framework  # type: ignore[import-not-found]
from smoke_model import Told, plain  # type: ignore[import-not-found]
from smoke_numbers import Convolution  # type: ignore[import-not-found]
from smoke_steps import Skipped  # type: ignore[import-not-found]


class OtherBackend(Framework):  # type: ignore[misc]
    """Keras 3 on a backend that cannot train (NumPy, OpenVINO): that is what its own ``fit`` must say."""

    name = "keras"
    title = "Keras"

    def do_import(self) -> Told:
        """Import Keras."""
        import keras

        version = self.note("keras", keras)
        self.keras = keras
        self.has.update(("framework", "keras"))
        return "Keras {} on {}".format(version, keras.backend.backend()), ""

    def do_devices(self) -> Told:
        """There is the CPU."""
        backend = self.keras.backend.backend()
        device = self.choose_device((), "Keras runs on {}, which computes on the CPU".format(backend))
        return "Keras runs on {}".format(backend), device

    def _other(self) -> Told:
        raise Skipped("Keras runs on {}, which cannot train".format(self.keras.backend.backend()))

    do_matmul = do_dtypes = do_convolution = do_rnn = do_mixed = do_xla = _other


class Jax(Framework):  # type: ignore[misc]
    """Keras 3 on JAX."""

    name = "jax"
    title = "JAX"
    jax: Any = None

    def do_import(self) -> Told:
        """Import Keras, which imports JAX."""
        # JAX takes 75 % of a GPU's memory at its first use unless told otherwise: somebody may be training.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        if self.wanted == "cpu":
            import jax

            jax.config.update("jax_platforms", "cpu")
        import keras

        version = self.note("keras", keras)
        import jax

        self.note("jax", jax)
        import jaxlib

        self.note("jaxlib", jaxlib)
        self.jax, self.keras = jax, keras
        self.has.update(("framework", "keras"))
        return "Keras {} on {} {}".format(version, keras.backend.backend(), jax.__version__), ""

    def do_devices(self) -> Told:
        """List the devices; JAX uses the first one of its best platform unless told otherwise."""
        devices = self.jax.devices()
        names = [_name(each) for each in devices]
        gpus = [] if devices[0].platform == "cpu" else names
        listed = "JAX lists {}".format(", ".join(str(each) for each in devices))
        device = self.choose_device(gpus, listed, () if gpus else names)
        if self.number is not None:
            self.jax.config.update("jax_default_device", self._named(device))
        return ", ".join("{} ({})".format(_name(each), each.device_kind) for each in devices), device

    def _named(self, name: str) -> Any:
        return next(each for each in self.jax.devices() if _name(each) == name)

    def capability(self) -> Tuple[int, ...]:
        """The compute capability of the GPU in use."""
        text = str(getattr(self._named(self.on), "compute_capability", ""))
        return tuple(int(part) for part in text.split(".") if part.isdigit())

    def tensor(self, array: Any, dtype: str = "float32") -> Any:
        """An array of JAX."""
        return self.jax.numpy.asarray(array, dtype=dtype)

    def product(self, left: Any, right: Any) -> Any:
        """The product of two matrices."""
        return self.jax.numpy.matmul(left, right)

    def convolve(self, wanted: Convolution) -> Tuple[Any, Any]:
        """The result of a convolution and its gradient."""
        jax = self.jax

        def run(kernel: Any) -> Any:
            layout = ("NHWC", "HWIO", "NHWC")
            return jax.lax.conv_general_dilated(wanted.images, kernel, (1, 1), "VALID", dimension_numbers=layout)

        kernel = self.tensor(wanted.kernel)
        return run(kernel), jax.grad(lambda given: (run(given) * wanted.weights).sum())(kernel)

    def differentiated(self, layer: Any, inputs: Any, counts: Any) -> Callable[[], List[Any]]:
        """The result of a layer and the gradients by its weights, compiled as Keras trains on JAX."""
        weights, state = (
            [plain(each) for each in some] for some in (layer.trainable_variables, layer.non_trainable_variables)
        )

        def total(given: Any) -> Any:
            result, _ = layer.stateless_call(given, state, inputs, training=True)
            return (result * counts).sum(), result

        step = self.jax.jit(self.jax.value_and_grad(total, has_aux=True))

        def run() -> List[Any]:
            (_, result), gradients = step(weights)
            return [result, *gradients]

        return run

    def compiled_product(self, left: Any, right: Any) -> Callable[[], Any]:
        """A compiled function; all of JAX is XLA."""
        compiled = self.jax.jit(lambda a, b: a @ b * 2.0)
        return lambda: compiled(left, right)

    def at(self, device: str) -> Any:
        """A context in which ``device`` computes."""
        return self.jax.default_device(self._named(device))

    def sum_over_devices(self, array: Any) -> List[Any]:
        """An all-reduce of XLA, which on GPUs of NVIDIA is NCCL's."""
        import numpy as np

        places = [self._named(name) for name in self.every]
        reduce = self.jax.pmap(lambda x: self.jax.lax.psum(x, "devices"), axis_name="devices", devices=places)
        result = reduce(np.stack([array * (number + 1) for number in range(len(places))]))
        shards = {_name(shard.device): shard.data for shard in result.addressable_shards}
        return [shards[name].reshape(array.shape) for name in self.every]

    def device_of(self, tensor: Any) -> str:
        """Where an array is."""
        return _name(next(iter(tensor.devices())))


def _name(device: Any) -> str:
    return "{}:{}".format(device.platform.upper(), device.id)
