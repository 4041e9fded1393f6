"""What statements bind: assignments, annotations, imports."""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import Any

from envcheck.source.names.calls import Calls
from envcheck.source.names.expressions import ROOTS
from envcheck.source.names.uses import Use
from envcheck.source.names.values import Class, Function, Instance, Value, called, merged, written


class Bindings(Calls):
    """Reads the statements that bind names."""

    def __init__(self, project: Container[str]) -> None:
        super().__init__(project)
        self.project_stars: list[str] = []
        self.lazy_annotations = False

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name):
            self._set(target.id, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, None)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self.bind(each, None)
        elif isinstance(target, ast.Attribute):
            self._set_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            self.value(target.value)
            self.value(target.slice)

    def _set(self, name: str, value: Value) -> None:
        self.scope.outer.get(name, self.scope).names[name] = value

    def _set_attribute(self, target: ast.Attribute, value: Value) -> None:
        owner = self.load(target.value)
        if isinstance(owner, (Instance, Class)):
            members = (owner.owner if isinstance(owner, Instance) else owner).members
            if not isinstance(members.get(target.attr), Function):
                members[target.attr] = (
                    merged([members.get(target.attr), value]) if value is not None else members.get(target.attr)
                )
        elif isinstance(owner, (str, tuple)):
            self.note(self.member(owner, target.attr), target, "set")
            if written(owner) != "tensorflow":
                self.note(owner, target.value, "attribute")

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        pairs = isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, (ast.Tuple, ast.List))
        if pairs and len(target.elts) == len(node.value.elts):  # type: ignore[attr-defined]
            values = [self.value(each) for each in node.value.elts]  # type: ignore[attr-defined]
            for one, value in zip(target.elts, values, strict=True):  # type: ignore[attr-defined]
                self.bind(one, value)
            return
        value = self.value(node.value)
        for each in node.targets:
            self.bind(each, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        kind = self._annotation(node.annotation)
        if node.value is not None:
            self.bind(node.target, self.value(node.value))
        elif isinstance(node.target, ast.Name):
            self._set(node.target.id, kind)

    def _annotation(self, node: ast.expr | None) -> Value:
        """What an annotated name holds; under ``from __future__ import annotations`` nothing in it is run."""
        if node is None:
            return None
        found = self.under(("never",) if self.lazy_annotations else None, node)
        return Instance(found) if isinstance(found, Class) else called(found)

    def _augmented(self, node: ast.AugAssign) -> None:
        self.value(node.value)
        if isinstance(node.target, ast.Name):
            self._set(node.target.id, None)
        else:
            self.bind(node.target, None)

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.outer[name] = self.module

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            scope = self.scope.parent
            while scope is not None and (scope.kind != "function" or name not in scope.names):
                scope = scope.parent
            if scope is not None:
                self.scope.outer[name] = scope

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            root, _, _ = alias.name.partition(".")
            known = root in ROOTS
            if known:
                self._imported(alias, alias.name, "import")
            if known or root in self.project:
                whole = alias.name if known else f"@{alias.name if alias.asname else root}:"
                self._set(alias.asname or root, whole if alias.asname or not known else root)
            else:
                self._set(alias.asname or root, None)

    def _imported(self, node: Any, symbol: str, how: str) -> None:
        if "." in symbol or how == "import":
            self.uses.append(self._use(symbol, how, node))

    def _use(self, symbol: str, how: str, node: Any) -> Use:
        end = node.end_col_offset if node.end_lineno == node.lineno else -1
        return Use(symbol, how, node.lineno, node.col_offset, end, self.guard, None)

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        root = module.partition(".")[0]
        if module == "__future__":
            self.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
        own = node.level > 0 or (root in self.project and root not in ROOTS)
        known = node.level == 0 and root in ROOTS
        for alias in node.names:
            if alias.name == "*":
                if known:
                    self._imported(node, module, "import")
                    self.stars.append(module)
                elif own:
                    self.stars.append(f"@{'.' * node.level}{module}")
                    self.project_stars.append(f"{'.' * node.level}{module}")
            elif known:
                symbol = f"{module}.{alias.name}"
                self._imported(alias, symbol, "from")
                self._set(alias.asname or alias.name, symbol)
            elif own:
                self._set(alias.asname or alias.name, f"@{'.' * node.level}{module}:{alias.name}")
            else:
                self._set(alias.asname or alias.name, None)
