"""What protects code from running on a release that lacks what it uses: handlers and conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_HANDLED = {"ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "Exception", "BaseException"}
# Forms that carry the answer on; a dictionary or a conditional expression may hold anything.
_ANSWERS = (ast.Compare, ast.Call, ast.BoolOp, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Name)
_TOLD_BY_NAME = {
    "__version__",
    "version_info",
    "hasattr",
    "TYPE_CHECKING",
    "LooseVersion",
    "StrictVersion",
    "parse_version",
    "find_spec",
    "PY2",
    "PY3",
    "VERSION",
    "GIT_VERSION",
}


def asks_for_version(node: ast.AST, names: Iterable[str] = ()) -> bool:
    """Whether an expression asks for a version or for the presence of something; ``names`` are those known to hold an answer."""
    told = _TOLD_BY_NAME.union(names)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in told:
            return True
        if isinstance(inner, ast.Attribute) and inner.attr in told:
            return True
    return False


def handler_guard(node: ast.Try) -> str | None:
    """What the handlers of a `try` protect its body from; ``reraised`` where each of them raises again."""
    found = [handler for handler in node.handlers if _handles(handler)]
    if not found:
        return None
    return "reraised" if all(_ends_with_raise(handler.body) for handler in found) else "try"


def _handles(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(one, "attr", getattr(one, "id", "")) in _HANDLED for one in types)


def _ends_with_raise(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    called = last.value.func if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None
    return isinstance(called, ast.Attribute | ast.Name) and getattr(called, "attr", getattr(called, "id", "")) == "exit"


def version_names(tree: ast.AST) -> set[str]:
    """The names in a file that hold what a version test said: variables, and functions whose body asks."""
    names: set[str] = set()
    for _ in range(2):  # a name may be told by another
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, _ANSWERS)
                and asks_for_version(node.value, names)
            ):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.FunctionDef) and len(node.body) <= 3 and asks_for_version(node.body[-1], names):
                names.add(node.name)
    return names
