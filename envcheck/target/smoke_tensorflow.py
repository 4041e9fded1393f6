"""Part of smoke.py: the steps on TensorFlow, from 1.14 to the newest. Standard library only until a step is run."""

import os
import sys
from typing import Any, Callable, List, Tuple

from smoke_framework import Framework  # type: ignore[import-not-found]
from smoke_model import Told, plain  # type: ignore[import-not-found]
from smoke_numbers import Convolution, release  # type: ignore[import-not-found]
from smoke_steps import Skipped, Wrong  # type: ignore[import-not-found]

OLDEST = (1, 14)
"""The first release with ``tf.config.experimental.set_memory_growth``."""


class TensorFlow(Framework):  # type: ignore[misc]
    """TensorFlow and what ``tf.keras`` is in it."""

    name = "tensorflow"
    title = "TensorFlow"
    tf: Any = None
    first: Any = None
    """The physical GPU in use."""

    def do_import(self) -> Told:
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

    def do_devices(self) -> Told:
        """List the GPUs, and create what TensorFlow can use of them."""
        tf = self.tf
        if release(tf.__version__) < OLDEST:
            raise Skipped("the smoke run needs TensorFlow 1.14 or newer")
        config = tf.config.experimental  # where all of this is in every release since 1.14
        listed = config.list_physical_devices("GPU")
        if self.wanted == "cpu":
            config.set_visible_devices([], "GPU")
            return "{} hidden: the CPU is asked for".format(_count(listed)), self.choose_device((), "", self._cpus())
        if self.number is not None and listed:
            # The others are left alone: somebody may be training there.
            self.numbered(["GPU:{}".format(number) for number in range(len(listed))])
            listed = listed[self.number : self.number + 1]
            config.set_visible_devices(listed, "GPU")
        for gpu in listed:
            config.set_memory_growth(gpu, True)
        usable = config.list_logical_devices("GPU")  # creates them: driver, libraries and memory are in use from here
        if listed and not usable:
            raise Wrong("TensorFlow lists {} and can use none of them".format(_count(listed)))
        self.first = listed[0] if listed else None
        built = tf.test.is_built_with_cuda() or getattr(tf.test, "is_built_with_rocm", bool)()
        why_none = "TensorFlow lists no GPU" if built else "this build of TensorFlow has no GPU support"
        device = self.choose_device([self._short(each.name) for each in usable], why_none, self._cpus())
        if not usable:
            return why_none, device
        return "{}: {}".format(_count(usable), ", ".join(self._describe(gpu) for gpu in listed)), device

    def _cpus(self) -> List[str]:
        return [self._short(each.name) for each in self.tf.config.experimental.list_logical_devices("CPU")] or ["CPU:0"]

    def _details(self, gpu: Any) -> Any:
        experimental = self.tf.config.experimental  # it came with 2.3
        return experimental.get_device_details(gpu) if hasattr(experimental, "get_device_details") else {}

    def _describe(self, gpu: Any) -> str:
        found = self._details(gpu)
        capability = ".".join(str(part) for part in found.get("compute_capability") or ())
        text = str(found.get("device_name") or gpu.name)
        return "{} (compute capability {})".format(text, capability) if capability else text

    def capability(self) -> Tuple[int, ...]:
        """The compute capability of the GPU in use."""
        return tuple(self._details(self.first).get("compute_capability") or ()) if self.first is not None else ()

    def tensor(self, array: Any, dtype: str = "float32") -> Any:
        """An array as a tensor."""
        return self.tf.cast(self.tf.constant(array), dtype)

    def as_numpy(self, tensor: Any) -> Any:
        """A tensor or a gradient by one as a NumPy array."""
        tf = self.tf
        return (tf.cast(tensor, "float32") if tensor.dtype == tf.bfloat16 else tf.convert_to_tensor(tensor)).numpy()

    def product(self, left: Any, right: Any) -> Any:
        """The product of two matrices."""
        return self.tf.matmul(left, right)

    def convolve(self, wanted: Convolution) -> Tuple[Any, Any]:
        """The result of a convolution and its gradient."""
        tf = self.tf
        kernel = tf.constant(wanted.kernel)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            result = tf.nn.conv2d(tf.constant(wanted.images), kernel, strides=[1, 1, 1, 1], padding="VALID")
            total = tf.reduce_sum(result * wanted.weights)
        return result, tape.gradient(total, kernel)

    def differentiated(self, layer: Any, inputs: Any, counts: Any) -> Callable[[], List[Any]]:
        """The result of a layer and the gradients by its weights."""
        tf, weights = self.tf, [plain(weight) for weight in layer.trainable_weights]

        def run() -> List[Any]:
            with tf.GradientTape() as tape:
                result = layer(inputs, training=True)
                total = tf.reduce_sum(result * counts)
            return [result, *tape.gradient(total, weights)]

        return run

    def compiled_product(self, left: Any, right: Any) -> Callable[[], Any]:
        """A function that XLA compiles."""
        tf, version = self.tf, release(self.tf.__version__)
        if version < (2, 3):
            raise Skipped("TensorFlow {} cannot be told to compile one function with XLA".format(tf.__version__))
        switch = "jit_compile" if version >= (2, 5) else "experimental_compile"
        compiled = tf.function(lambda a, b: tf.matmul(a, b) * 2.0, autograph=False, **{switch: True})
        factors = tf.constant(left), tf.constant(right)
        return lambda: compiled(*factors)

    def at(self, device: str) -> Any:
        """A context in which ``device`` computes."""
        return self.tf.device("/" + device)

    def sum_over_devices(self, array: Any) -> List[Any]:
        """An all-reduce through MirroredStrategy, which on GPUs of NVIDIA is NCCL's."""
        tf = self.tf
        if release(tf.__version__) < (2, 2):
            raise Skipped("TensorFlow {} has no Strategy.run".format(tf.__version__))
        strategy = tf.distribute.MirroredStrategy(["/" + device for device in self.every])

        def each() -> Any:
            replica = tf.distribute.get_replica_context()
            number = tf.cast(replica.replica_id_in_sync_group + 1, "float32")
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(array) * number)

        run = tf.function(lambda: strategy.run(each), autograph=False)
        return list(strategy.experimental_local_results(run()))

    def device_of(self, tensor: Any) -> str:
        """Where a tensor or a variable is."""
        return self._short(tensor.device)

    def _short(self, device: Any) -> str:
        """``GPU:0`` for "/job:localhost/replica:0/task:0/device:GPU:0"; the only GPU made visible keeps its number."""
        name = str(device).rpartition("device:")[2]
        return "GPU:{}".format(self.number) if self.number is not None and name.startswith("GPU:") else name


def _count(gpus: Any) -> str:
    return "1 GPU" if len(gpus) == 1 else "{} GPUs".format(len(gpus))
