"""Part of smoke.py: the steps on TensorFlow, from 1.14 to the newest. Standard library only until a step is run."""

import os
import sys
from typing import Any, Tuple

from smoke_model import (  # type: ignore[import-not-found]
    EXACT,
    Convolution,
    Framework,
    compare,
    release,
    whole_numbers,
)
from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]

OLDEST = (1, 14)
"""The first release with ``tf.config.experimental.set_memory_growth``."""


class TensorFlow(Framework):  # type: ignore[misc]
    """TensorFlow and what ``tf.keras`` is in it."""

    name = "tensorflow"
    tf: Any = None

    def do_import(self) -> Tuple[str, str]:
        """Import it, and ``tf.keras``, which is loaded later or is another package in many releases."""
        # Never all of the memory: somebody may be training. The variable holds in TensorFlow 1, too, and whatever the
        # order of calls.
        os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        import tensorflow as tf

        version = self.note("tensorflow", tf)
        self.tf = tf
        self.has.add("framework")
        for name in ("numpy", "google.protobuf"):
            if name in sys.modules:
                self.note(name, sys.modules[name])
        if release(version) >= OLDEST and not tf.executing_eagerly():
            gpu_options = tf.compat.v1.GPUOptions(allow_growth=True)
            tf.compat.v1.enable_eager_execution(config=tf.compat.v1.ConfigProto(gpu_options=gpu_options))
        owner = tf.keras.Model.__module__.partition(".")[0]  # keras, tf_keras, or tensorflow itself
        module = tf.keras if owner == "tensorflow" else sys.modules[owner]
        keras = self.note("keras", module)
        self.keras = tf.keras
        self.has.add("keras")
        source = "its own" if owner == "tensorflow" else owner
        return "TensorFlow {}; tf.keras is {} {}".format(version, source, keras), ""

    def do_devices(self) -> Tuple[str, str]:
        """List the GPUs, and create what TensorFlow can use of them."""
        tf = self.tf
        if release(tf.__version__) < OLDEST:
            raise Skipped("the smoke run needs TensorFlow 1.14 or newer")
        config = tf.config.experimental  # where all of this is in every release since 1.14
        listed = config.list_physical_devices("GPU")
        if self.wanted == "cpu":
            config.set_visible_devices([], "GPU")
            return "{} hidden: the CPU is asked for".format(_count(listed)), self.choose_device("", "")
        for gpu in listed:
            config.set_memory_growth(gpu, True)
        usable = config.list_logical_devices("GPU")  # creates them: driver, libraries and memory are in use from here
        if listed and not usable:
            raise Wrong("TensorFlow lists {} and can use none of them".format(_count(listed)))
        built = tf.test.is_built_with_cuda() or getattr(tf.test, "is_built_with_rocm", bool)()
        why_none = "TensorFlow lists no GPU" if built else "this build of TensorFlow has no GPU support"
        device = self.choose_device(_short(usable[0].name) if usable else "", why_none)
        if not usable:
            return why_none, device
        return "{}: {}".format(_count(usable), ", ".join(self._describe(gpu) for gpu in listed)), device

    def _describe(self, gpu: Any) -> str:
        if not hasattr(self.tf.config.experimental, "get_device_details"):  # it came with 2.3
            return str(gpu.name)
        found = self.tf.config.experimental.get_device_details(gpu)
        capability = ".".join(str(part) for part in found.get("compute_capability") or ())
        text = str(found.get("device_name") or gpu.name)
        return "{} (compute capability {})".format(text, capability) if capability else text

    def do_matmul(self) -> Tuple[str, str]:
        """Multiply two matrices."""
        left, right = whole_numbers((32, 64), 6), whole_numbers((64, 16), 7)
        result = self.tf.matmul(left, right)
        return compare("the product", result.numpy(), left.dot(right), EXACT), self.ran_on(result)

    def do_convolution(self) -> Tuple[str, str]:
        """Convolve, and differentiate by the kernel."""
        tf, wanted = self.tf, Convolution()
        kernel = tf.constant(wanted.kernel)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            result = tf.nn.conv2d(tf.constant(wanted.images), kernel, strides=[1, 1, 1, 1], padding="VALID")
            total = tf.reduce_sum(result * wanted.weights)
        gradient = tape.gradient(total, kernel)
        device = self.ran_on(result)
        self.ran_on(gradient)
        return wanted.check(result.numpy(), gradient.numpy(), device), device

    def do_xla(self) -> Tuple[str, str]:
        """Run a function that XLA compiles."""
        tf, version = self.tf, release(self.tf.__version__)
        if version < (2, 3):
            raise Skipped("TensorFlow {} cannot be told to compile one function with XLA".format(tf.__version__))
        switch = "jit_compile" if version >= (2, 5) else "experimental_compile"
        left, right = whole_numbers((32, 64), 8), whole_numbers((64, 16), 9)
        compiled = tf.function(lambda a, b: tf.matmul(a, b) * 2.0, **{switch: True})
        result = compiled(tf.constant(left), tf.constant(right))
        return compare("the compiled function", result.numpy(), left.dot(right) * 2, EXACT), self.ran_on(result)

    def device_of(self, tensor: Any) -> str:
        """Where a tensor or a variable is."""
        return _short(tensor.device)


def _short(device: str) -> str:
    """``GPU:0`` for "/job:localhost/replica:0/task:0/device:GPU:0"."""
    return str(device).rpartition("device:")[2]


def _count(gpus: Any) -> str:
    return "1 GPU" if len(gpus) == 1 else "{} GPUs".format(len(gpus))
