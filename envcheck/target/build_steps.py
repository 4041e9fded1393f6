"""Part of build.py: the steps, from the import of the user's module to the memory of a step. Standard library only at first."""

import os
import sys
import time
from typing import Any, Callable, Dict, List

from build_data import chosen_loss, inputs_of, map_arrays, targets_of  # type: ignore[import-not-found]
from build_memory import counted, layers, traced, with_numbers  # type: ignore[import-not-found]
from build_model import imported, keras_of, model_of  # type: ignore[import-not-found]
from build_order import NEEDS, STEPS  # type: ignore[import-not-found]
from build_saving import saved_and_loaded  # type: ignore[import-not-found]
from build_watch import Watch, shown  # type: ignore[import-not-found]
from smoke_steps import Skipped, Wrong, _failure  # type: ignore[import-not-found]

LARGER = 32
"""By how much larger the second batch is whose memory is foreseen: between the two, memory is taken to grow in a line."""


def run_steps(building: Any, write: Callable[[Dict[str, Any]], None]) -> None:
    """Run every step whose needs are met; what went wrong says where, and which layer it was."""
    went_well: List[str] = []
    process = os.getpid()
    for name in STEPS:
        missing = [need for need in NEEDS[name] if need not in went_well]
        if missing:
            write({"step": name, "status": "skipped", "message": "the {} step did not go well".format(missing[0])})
            continue
        write({"step": name, "status": "running"})
        building.more = {}
        building.watch.forget()
        start = time.perf_counter()
        try:
            record: Dict[str, Any] = {"message": getattr(building, "do_" + name)(), "status": "ok"}
            went_well.append(name)
        except Skipped as reason:
            record = {"status": "skipped", "message": str(reason)}
        except BaseException as error:  # a SystemExit of the user's module, too
            record = _failure(error)
            record["layer"] = building.watch.failed
            record["place"] = building.place(error)
        if os.getpid() != process:  # the user's code has forked, and this is the child: the other one answers
            os._exit(1)
        record.update(building.more, step=name, seconds=round(time.perf_counter() - start, 3))
        write(record)


class Building:
    """The user's model on its way. ``more`` is what the record of a step tells besides."""

    def __init__(self, request: Dict[str, Any], watch: Watch) -> None:
        self.request = request
        self.watch = watch
        self.batch = int(request["batch_size"])
        self.more: Dict[str, Any] = {}
        self.module: Any = None
        self.model: Any = None
        self.keras: Any = None
        self.backend = ""
        self.inputs: Any = None
        self.targets: Any = None
        self.outputs: Any = None

    def place(self, error: BaseException) -> Any:
        """The innermost line of the user's own file on the way to an error: [file, line]; None without one."""
        found = None
        here = os.path.dirname(self.request["file"])
        seen = 0
        each: Any = error
        while each is not None and seen < 20:
            trace = each.__traceback__
            while trace is not None:
                path = trace.tb_frame.f_code.co_filename
                if path == self.request["file"] or (
                    path.startswith(here + os.sep) and "site-packages" not in path and os.path.isfile(path)
                ):
                    found = [path, trace.tb_lineno]
                trace = trace.tb_next
            if found is None and isinstance(each, SyntaxError) and each.filename and each.lineno:
                found = [each.filename, each.lineno]
            if found is not None:
                return found
            each, seen = each.__cause__ or each.__context__, seen + 1
        return None

    # The steps

    def do_import(self) -> str:
        """Import the user's file, by its own name."""
        self.module = imported(self.request["file"])
        return "{} is imported".format(os.path.basename(self.request["file"]))

    def do_make(self) -> str:
        """Find the object, and call it where it is a function."""
        wanted = self.request["object"]
        self.model = model_of(self.module, self.request["file"], wanted)
        self.keras, self.backend, words = keras_of(self.model)
        self.more.update(words)
        return "{} is a {model} of Keras {keras} on {backend}".format(wanted, **words)

    def do_build(self) -> str:
        """Call the model on synthetic inputs: that builds what is not built."""
        self.inputs, assumed = inputs_of(self.model, self.request["inputs"], self.batch)
        self.more.update(inputs=shown(self.inputs), assumed=assumed)
        self.outputs = self.model(self.tensors(self.inputs), training=False)
        weights = with_numbers(self.model.weights)
        trainable = sum(_count(each) for each in with_numbers(self.model.trainable_weights))
        total = sum(_count(each) for each in weights)
        self.more.update(
            outputs=shown(self.outputs), parameters=total, trainable=trainable, layers=len(layers(self.model))
        )
        return "{} → {}".format(self.more["inputs"], self.more["outputs"])

    def do_compile(self) -> str:
        """Compile it, unless the user has."""
        model = self.model
        if (
            getattr(model, "compiled", None)
            or getattr(model, "_is_compiled", False)
            or getattr(model, "optimizer", None)
        ):
            self.more["compiled"] = "own"
            return "it is compiled by your code"
        loss = chosen_loss(model, self.outputs)
        model.compile(optimizer="adam", loss=loss)
        self.more["compiled"] = "optimizer='adam', loss={!r}".format(loss)
        return "it was not compiled: envcheck took {}".format(self.more["compiled"])

    def do_train(self) -> str:
        """Train one step."""
        import numpy as np

        model = self.model
        self.targets = targets_of(model, self.outputs, self.keras)
        self.more["targets"] = shown(self.targets)
        before = [np.array(each) for each in model.get_weights()]
        given = map_arrays(self.with_texts, self.inputs)
        data = (given,) if self.targets is None else (given, self.targets)
        history = model.fit(*data, batch_size=self.batch, epochs=1, verbose=0)
        values = history.history.get("loss") or [0.0]
        loss = float(np.mean(values[-1]))
        changed = sum(not np.array_equal(old, new) for old, new in zip(before, model.get_weights()))
        self.more.update(finite=bool(np.isfinite(loss)), loss=loss if np.isfinite(loss) else None, changed=changed)
        self.more["device"] = device_of(model.weights)
        if str(self.request["device"]).startswith("gpu") and not _is_gpu(self.more["device"]):
            raise Wrong("it ran on {} although {} was to be used".format(self.more["device"], self.request["device"]))
        return "one step with {} samples, loss {:.3g}".format(self.batch, loss)

    def do_save_load(self) -> str:
        """Save it, load it, and have both predict the same."""
        message: str = saved_and_loaded(self)
        return message

    def do_memory(self) -> str:
        """Count what a step needs."""
        model = self.model
        optimizer = getattr(model, "optimizer", None)
        slots: Any = getattr(optimizer, "variables", None) or ()
        slots = slots() if callable(slots) else slots
        self.more.update(
            weights=counted(with_numbers(model.weights)),
            gradients=counted(model.trainable_weights),
            slots=counted(slots),
            optimizer=type(optimizer).__name__,
            batch=self.batch,
        )
        if self.backend != "tensorflow":
            raise Skipped(
                "what a step holds besides is counted in TensorFlow's graph; this model runs on " + self.backend
            )
        if not slots:
            raise Skipped("no step was trained: the optimizer has no variables yet")
        tf = sys.modules["tensorflow"]
        sizes = []
        for batch in (self.batch, self.batch * LARGER):
            size, left_out = traced(tf, model, self.inputs, self.targets, batch)
            sizes.append(size)
        each = max(0, sizes[1] - sizes[0]) / (self.batch * (LARGER - 1))
        if not each:
            left_out.append("tensors whose size only the data tell")
        self.more.update(tensors=sizes[0], per_sample=int(each), left_out=left_out)
        return "counted in the graph of a training step"

    def with_texts(self, array: Any) -> Any:
        """Texts as a tensor of TensorFlow: Keras 3 takes no arrays of them."""
        is_text = self.backend == "tensorflow" and array.dtype == object
        return sys.modules["tensorflow"].convert_to_tensor(array) if is_text else array

    def tensors(self, data: Any) -> Any:
        """Arrays as tensors of the backend."""
        if self.backend == "tensorflow":
            tf = sys.modules["tensorflow"]
            return tf.nest.map_structure(tf.convert_to_tensor, data)
        return self.keras.tree.map_structure(self.keras.ops.convert_to_tensor, data)


def _count(variable: Any) -> int:
    count = 1
    for size in variable.shape:
        count *= int(size)
    return count


def device_of(weights: Any) -> str:
    """Where the weights are: ``GPU:0``, ``CPU:0``; empty where that is not told."""
    for weight in weights:
        inner = weight.value if hasattr(weight, "value") and not callable(weight.value) else weight
        device = getattr(inner, "device", None)
        if device is not None and not callable(device):
            words = str(device).rpartition("device:")[2]
            return words if ":" in words and words[:3] in ("CPU", "GPU") else words.upper().replace("CUDA", "GPU")
    return ""


def _is_gpu(device: str) -> bool:
    return device.upper().startswith(("GPU", "CUDA"))
