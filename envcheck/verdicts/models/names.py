"""Names of layers that a module uses and never defines: NameError when the line runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from envcheck.model.events import Where
from envcheck.model.functions import blocks
from envcheck.model.layers import ALIASES, RULES
from envcheck.model.source import Source
from envcheck.verdicts.models.faults import Fault, fault

NAMES = (
    frozenset(RULES) | frozenset(ALIASES) | {"Sequential", "Model", "Input", "Lambda", "to_categorical", "load_model"}
)
_HIDING = re.compile(
    r"\b(?:exec|eval|globals|locals|vars|builtins|__builtins__|run_line_magic|get_ipython)\b|import\s*\*"
)
"""Ways to bind a name that no statement shows."""


def undefined(tree: ast.Module, source: Source) -> Iterator[Fault]:
    """The first use of each such name.

    Args:
        tree: The whole file; nothing of it may be missing.
        source: Its words.
    """
    text = source.text
    wanted = {name for offset, name in source.mentions if name in NAMES and _called(text, offset, name)}
    for inner in (False, True):  # most are bound at the top, which is soon looked through
        wanted -= _defined(tree, inner) if wanted else set()
    if not wanted or _HIDING.search(text):
        return
    bound = _Bound()
    bound.visit(tree)
    for name in sorted(wanted - bound.names):
        node = bound.uses.get(name)
        if node is None:
            continue
        end = node.end_col_offset if node.end_lineno == node.lineno and node.end_col_offset is not None else -1
        yield fault(
            "model-names",
            Where(node.lineno, node.col_offset, end),
            f"keras.layers.{name}" if name in RULES or name in ALIASES else f"keras.{name}",
            f"the name {name} is used and nothing in this file defines or imports it: NameError when the line runs",
            f"from tensorflow.keras.layers import {name}" if name in RULES or name in ALIASES else f"import {name}",
        )


def _called(text: str, offset: int, name: str) -> bool:
    """Whether a name is no attribute, and a call as far as the text shows."""
    return text[offset - 1 : offset] != "." and text.startswith(("(", " ("), offset + len(name))


def _defined(tree: ast.Module, inner: bool) -> set[str]:
    """Names that imports, functions and classes bind, with ``inner`` those in functions and classes too."""
    found: set[str] = set()
    for each in blocks(tree.body, inner=inner):
        if isinstance(each, (ast.Import, ast.ImportFrom)):
            found.update(alias.asname or alias.name for alias in each.names)
        elif isinstance(each, (ast.FunctionDef, ast.ClassDef)):
            found.add(each.name)
    return found


class _Bound(ast.NodeVisitor):
    """Every name that is bound anywhere, in whatever scope, and the first call of each name outside of a ``try``."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.uses: dict[str, ast.Name] = {}
        self._attempts = 0

    def visit_Name(self, node: ast.Name) -> None:
        """A name."""
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)
        elif not self._attempts and node.id in NAMES:
            self.uses.setdefault(node.id, node)

    def visit_Try(self, node: ast.Try) -> None:
        """What a handler catches is no mistake."""
        self._attempts += bool(node.handlers)
        for each in node.body:
            self.visit(each)
        self._attempts -= bool(node.handlers)
        for part in (node.handlers, node.orelse, node.finalbody):
            for one in part:
                self.visit(one)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """``except … as name``."""
        self.names.add(node.name or "")
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        """An import, wherever it stands."""
        self.names.add((node.asname or node.name).partition(".")[0])

    def visit_arg(self, node: ast.arg) -> None:
        """A parameter."""
        self.names.add(node.arg)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """A name that another scope binds."""
        self.names.update(node.names)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function."""
        self.names.add(node.name)
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """The same."""
        self.names.add(node.name)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class."""
        self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """``case … as name``."""
        self.names.add(node.name or "")
        self.generic_visit(node)
