"""Part of smoke.py: the steps on the other backends of Keras 3. Standard library only until a step is run."""

import os
from typing import Any, Tuple

from smoke_model import EXACT, Convolution, Framework, compare, whole_numbers  # type: ignore[import-not-found]
from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]


class OtherBackend(Framework):  # type: ignore[misc]
    """Keras 3 on a backend that cannot train (NumPy, OpenVINO): there is nothing to prove on a device."""

    name = "keras"

    def do_import(self) -> Tuple[str, str]:
        """Import Keras."""
        import keras

        version = self.note("keras", keras)
        self.keras = keras
        self.has.update(("framework", "keras"))
        return "Keras {} on {}".format(version, keras.backend.backend()), ""

    def do_devices(self) -> Tuple[str, str]:
        """Skipped."""
        raise Skipped("Keras runs on {}, which cannot train".format(self.keras.backend.backend()))


class Jax(Framework):  # type: ignore[misc]
    """Keras 3 on JAX."""

    name = "jax"
    jax: Any = None

    def do_import(self) -> Tuple[str, str]:
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

    def do_devices(self) -> Tuple[str, str]:
        """List the devices; JAX uses the first one of its best platform."""
        devices = self.jax.devices()
        first = devices[0]
        gpu = "" if first.platform == "cpu" else _jax_name(first)
        device = self.choose_device(gpu, "JAX lists {}".format(", ".join(str(each) for each in devices)))
        return ", ".join("{} ({})".format(_jax_name(each), each.device_kind) for each in devices), device

    def do_matmul(self) -> Tuple[str, str]:
        """Multiply two matrices."""
        left, right = whole_numbers((32, 64), 6), whole_numbers((64, 16), 7)
        result = self.jax.numpy.matmul(left, right)
        return compare("the product", self.as_numpy(result), left.dot(right), EXACT), self.ran_on(result)

    def do_convolution(self) -> Tuple[str, str]:
        """Convolve, and differentiate by the kernel."""
        jax, wanted = self.jax, Convolution()

        def convolve(kernel: Any) -> Any:
            layout = ("NHWC", "HWIO", "NHWC")
            return jax.lax.conv_general_dilated(wanted.images, kernel, (1, 1), "VALID", dimension_numbers=layout)

        result = convolve(wanted.kernel)
        gradient = jax.grad(lambda kernel: (convolve(kernel) * wanted.weights).sum())(wanted.kernel)
        device = self.ran_on(result)
        self.ran_on(gradient)
        return wanted.check(self.as_numpy(result), self.as_numpy(gradient), device), device

    def do_xla(self) -> Tuple[str, str]:
        """Run a compiled function."""
        left, right = whole_numbers((32, 64), 8), whole_numbers((64, 16), 9)
        result = self.jax.jit(lambda a, b: a @ b * 2.0)(left, right)
        return compare("the compiled function", self.as_numpy(result), left.dot(right) * 2, EXACT), self.ran_on(result)

    def device_of(self, tensor: Any) -> str:
        """Where an array is."""
        return _jax_name(next(iter(tensor.devices())))


class Torch(Framework):  # type: ignore[misc]
    """Keras 3 on PyTorch."""

    name = "torch"
    torch: Any = None

    def do_import(self) -> Tuple[str, str]:
        """Import Keras, which imports PyTorch."""
        if self.wanted == "cpu":
            os.environ["KERAS_TORCH_DEVICE"] = "cpu"  # read when Keras is imported
        import keras

        version = self.note("keras", keras)
        import torch

        self.note("torch", torch)
        self.torch, self.keras = torch, keras
        self.has.update(("framework", "keras"))
        return "Keras {} on {} {}".format(version, keras.backend.backend(), torch.__version__), ""

    def do_devices(self) -> Tuple[str, str]:
        """Ask Keras which device it uses: a GPU when PyTorch has one."""
        torch = self.torch
        used = _torch_name(self.keras.ops.zeros((1,)).device)
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        built = (
            "it is built for CUDA {}".format(torch.version.cuda) if torch.version.cuda else "it is built for the CPU"
        )
        device = self.choose_device("" if used.startswith("CPU") else used, "Keras uses {}, {}".format(used, built))
        if self.wanted != "cpu" and count and used.startswith("CPU"):
            raise Wrong("PyTorch lists {} GPUs and Keras uses {}".format(count, used))
        names = ", ".join(torch.cuda.get_device_name(index) for index in range(count))
        return names or "PyTorch has no GPU: {}".format(built), device

    def do_matmul(self) -> Tuple[str, str]:
        """Multiply two matrices."""
        left, right = whole_numbers((32, 64), 6), whole_numbers((64, 16), 7)
        result = self._tensor(left) @ self._tensor(right)
        return compare("the product", self.as_numpy(result), left.dot(right), EXACT), self.ran_on(result)

    def do_convolution(self) -> Tuple[str, str]:
        """Convolve, and differentiate by the kernel; PyTorch has the channels first."""
        wanted = Convolution()
        kernel = self._tensor(wanted.kernel.transpose(3, 2, 0, 1)).requires_grad_(True)
        images = self._tensor(wanted.images.transpose(0, 3, 1, 2))
        result = self.torch.nn.functional.conv2d(images, kernel)
        (result * self._tensor(wanted.weights.transpose(0, 3, 1, 2))).sum().backward()
        device = self.ran_on(result)
        self.ran_on(kernel.grad)
        found = self.as_numpy(result).transpose(0, 2, 3, 1), self.as_numpy(kernel.grad).transpose(2, 3, 1, 0)
        return wanted.check(found[0], found[1], device), device

    def do_xla(self) -> Tuple[str, str]:
        """Skipped."""
        raise Skipped("PyTorch does not compile with XLA")

    def _tensor(self, array: Any) -> Any:
        return self.keras.ops.convert_to_tensor(array.copy())

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor as a NumPy array."""
        return tensor.detach().cpu().numpy()

    def device_of(self, tensor: Any) -> str:
        """Where a tensor is."""
        return _torch_name(tensor.device)


def _jax_name(device: Any) -> str:
    return "{}:{}".format(device.platform.upper(), device.id)


def _torch_name(device: Any) -> str:
    """``GPU:0`` for PyTorch's "cuda:0", ``CPU:0`` for its "cpu"."""
    kind = "GPU" if device.type == "cuda" else device.type.upper()
    return "{}:{}".format(kind, device.index or 0)
