"""Part of build.py: what operations on lists of tensors (``TensorList…``) hold, as TensorFlow's kernels do.

Standard library only until asked.
"""

# ruff: noqa: ARG001 - the rules are called alike

from typing import Any, List, Optional, Tuple

from build_values import Value  # type: ignore[import-not-found]

LISTS = {
    "TensorListElementShape",
    "TensorListGather",
    "TensorListGetItem",
    "TensorListLength",
    "TensorListStack",
}
"""Operations that make something other than a list of one."""
Items = Tuple[Optional[Value], ...]


def listed(life: Any, step: Any, values: List[Value]) -> List[Value]:
    """The outputs of an operation on lists."""
    rule = _RULES.get(step.type)
    if rule is None:
        life.unknown.add(step.type)
        return [life.made(size or 0) for size in step.sizes]
    result: List[Value] = rule(life, step, values)
    return result


def _items(value: Value) -> Items:
    return value.items or ()


def _empty(life: Any, step: Any, values: List[Value]) -> List[Value]:
    return [Value(items=())]


def _reserved(life: Any, step: Any, values: List[Value]) -> List[Value]:
    count = values[1].known
    return [Value(items=() if count is None else (None,) * max(0, int(count)))]


def _from_tensor(life: Any, step: Any, values: List[Value]) -> List[Value]:
    size = step.operation.inputs[0].shape
    count = None if size.rank is None else size.as_list()[0]
    if not count:
        life.unknown.add(step.type)
        return [Value(items=())]
    each = values[0].size // count
    return [Value(items=tuple(life.made(each) for _ in range(count)))]


def _place(life: Any, step: Any, known: Any) -> Optional[int]:
    if known is None or int(known) < 0:
        life.unknown.add(step.type)
        return None
    return int(known)


def _set(life: Any, step: Any, values: List[Value]) -> List[Value]:
    items = _items(values[0])
    place = _place(life, step, values[1].known)
    if place is None:
        return [Value(items=(*items, values[2]))]
    items += (None,) * (place + 1 - len(items))
    return [Value(items=(*items[:place], values[2], *items[place + 1 :]))]


def _get(life: Any, step: Any, values: List[Value]) -> List[Value]:
    items = _items(values[0])
    place = _place(life, step, values[1].known)
    found = items[place] if place is not None and place < len(items) else None
    return [life.made(life.size(step)) if found is None else found]


def _pushed(life: Any, step: Any, values: List[Value]) -> List[Value]:
    return [Value(items=(*_items(values[0]), values[1]))]


def _popped(life: Any, step: Any, values: List[Value]) -> List[Value]:
    items = _items(values[0])
    found = items[-1] if items else None
    return [Value(items=items[:-1]), life.made(life.size(step, 1)) if found is None else found]


def _stacked(life: Any, step: Any, values: List[Value]) -> List[Value]:
    items = _items(values[0])
    size = step.sizes[0]
    if size is None:
        size = sum(each.size for each in items if each is not None)
    return [life.made(size)]


def _length(life: Any, step: Any, values: List[Value]) -> List[Value]:
    import numpy as np

    return [Value(known=np.asarray(len(_items(values[0]))))]


def _shape(life: Any, step: Any, values: List[Value]) -> List[Value]:
    return [life.made(life.size(step))]


def _added(life: Any, step: Any, values: List[Value]) -> List[Value]:
    result = _items(values[0])
    for value in values[1:]:
        other = _items(value)
        result += (None,) * (len(other) - len(result))
        other += (None,) * (len(result) - len(other))
        result = tuple(
            life.made(one.size) if one is not None and two is not None else one or two
            for one, two in zip(result, other)
        )
    return [Value(items=result)]


def _zeros(life: Any, step: Any, values: List[Value]) -> List[Value]:
    return [Value(items=tuple(None if each is None else life.made(each.size) for each in _items(values[0])))]


def _read(life: Any, step: Any, values: List[Value]) -> List[Value]:
    return [Value(items=_items(values[0]))]


_RULES = {
    "AddN": _added,
    "AddV2": _added,
    "EmptyTensorList": _empty,
    "TensorListElementShape": _shape,
    "TensorListFromTensor": _from_tensor,
    "TensorListGather": _stacked,
    "TensorListGetItem": _get,
    "TensorListLength": _length,
    "TensorListPopBack": _popped,
    "TensorListPushBack": _pushed,
    "TensorListReserve": _reserved,
    "TensorListResize": _read,
    "TensorListSetItem": _set,
    "TensorListStack": _stacked,
    "ZerosLike": _zeros,
}
