"""Labels against the last layer and the loss, and token numbers against an Embedding."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, Compilation, KerasTensor, Made, Model, Trained
from envcheck.model.tensors import UNKNOWN, Dimension, Unknown, text
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.losses import BINARY, CATEGORICAL, SPARSE, Head, Loss, heads, loss
from envcheck.verdicts.models.told import Told

ELEMENTWISE = frozenset(
    (
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "huber",
        "log_cosh",
        "poisson",
        "kl_divergence",
        "hinge",
        "squared_hinge",
    )
)
Dims = tuple[Dimension, ...]


def labels(told: Told, event: Trained, words: str, given: object) -> Iterator[Fault]:
    """Labels that the loss does not take, for each output."""
    compilation = event.model.compiled
    if not isinstance(compilation, Compilation) or event.model.own is not None:
        return
    if given is None and isinstance(event.x, Array) and words == "x" and event.method == "fit":
        if loss(compilation.arguments.get("loss")) is not None and event.model.own_losses is False:
            yield fault(
                "model-labels",
                event.where,
                "keras.Model.fit",
                f"fit() gets no labels, and compile() ({line_of(compilation.where)}) names a loss: Keras {told.keras} raises",
                "give fit() the labels: fit(x, y); for an autoencoder fit(x, x)",
                stage="fit",
            )
        return
    found = heads(event.model)
    losses = compilation.arguments.get("loss")
    pairs: list[tuple[object, object]]
    if isinstance(given, Array) and len(found) == 1:
        pairs = [(given, losses[0] if isinstance(losses, (list, tuple)) and len(losses) == 1 else losses)]
    elif isinstance(given, (list, tuple)) and len(given) == len(found) > 1:
        several = losses if isinstance(losses, (list, tuple)) and len(losses) == len(found) else [losses] * len(found)
        pairs = list(zip(given, several, strict=True))
    else:
        return
    for (array, one), head in zip(pairs, found, strict=True):
        meant = loss(one)
        if meant is None or not isinstance(array, Array):
            continue
        wrong = _of_shape(told, event, words, array, meant, head)
        if wrong is None:
            wrong = _of_values(event, words, array, meant, head)
        if wrong is not None:
            yield wrong
            return


def _of_shape(told: Told, event: Trained, words: str, array: Array, meant: Loss, head: Head) -> Fault | None:
    if isinstance(array.shape, Unknown) or isinstance(head.shape, Unknown) or not array.shape:
        return None
    y: Dims = (None, *array.shape[1:])
    out: Dims = (None, *head.shape[1:])
    if meant.name == SPARSE:
        runs, advice = _sparse(y, out)
    elif meant.name == CATEGORICAL:
        runs, advice = _categorical(y, out)
    elif meant.name == BINARY:
        runs, advice = _binary(y, out, head, told.keras)
    elif meant.name in ELEMENTWISE:
        runs, advice = _elementwise(y, out, told.keras, _first_batch(event, array.shape[0]))
    else:
        return None
    if not runs:
        return None
    name = "y" if words == "x" else f"the labels in {words}"
    where = f" of {short(head.layer.name)} ({line_of(head.layer.where)})" if head.layer is not None else ""
    happens = (
        f"Keras {told.keras} raises" if runs == "raises" else "they are broadcast against each other; nothing raises"
    )
    return fault(
        "model-labels",
        event.where,
        f"keras.losses.{meant.name}",
        f"{name} has shape {text(array.shape)} and the output{where} is {text(head.shape)}, which {meant.name} does not take: "
        f"{happens}",
        advice,
        runs=runs,
        stage="fit" if runs == "raises" else "silent",
    )


Answer = tuple[str, str]
FLATTEN = (
    "put Flatten() or a GlobalAveragePooling layer before the last Dense: the output keeps the axes of the feature map"
)
FINE: Answer = ("", "")


def _sparse(y: Dims, out: Dims) -> Answer:
    """Whole numbers are expected: the shape of the output without its last axis (an axis of 1 may follow)."""
    if len(y) == len(out) and y[-1] is UNKNOWN:
        return FINE
    numbers = y[:-1] if len(y) == len(out) and y[-1] == 1 else y
    if len(numbers) == len(out) and len(y) == len(out):
        if out[-1] == y[-1] or len(out) == 2:
            return "raises", "these labels are one-hot: use categorical_crossentropy, or y.argmax(axis=-1)"
        return "raises", "give whole numbers, one for each output position"
    if len(numbers) == 2 and numbers[-1] == 1 and len(out) > 2:
        numbers = numbers[:-1]
    if len(numbers) != len(out) - 1:
        return "raises", FLATTEN if len(out) > 2 else "give whole numbers, one for each sample"
    if _differ(numbers, out[:-1]):
        return "raises", "give one whole number for each output position"
    return FINE


def _differ(one: Dims, other: Dims) -> bool:
    return any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(one, other, strict=True))


def _categorical(y: Dims, out: Dims) -> Answer:
    """One number for each class."""
    if len(y) == 1:
        y = (*y, 1)
    if len(y) == len(out) and not _differ(y, out):
        return FINE
    if len(y) == len(out) + 1 and y[-1] in (1, UNKNOWN):
        return FINE
    if len(out) == len(y) + 1 and out[-1] in (1, UNKNOWN):
        return FINE
    if len(y) == len(out) and y[-1] == 1:
        return "raises", "these labels are whole numbers: use sparse_categorical_crossentropy, or to_categorical(y)"
    if len(y) != len(out):
        return "raises", FLATTEN if len(out) > 2 and len(y) == 2 else "give labels of the output's shape"
    return "raises", "give the last layer as many units as the labels have columns"


def _binary(y: Dims, out: Dims, head: Head, keras: int) -> Answer:
    if len(y) == 1:
        y = (*y, 1)
    if len(y) == len(out) and not _differ(y, out):
        return FINE
    if abs(len(y) - len(out)) == 1 and (y if len(y) > len(out) else out)[-1] in (1, UNKNOWN):
        return FINE
    advice = (
        "use Dense(1, activation='sigmoid'), or sparse_categorical_crossentropy with softmax for several classes"
        if len(y) == len(out) and y[-1] == 1
        else FLATTEN
        if len(out) > 2 and len(y) == 2
        else "give the last layer as many units as the labels have columns"
    )
    certain = keras == 3 or head.activation in ("sigmoid", "softmax") or _clash(y, out)
    return ("raises" if certain else "differs"), advice


def _clash(y: Dims, out: Dims) -> bool:
    """Whether two shapes cannot even be broadcast."""
    pairs = zip(reversed(y[1:]), reversed(out[1:]), strict=False)
    return any(isinstance(a, int) and isinstance(b, int) and a != b and 1 not in (a, b) for a, b in pairs)


def _first_batch(event: Trained, samples: Dimension) -> int | None:
    """How many samples the first step takes; None where it cannot be told."""
    size = event.arguments.get("batch_size", 32)
    size = 32 if size is None else size
    if not isinstance(samples, int) or not isinstance(size, int) or isinstance(size, bool):
        return None
    return samples if event.method.endswith("on_batch") else min(size, samples)


def _elementwise(y: Dims, out: Dims, keras: int, batch: int | None) -> Answer:
    if keras == 3 and len(y) == 1 and len(out) == 2 and isinstance(out[-1], int) and out[-1] != 1:
        # Keras 3 makes no column of a vector: the samples of a batch meet the units
        certain = batch is not None and batch not in (1, out[-1])
        return (
            "raises" if certain else "differs"
        ), "give the last layer one unit, or labels with as many columns as units"
    if len(y) == 1:
        y = (*y, 1)
    if len(y) == len(out):
        if not _differ(y, out):
            return FINE
        advice = "give the last layer as many units as the labels have columns"
        return ("raises" if _clash(y, out) else "differs"), advice
    if len(out) > 2 and len(y) == 2 and len(out) > len(y) + 1:
        return "differs", FLATTEN
    return FINE


def _of_values(event: Trained, words: str, array: Array, meant: Loss, head: Head) -> Fault | None:
    """Labels that name classes which the output lacks."""
    values = array.values
    if meant.name != SPARSE or values is None or isinstance(head.shape, Unknown):
        return None
    classes = head.shape[-1]
    if not isinstance(classes, int) or (values.low >= 0 and values.high < classes):
        return None
    name = "y" if words == "x" else f"the labels in {words}"
    bounds = f"from {values.low:g} to {values.high:g}"
    happens = (
        "Keras raises on a CPU, and on a GPU the loss is NaN"
        if values.reached
        else "labels outside of it raise on a CPU"
    )
    return fault(
        "model-classes",
        event.where,
        f"keras.losses.{meant.name}",
        f"{name} {'goes' if values.reached else 'may go'} {bounds}, and the output has {classes} classes, 0 to {classes - 1}: "
        f"{happens}",
        f"give the last layer {int(values.high) + 1} units" if values.low >= 0 else "let labels begin at 0",
        runs="raises" if values.reached else "differs",
        stage="fit",
    )


def tokens(told: Told, event: Trained, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """Token numbers that an Embedding right behind the input lacks."""
    model = event.model
    if len(arrays) != 1 or arrays[0].values is None:
        return
    layer = _first(model)
    if layer is None or layer.name != "keras.layers.Embedding" or layer.own is not None:
        return
    rows = layer.argument("input_dim", 0)
    values = arrays[0].values
    if (
        not isinstance(rows, int)
        or isinstance(rows, bool)
        or (values.high < rows and (values.low >= 0 or told.keras == 3))
    ):
        return
    yield fault(
        "model-tokens",
        event.where,
        layer.name,
        f"x {'goes' if values.reached else 'may go'} from {values.low:g} to {values.high:g}, and the Embedding "
        f"({line_of(layer.where)}) has rows 0 to {rows - 1}: on a GPU the result is wrong in silence, "
        f"on a CPU Keras {told.keras} raises",
        f"make input_dim the largest number plus one: {int(values.high) + 1}",
        runs="raises" if values.reached else "differs",
        stage="predict" if event.method.startswith("predict") else "fit",
        row="embedding-out-of-range" if values.reached else "",
    )


def _first(model: Model) -> Made | None:
    """The layer that the data of a Sequential reaches first."""
    if model.kind != "sequential" or not isinstance(model.layers, tuple):
        return None
    inner = [each for each in model.layers if not isinstance(each, KerasTensor)]
    return inner[0] if inner and isinstance(inner[0], Made) else None
