"""What a program sets before TensorFlow is imported: ``os.environ["TF_USE_LEGACY_KERAS"] = "1"``.

TensorFlow reads the variable when something of ``tf.keras`` is first used, not when it is imported itself (measured on 2.21);
with it ``tf.keras`` is tf_keras, which is Keras 2.
Source: https://github.com/keras-team/tf-keras#how-to-use-tf-keras
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

FLAG = "TF_USE_LEGACY_KERAS"
SET = ("1", "true", "True")
"""The values of the flag that count as set; any other one does not."""


def legacy_keras(tree: ast.Module, text: str) -> bool:
    """Whether a program makes ``tf.keras`` tf_keras: it sets the flag above its first import of a module of ``tf.keras``."""
    if FLAG not in text:
        return False
    for each in _statements(tree.body):
        if _sets(each):
            return True
        if isinstance(each, ast.ImportFrom) and _of_keras(each.module or ""):
            return False
        if isinstance(each, ast.Import) and any(_of_keras(alias.name) for alias in each.names):
            return False
    return False


def _of_keras(module: str) -> bool:
    return f"{module}.".startswith("tensorflow.keras.")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module in their order, with those of blocks that may be run as it is loaded."""
    for each in body:
        yield each
        if isinstance(each, (ast.If, ast.Try, ast.With)):
            yield from _statements(each.body)


def _sets(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(each, ast.Subscript) and _is_flag(each.slice) for each in node.targets) and _is_on(
            node.value
        )
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in ("setdefault", "putenv", "__setitem__") and len(call.args) == 2:
        return _is_flag(call.args[0]) and _is_on(call.args[1])
    if name == "update" and len(call.args) == 1 and isinstance(call.args[0], ast.Dict):
        pairs = zip(call.args[0].keys, call.args[0].values, strict=True)
        return any(key is not None and _is_flag(key) and _is_on(value) for key, value in pairs)
    return name == "update" and any(each.arg == FLAG and _is_on(each.value) for each in call.keywords)


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == FLAG


def _is_on(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in SET
