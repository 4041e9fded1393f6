"""Part of build.py: the steps, from the import of the user's module to the memory of a step. Standard library only at first."""

import importlib
import importlib.util
import inspect
import os
import sys
import time
from typing import Any, Callable, Dict, List

from build_data import chosen_loss, inputs_of, targets_of  # type: ignore[import-not-found]
from build_memory import counted, layers, traced  # type: ignore[import-not-found]
from build_watch import Watch, shown  # type: ignore[import-not-found]
from smoke_steps import Skipped, Wrong, _failure  # type: ignore[import-not-found]

STEPS = ("import", "make", "build", "compile", "train", "save_load", "memory")
NEEDS = {
    "import": (),
    "make": ("import",),
    "build": ("make",),
    "compile": ("build",),
    "train": ("compile",),
    "save_load": ("build",),
    "memory": ("build",),
}
ROOTS = ("keras", "tf_keras", "tensorflow")
LARGER = 32
"""By how much larger the second batch is whose memory is foreseen: between the two, memory is taken to grow in a line."""
MOST_NAMES = 8


def run_steps(building: Any, write: Callable[[Dict[str, Any]], None]) -> None:
    """Run every step whose needs are met; what went wrong says where, and which layer it was."""
    went_well: List[str] = []
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
        path = self.request["file"]
        name = os.path.splitext(os.path.basename(path))[0]
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise Wrong("{} is no Python file".format(path))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        self.module = module
        return "{} is imported".format(os.path.basename(path))

    def do_make(self) -> str:
        """Find the object, and call it where it is a function."""
        found, wanted = self.module, self.request["object"]
        for part in wanted.split("."):
            if not hasattr(found, part):
                raise Wrong("there is no {}{}".format(wanted, self._others()))
            found = getattr(found, part)
        if not is_model(found):
            found = self._called(found, wanted)
        self.model = found
        home = next(
            each.__module__.partition(".")[0]
            for each in type(found).__mro__
            if each.__name__ == "Model" and _ours(each)
        )
        self.keras = sys.modules["tensorflow"].keras if home == "tensorflow" else sys.modules[home]
        version = str(getattr(self.keras, "__version__", ""))
        self.backend = str(self.keras.backend.backend())
        self.more.update(model=type(found).__name__, keras=version, backend=self.backend)
        if home == "keras" and not version.startswith("3"):
            self.backend = "tensorflow"
        return "{} is a {} of {} {} on {}".format(wanted, type(found).__name__, home, version, self.backend)

    def _called(self, maker: Any, wanted: str) -> Any:
        if not callable(maker):
            raise Wrong("{} is {}, neither a model nor a function that makes one".format(wanted, _a(maker)))
        try:
            parameters: Any = inspect.signature(maker).parameters.values()
        except (TypeError, ValueError):  # built-in code tells nothing: calling it will
            parameters = ()
        needed = [
            each.name
            for each in parameters
            if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
        if needed:
            raise Wrong(
                "{} needs arguments: {}; envcheck calls it without any, so give them defaults or name a function "
                "that needs none".format(wanted, ", ".join(needed))
            )
        made = maker()
        if not is_model(made):
            raise Wrong("{}() returns {}, not a Keras model".format(wanted, _a(made)))
        return made

    def _others(self) -> str:
        own = getattr(self.module, "__name__", "")
        names = [
            name
            for name, value in vars(self.module).items()
            if not name.startswith("_") and (is_model(value) or (callable(value) and value.__module__ == own))
        ]
        if not names:
            return " in {}, and no model or function either".format(os.path.basename(self.request["file"]))
        return " in {}; it has {}".format(os.path.basename(self.request["file"]), ", ".join(names[:MOST_NAMES]))

    def do_build(self) -> str:
        """Call the model on synthetic inputs: that builds what is not built."""
        self.inputs, assumed = inputs_of(self.model, self.request["inputs"], self.batch)
        self.more.update(inputs=shown(self.inputs), assumed=assumed)
        self.outputs = self.model(self.tensors(self.inputs), training=False)
        weights = list(self.model.weights)
        trainable = sum(_count(each) for each in self.model.trainable_weights)
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
        data = (self.inputs,) if self.targets is None else (self.inputs, self.targets)
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
        import numpy as np

        path = os.path.join(self.request["folder"], "model" + self._suffix())
        self.model.save(path)
        self.more.update(bytes=_size_on_disk(path), format=self._suffix() or "SavedModel")
        custom: Dict[str, Any] = {}
        try:
            loaded = self.keras.models.load_model(path)
        except Exception as error:
            custom = {
                type(each).__name__: type(each) for each in [self.model, *layers(self.model)] if not _ours(type(each))
            }
            if not custom:
                raise
            self.more["plain"] = " ".join("{}: {}".format(type(error).__name__, error).split())[:300]
            self.watch.forget()
            loaded = self.keras.models.load_model(path, custom_objects=custom)
        self.more["custom"] = sorted(custom)
        data = self.tensors(self.inputs)
        predicted = [arrays(each(data, training=False)) for each in (self.model, self.model, loaded)]
        if not _same(predicted[0], predicted[1], np):
            return "it is saved and loaded; it predicts something else each time, so that nothing can be compared"
        if not _same(predicted[0], predicted[2], np):
            raise Wrong("the loaded model predicts something else than the saved one")
        return "saved as {}, loaded, and it predicts the same".format(self.more["format"])

    def _suffix(self) -> str:
        version = tuple(int(each) for each in str(self.keras.__version__).split(".")[:2] if each.isdigit())
        return ".keras" if version >= (2, 12) else ".h5"

    def do_memory(self) -> str:
        """Count what a step needs."""
        model = self.model
        optimizer = getattr(model, "optimizer", None)
        slots: Any = getattr(optimizer, "variables", None) or ()
        slots = slots() if callable(slots) else slots
        self.more.update(
            weights=counted(model.weights),
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
        self.more.update(tensors=sizes[0], per_sample=int(each), left_out=left_out)
        return "counted in the graph of a training step"

    def tensors(self, data: Any) -> Any:
        """Arrays as tensors of the backend."""
        if self.backend == "tensorflow":
            tf = sys.modules["tensorflow"]
            return tf.nest.map_structure(tf.convert_to_tensor, data)
        return self.keras.tree.map_structure(self.keras.ops.convert_to_tensor, data)


def is_model(value: Any) -> bool:
    """Whether it is a Keras model; a class of models is none."""
    return any(each.__name__ == "Model" and _ours(each) for each in type(value).__mro__)


def _ours(kind: Any) -> bool:
    """Whether a class is Keras's own."""
    return str(kind.__module__).partition(".")[0] in ROOTS


def _a(value: Any) -> str:
    words = type(value).__name__
    return "None" if value is None else "{} {}".format("an" if words[0].lower() in "aeiou" else "a", words)


def _count(variable: Any) -> int:
    count = 1
    for size in variable.shape:
        count *= int(size)
    return count


def arrays(result: Any) -> List[Any]:
    """The outputs of a model as NumPy arrays."""
    import numpy as np

    if isinstance(result, dict):
        return [array for each in result.values() for array in arrays(each)]
    if isinstance(result, (list, tuple)):
        return [array for each in result for array in arrays(each)]
    if hasattr(result, "detach"):
        result = result.detach().cpu()
    return [np.asarray(result)]


def _same(left: List[Any], right: List[Any], np: Any) -> bool:
    return len(left) == len(right) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True)
        for one, other in zip(left, right)
        if one.dtype.kind in "fiub"
    )


def _size_on_disk(path: str) -> int:
    if os.path.isdir(path):
        return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(path) for name in names)
    return os.path.getsize(path)


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
