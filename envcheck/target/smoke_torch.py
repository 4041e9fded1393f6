"""Part of smoke.py: the steps on Keras 3 with PyTorch. Standard library only until a step is run."""

import contextlib
import os
from typing import Any, Callable, Iterator, List, Tuple

from smoke_framework import Framework  # type: ignore[import-not-found]
from smoke_model import Told, plain  # type: ignore[import-not-found]
from smoke_numbers import Convolution, is_gpu  # type: ignore[import-not-found]
from smoke_steps import Wrong  # type: ignore[import-not-found]


class Torch(Framework):  # type: ignore[misc]
    """Keras 3 on PyTorch."""

    name = "torch"
    title = "PyTorch"
    torch: Any = None

    def do_import(self) -> Told:
        """Import Keras, which imports PyTorch."""
        if self.wanted == "cpu":
            os.environ["KERAS_TORCH_DEVICE"] = "cpu"  # read when Keras is imported
        elif self.number is not None:
            import torch

            if self.number < torch.cuda.device_count():  # else the devices step says how many there are
                os.environ["KERAS_TORCH_DEVICE"] = "cuda:{}".format(self.number)
        import keras

        version = self.note("keras", keras)
        import torch

        self.note("torch", torch)
        self.torch, self.keras = torch, keras
        self.has.update(("framework", "keras"))
        return "Keras {} on {} {}".format(version, keras.backend.backend(), torch.__version__), ""

    def do_devices(self) -> Told:
        """Ask Keras which device it uses: a GPU when PyTorch has one."""
        torch = self.torch
        used = _name(self.keras.ops.zeros((1,)).device)
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        cuda = torch.version.cuda
        built = "it is built for CUDA {}".format(cuda) if cuda else "it is built for the CPU"
        gpus = ["GPU:{}".format(number) for number in range(count)]
        if not used.startswith(("CPU", "GPU")):  # Apple's or Intel's
            gpus = [used]
        device = self.choose_device(gpus, "Keras uses {}, {}".format(used, built))
        if is_gpu(device) and used != device:
            raise Wrong("PyTorch lists {} GPUs and Keras uses {}".format(count, used))
        names = ", ".join(torch.cuda.get_device_name(number) for number in range(count))
        return names or "PyTorch has no GPU: {}".format(built), device

    def capability(self) -> Tuple[int, ...]:
        """The compute capability of the GPU in use."""
        if not self.on.startswith("GPU"):
            return ()
        return tuple(self.torch.cuda.get_device_capability(int(self.on.partition(":")[2])))

    def tensor(self, array: Any, dtype: str = "float32") -> Any:
        """A tensor of PyTorch, where Keras puts it."""
        return self.keras.ops.convert_to_tensor(array.copy(), dtype=dtype)

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor as a NumPy array, which has no bfloat16."""
        tensor = tensor.detach().cpu()
        return (tensor.float() if tensor.dtype == self.torch.bfloat16 else tensor).numpy()

    def product(self, left: Any, right: Any) -> Any:
        """The product of two matrices."""
        return left @ right

    def convolve(self, wanted: Convolution) -> Tuple[Any, Any]:
        """The result of a convolution and its gradient; PyTorch has the channels first."""
        kernel = self.tensor(wanted.kernel.transpose(3, 2, 0, 1)).requires_grad_(True)
        images = self.tensor(wanted.images.transpose(0, 3, 1, 2))
        result = self.torch.nn.functional.conv2d(images, kernel)
        (result * self.tensor(wanted.weights.transpose(0, 3, 1, 2))).sum().backward()
        return result.permute(0, 2, 3, 1), kernel.grad.permute(2, 3, 1, 0)

    def differentiated(self, layer: Any, inputs: Any, counts: Any) -> Callable[[], List[Any]]:
        """The result of a layer and the gradients by its weights."""
        weights = [plain(weight) for weight in layer.trainable_weights]
        multiply = self.tensor(counts)

        def run() -> List[Any]:
            result = layer(inputs, training=True)
            return [result, *self.torch.autograd.grad((result * multiply).sum(), weights)]

        return run

    @contextlib.contextmanager
    def at(self, device: str) -> Iterator[None]:
        """A context in which ``device`` computes."""
        with self.keras.device(device.lower()):
            yield

    def device_of(self, tensor: Any) -> str:
        """Where a tensor is."""
        return _name(tensor.device)


def _name(device: Any) -> str:
    """``GPU:0`` for PyTorch's "cuda:0", ``CPU:0`` for its "cpu"."""
    kind = "GPU" if device.type == "cuda" else device.type.upper()
    return "{}:{}".format(kind, device.index or 0)
