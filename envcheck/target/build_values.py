"""Part of build.py: what is known of a tensor while a graph is gone through without its numbers.

Standard library only until asked. Of most tensors only the size matters. The small whole numbers and truths that decide how
often a loop goes round, and which element of a list is meant, are followed with their values.
"""

from typing import Any, List, Optional, Tuple

MOST_KNOWN = 64
"""Elements of a tensor whose numbers are followed at most."""


class Value:
    """A tensor: the memory that it lies in, its own bytes, its numbers where they are known; the elements of a list."""

    __slots__ = ("buffer", "items", "known", "size")

    def __init__(
        self,
        buffer: Any = None,
        size: int = 0,
        known: Any = None,
        items: "Optional[Tuple[Optional[Value], ...]]" = None,
    ) -> None:
        self.buffer = buffer
        self.size = size
        self.known = known
        self.items = items


def width(dtype: Any) -> int:
    """Bytes of one number: 4 for ``float32``; 0 for what has no fixed size."""
    name = str(getattr(dtype, "name", dtype)).replace("torch.", "").replace("_ref", "")
    if name in ("bool", "int8", "uint8"):
        return 1
    digits = "".join(each for each in name.rpartition("float")[2] if each.isdigit()) or "".join(
        each for each in name if each.isdigit()
    )
    if name.startswith("float8"):
        return 1
    return int(digits) // 8 if digits and int(digits) % 8 == 0 else 0


def bytes_of(tensor: Any) -> Optional[int]:
    """The bytes of a tensor of a graph; None where its shape is not known."""
    each = width(tensor.dtype)
    if not each:
        return 0
    if tensor.shape.rank is None or any(size is None for size in tensor.shape.as_list()):
        return None
    return int(tensor.shape.num_elements()) * each


def constant(operation: Any) -> Any:
    """The numbers of a small constant of whole numbers or truths; None for others."""
    import numpy as np
    from tensorflow import get_static_value

    tensor = operation.outputs[0]
    count = tensor.shape.num_elements()
    if count is None or count > MOST_KNOWN or not str(tensor.dtype.name).startswith(("int", "uint", "bool")):
        return None
    value = get_static_value(tensor)
    return None if value is None else np.asarray(value)


def shape(operation: Any) -> Any:
    """What ``Shape``, ``Size`` and ``Rank`` give; None where it is not known."""
    import numpy as np

    of = operation.inputs[0].shape
    if of.rank is None:
        return None
    if operation.type == "Rank":
        return np.asarray(of.rank)
    if any(size is None for size in of.as_list()):
        return None
    return np.asarray(of.as_list() if operation.type == "Shape" else of.num_elements())


def evaluate(operation: Any, given: List[Value]) -> Any:
    """The numbers that an operation makes of known ones; None where that is not known."""
    import numpy as np

    kind = operation.type
    numbers = [each.known for each in given]
    if kind not in KNOWN or any(each is None for each in numbers):
        return None
    result = _made(np, kind, operation, numbers)
    if result is None:
        return None
    result = np.asarray(result)
    return result if result.size <= MOST_KNOWN else None


TWO = {
    "Add": "add",
    "AddV2": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Less": "less",
    "LessEqual": "less_equal",
    "Greater": "greater",
    "GreaterEqual": "greater_equal",
    "Equal": "equal",
    "NotEqual": "not_equal",
    "LogicalAnd": "logical_and",
    "LogicalOr": "logical_or",
}
"""Operations on two tensors, and NumPy's function for each."""
WHOLE = {"Max": "max", "Min": "min", "Prod": "prod", "Sum": "sum"}
"""Operations on a row of numbers that make one number of it."""
KNOWN = {*TWO, *WHOLE, "Cast", "LogicalNot", "Pack", "Range", "StridedSlice"}


def _made(np: Any, kind: str, operation: Any, given: List[Any]) -> Any:
    if kind in TWO:
        return getattr(np, TWO[kind])(given[0], given[1])
    first = given[0]
    if kind in WHOLE:
        return getattr(np, WHOLE[kind])(first) if first.ndim <= 1 and first.size else None
    if kind == "Pack":
        return np.stack(given) if all(each.ndim == 0 for each in given) else None
    if kind == "Range":
        return np.arange(*given) if abs(given[1] - first) <= MOST_KNOWN and given[2] else None
    if kind == "StridedSlice":
        return _one_of(operation, first, given[1])
    return np.logical_not(first) if kind == "LogicalNot" else first


def _one_of(operation: Any, row: Any, begin: Any) -> Any:
    """One number out of a row of them, and nothing more."""
    if row.ndim != 1 or int(operation.get_attr("shrink_axis_mask")) != 1 or not -row.size <= int(begin[0]) < row.size:
        return None
    return row[int(begin[0])]
