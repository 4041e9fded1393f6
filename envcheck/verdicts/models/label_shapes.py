"""Which shapes of labels each loss takes for an output (measured on Keras 2.15 and 3.15)."""

from __future__ import annotations

from envcheck.model.tensors import UNKNOWN, Dimension
from envcheck.verdicts.models.losses import BINARY, CATEGORICAL, SPARSE, Head

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
Answer = tuple[str, str]
"""What happens (``raises``, ``differs``, or nothing), and what to do."""
FLATTEN = (
    "put Flatten() or a GlobalAveragePooling layer before the last Dense: the output keeps the axes of the feature map"
)
FINE: Answer = ("", "")


def answer(loss: str, y: Dims, out: Dims, head: Head, keras: int, batch: int | None) -> Answer:
    """What a loss makes of labels of one shape and an output of another.

    Args:
        loss: Its name.
        y: The labels' shape, None for the batch.
        out: The output's.
        head: What gives that output.
        keras: The major version.
        batch: How many samples the first step takes; None where it cannot be told.
    """
    if loss == SPARSE:
        return _sparse(y, out)
    if loss == CATEGORICAL:
        return _categorical(y, out)
    if loss == BINARY:
        return _binary(y, out, head, keras)
    return _elementwise(y, out, keras, batch) if loss in ELEMENTWISE else FINE


def one_for_several(y: Dims, out: Dims) -> int | None:
    """The number of output units where each sample has one label and the output several units; None otherwise."""
    units = out[-1]
    single = len(y) == 1 or (len(y) == 2 and y[-1] == 1)
    return units if single and len(out) == 2 and isinstance(units, int) and units > 1 else None


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
