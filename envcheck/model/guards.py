"""What keeps code from running here, or lets it fail on purpose: conditions on releases, skipped tests, ``sys.exit()``."""

from __future__ import annotations

import ast

from envcheck.model.names import words
from envcheck.model.values import Function

_SURROUNDINGS = words(
    "__version__ VERSION version_info hexversion executing_eagerly backend image_data_format hasattr TYPE_CHECKING platform "
    "is_gpu_available list_physical_devices list_local_devices is_built_with_cuda find_spec tf2 PY2 PY3 environ getenv"
)
_SKIPS = words(
    "skip skipif skipIf skipUnless xfail expectedFailure run_v1_only run_deprecated_v1 deprecated_graph_mode_only"
)
_ENDS = frozenset((("sys", "exit"), ("os", "_exit"), ("pytest", "skip"), ("pytest", "fail"), ("pytest", "xfail")))


def asks_surroundings(test: ast.expr) -> bool:
    """Whether a condition asks which release, backend or device it runs on: then each side is meant for its own."""
    waiting: list[ast.expr] = [test]
    for each in waiting:  # it grows; ``ast.walk`` takes three times as long, and there are many conditions
        if _last(each) in _SURROUNDINGS:
            return True
        for name in _PARTS.get(type(each), ()):
            part = getattr(each, name)
            waiting += part if isinstance(part, list) else (part,)
    return False


_PARTS: dict[type, tuple[str, ...]] = {
    ast.Attribute: ("value",),
    ast.BinOp: ("left", "right"),
    ast.BoolOp: ("values",),
    ast.Call: ("func", "args"),
    ast.Compare: ("left", "comparators"),
    ast.NamedExpr: ("value",),
    ast.Subscript: ("value",),
    ast.UnaryOp: ("operand",),
}
"""Where in an expression a name may stand."""


def skipped(function: Function) -> bool:
    """Whether a test, or its class, is marked as one that does not run here, or is expected to fail."""
    marks = list(getattr(function.node, "decorator_list", ()))
    if function.owner is not None:
        marks += function.owner.node.decorator_list
    return any(_last(each.func if isinstance(each, ast.Call) else each) in _SKIPS for each in marks)


def returns(node: ast.expr) -> bool:
    """Whether what follows a call runs: not so where the program ends, or the test is skipped."""
    if not isinstance(node, ast.Call):
        return True
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    last = _last(node.func)
    return (
        last != "skipTest" and (last not in ("exit", "quit") or owner is not None) and (_last(owner), last) not in _ENDS
    )


def _last(node: ast.AST | None) -> str:
    """The last word of a dotted name; empty for anything else."""
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))
