"""Operators on constants, arrays and symbolic tensors: arithmetic, comparison, subscripts, truth."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from envcheck.model.cells import Cell
from envcheck.model.core import Core
from envcheck.model.data.shapes import FLOATS, broadcast, indexed, promoted
from envcheck.model.events import Array, Dataset, KerasTensor, Made, OperationCalled, Values
from envcheck.model.tensors import UNKNOWN, Tensor, Unknown
from envcheck.model.values import Class, Dict, Function, List, Symbol, Value

_LARGEST = 1 << 60
_LONGEST = 512

_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_NAMES = {ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.MatMult: "matmul", ast.Pow: "pow", ast.Add: "add"}


def binary(machine: Core, kind: ast.operator, left: Value, right: Value, node: ast.expr) -> Value:
    """What ``left <kind> right`` gives."""
    if isinstance(left, KerasTensor) or isinstance(right, KerasTensor):
        return _symbolic(machine, kind, left, right, node)
    if isinstance(left, Array) or isinstance(right, Array):
        return _arrays(kind, left, right)
    if isinstance(left, (List, tuple)) or isinstance(right, (List, tuple)):
        return _sequences(kind, left, right)
    if _number(left) and _number(right):
        return _numbers(kind, left, right)
    if isinstance(left, str) and isinstance(right, str) and isinstance(kind, ast.Add):
        return left + right if len(left) + len(right) <= _LONGEST else UNKNOWN
    if isinstance(left, str) and isinstance(kind, ast.Mod):
        return _formatted(left, right)
    return UNKNOWN


def _number(value: Value) -> bool:
    return isinstance(value, (int, float))


def _numbers(kind: ast.operator, left: Any, right: Any) -> Value:
    whole = isinstance(left, int) and isinstance(right, int)
    if isinstance(kind, (ast.Pow, ast.LShift, ast.RShift)) and not (abs(right) <= 64 and abs(left) <= 1 << 31):
        return UNKNOWN
    try:
        found = _ARITHMETIC[type(kind)](left, right)
    except (ArithmeticError, ValueError, TypeError, KeyError):
        return UNKNOWN
    if isinstance(found, complex) or (whole and isinstance(found, int) and abs(found) >= _LARGEST):
        return UNKNOWN
    return found


def _formatted(text: str, value: Value) -> Value:
    values = value if isinstance(value, tuple) else (value,)
    if not all(type(each) in (str, int, bool) for each in values) or len(text) > 200 or "*" in text:
        return UNKNOWN
    if any(each.isdigit() for each in text.partition("%")[2]):
        return UNKNOWN  # a width of a billion
    try:
        return text % values
    except (TypeError, ValueError):
        return UNKNOWN


def _sequences(kind: ast.operator, left: Value, right: Value) -> Value:
    one, two = (each.items if isinstance(each, List) else each for each in (left, right))
    if isinstance(kind, ast.Add) and type(left) is type(right):
        if isinstance(one, tuple) and isinstance(two, tuple) and len(one) + len(two) <= _LONGEST:
            return List(items=one + two) if isinstance(left, List) else one + two
        return List(items=UNKNOWN) if isinstance(left, List) else UNKNOWN
    if isinstance(kind, ast.Mult):
        times, content = (one, two) if type(one) is int else (two, one)
        if type(times) is int and isinstance(content, tuple) and len(content) * max(times, 0) <= _LONGEST:
            found = content * times
            return List(items=found) if isinstance(left, List) or isinstance(right, List) else found
        return List(items=UNKNOWN) if isinstance(left, List) or isinstance(right, List) else UNKNOWN
    return UNKNOWN


def _arrays(kind: ast.operator, left: Value, right: Value) -> Value:
    if left is UNKNOWN or right is UNKNOWN or isinstance(kind, ast.MatMult):
        return UNKNOWN
    sides = [each if isinstance(each, Array) else scalar(each) for each in (left, right)]
    one, two = sides
    if one is None or two is None:
        return UNKNOWN
    shape = broadcast(one.shape, two.shape)
    dtype = promoted(one, two, division=isinstance(kind, ast.Div))
    library = "tensorflow" if "tensorflow" in (one.library, two.library) else "numpy"
    return Array(shape, dtype, library, _range(kind, one, two), one.made_by or two.made_by)


def scalar(value: Value) -> Array | None:
    """A number as an array without axes."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    dtype = "python int" if isinstance(value, int) else "python float"
    return Array((), dtype, "python", Values(value, value, True))


def _range(kind: ast.operator, one: Array, two: Array) -> Values | None:
    """The range of a sum, difference, product or quotient with a number."""
    if one.values is None or two.values is None or two.library != "python":
        return None
    if not isinstance(kind, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        return None
    ends = [_numbers(kind, end, two.values.low) for end in (one.values.low, one.values.high)]
    if any(end is UNKNOWN for end in ends):
        return None
    return Values(min(ends), max(ends), one.values.reached, one.values.nan)


def _symbolic(machine: Core, kind: ast.operator, left: Value, right: Value, node: ast.expr) -> Value:
    inputs = tuple(each for each in (left, right) if isinstance(each, KerasTensor))
    name = f"operator.{_NAMES.get(type(kind), type(kind).__name__.lower())}"
    machine.emit(OperationCalled(name, inputs, machine.inside, machine.where(node)))
    shapes = []
    for each in (left, right):
        if isinstance(each, KerasTensor):
            shapes.append(each.tensor.shape)
        elif isinstance(each, Array):
            shapes.append(each.shape)
        elif _number(each):
            shapes.append(())
        else:
            shapes.append(UNKNOWN)
    shape = UNKNOWN if isinstance(kind, ast.MatMult) else broadcast(*shapes)
    dtypes = {each.tensor.dtype for each in inputs}
    dtype = dtypes.pop() if len(dtypes) == 1 else UNKNOWN
    floats = dtype in FLOATS and all(_number(each) for each in (left, right) if not isinstance(each, KerasTensor))
    alike = len(inputs) == 2 and not isinstance(kind, ast.Div)
    return KerasTensor(Tensor(shape, dtype if floats or alike else UNKNOWN), name, inputs)


_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_PLAIN = (int, float, str, bool, type(None))


def compared(kind: ast.cmpop, left: Value, right: Value) -> Value:
    """What a comparison gives: True, False, or UNKNOWN."""
    if isinstance(kind, (ast.Is, ast.IsNot)):
        same = _identical(left, right)
        return UNKNOWN if same is UNKNOWN else same is isinstance(kind, ast.Is)
    if isinstance(kind, (ast.In, ast.NotIn)):
        inner = right.items if isinstance(right, List) else right
        if isinstance(right, Dict):
            content = right.mapping()
            inner = tuple(content) if content is not None else UNKNOWN
        if not isinstance(left, _PLAIN) or not isinstance(inner, (tuple, str)):
            return UNKNOWN
        if isinstance(inner, str):
            return (left in inner) is isinstance(kind, ast.In) if isinstance(left, str) else UNKNOWN
        if not all(isinstance(each, _PLAIN) for each in inner):
            return UNKNOWN
        return (left in inner) is isinstance(kind, ast.In)
    left, right = (each.items if isinstance(each, List) else each for each in (left, right))
    if not (_comparable(left) and _comparable(right)):
        return UNKNOWN
    try:
        return bool(_COMPARISONS[type(kind)](left, right))
    except TypeError:
        return UNKNOWN


def _comparable(value: Value) -> bool:
    if isinstance(value, tuple):
        return len(value) <= _LONGEST and all(isinstance(each, _PLAIN) for each in value)
    return isinstance(value, _PLAIN)


def _identical(left: Value, right: Value) -> Value:
    if left is None or right is None:
        other = right if left is None else left
        if other is None:
            return True
        known = isinstance(other, (*_PLAIN, tuple, Cell, Class, Function, KerasTensor, Array, Made, range))
        return False if known else UNKNOWN
    return left is right if isinstance(left, bool) and isinstance(right, bool) else UNKNOWN


def truth(value: Value) -> bool | None:
    """Whether a value counts as true; None where that cannot be told."""
    if isinstance(value, (bool, int, float, str, tuple, range, type(None))):
        return bool(value)
    if isinstance(value, (List, Dict)):
        return bool(value.items) if isinstance(value.items, tuple) else None
    return True if isinstance(value, (Made, Class, Function)) else None


def unary(machine: Core, kind: ast.unaryop, value: Value, node: ast.expr) -> Value:
    """What ``not x``, ``-x``, ``+x`` or ``~x`` gives."""
    if isinstance(kind, ast.Not):
        test = truth(value)
        return UNKNOWN if test is None else not test
    if isinstance(value, (int, float)):
        if isinstance(kind, ast.USub):
            return -value
        return ~value if isinstance(kind, ast.Invert) and isinstance(value, int) else +value
    if isinstance(value, Array):
        return Array(value.shape, value.dtype, value.library)
    if isinstance(value, KerasTensor):
        name = f"operator.{type(kind).__name__.lower()}"
        machine.emit(OperationCalled(name, (value,), machine.inside, machine.where(node)))
        return KerasTensor(value.tensor, name, (value,))
    return UNKNOWN


def subscript(machine: Core, value: Value, key: Value, node: ast.expr) -> Value:
    """What ``value[key]`` gives."""
    if isinstance(value, KerasTensor):
        shape = indexed(value.tensor.shape, key)
        machine.emit(OperationCalled("operator.getitem", (value,), machine.inside, machine.where(node)))
        return KerasTensor(Tensor(shape, value.tensor.dtype), "operator.getitem", (value,))
    if isinstance(value, Array):
        shape = indexed(value.shape, key)
        if shape == () and value.library == "list":
            return UNKNOWN
        return Array(shape, value.dtype, value.library, _part(value.values, key), value.made_by)
    if isinstance(value, Dict):
        content = value.mapping()
        known = content is not None and isinstance(key, (str, int, bool, type(None)))
        return content.get(key, UNKNOWN) if known and content is not None else UNKNOWN
    if isinstance(value, Dataset):
        return UNKNOWN
    items = value.items if isinstance(value, List) else value
    return _item(items, key, isinstance(value, List))


def _part(values: Values | None, key: Value) -> Values | None:
    """The range of some of an array's numbers; a mask or an array of places may choose just those that are small."""
    keys = key if isinstance(key, tuple) else (key,)
    plain = all(each is None or each is ... or isinstance(each, (int, slice)) for each in keys)
    return None if values is None or not plain else values.some()


def _item(items: Value, key: Value, listed: bool) -> Value:
    if not isinstance(items, (tuple, str, range)):
        return List(items=UNKNOWN) if listed and isinstance(key, slice) else UNKNOWN
    if type(key) is int:
        return items[key] if -len(items) <= key < len(items) else UNKNOWN
    if isinstance(key, slice):
        if isinstance(key.start, Unknown):
            return List(items=UNKNOWN) if listed else UNKNOWN
        try:
            return List(items=items[key]) if listed else items[key]
        except ValueError:
            return UNKNOWN
    return UNKNOWN


def called_symbol(value: Value) -> str:
    """The name of a symbol; empty for anything else."""
    return value.name if isinstance(value, Symbol) else ""
