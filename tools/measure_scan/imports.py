"""Follows import statements: of TensorFlow and Keras to symbols, of the project's own modules to what those bind."""

from __future__ import annotations

import ast
from typing import Protocol

from .expressions import Exports, Expressions
from .values import ROOTS, UNKNOWN, Local, Symbol, Value


class Modules(Exports, Protocol):
    """What the imports ask of the project that the file belongs to."""

    def module(self, importer: str, name: str, level: int) -> Local | None:
        """The project's own module of a name as ``importer`` imports it; ``level`` counts leading dots."""

    def star(self, module: Local) -> dict[str, Value] | None:
        """What a star import of it gives; None where that is not known."""

    def versions(self, module: Local) -> set[str]:
        """Its names that hold what a version test said."""


class Imports(Expressions):
    """Notes what one file imports.

    ``loads`` are its imports of TensorFlow and Keras, in order; ``used_modules`` those of the project. ``annotations_run``
    is false where a `__future__` import keeps annotations from being evaluated.
    """

    def __init__(self, path: str, modules: Modules, local_roots: frozenset[str]) -> None:
        super().__init__(path, modules, local_roots)
        self.modules = modules
        self.loads: list[str] = []
        self.used_modules: list[Local] = []
        self.annotations_run = True

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            if root not in ROOTS:
                own = self.modules.module(self.path, alias.name if alias.asname else root, 0)
                self.scope.bind(alias.asname or root, frozenset({own}) if own else UNKNOWN)
                self._use(own)
                continue
            statement = f"import {alias.name} as _"
            self.loads.append(f"import {alias.name}")
            self.note(alias, Symbol(statement, alias.name), "import")
            bound = Symbol(statement, alias.name) if alias.asname else Symbol(f"import {root} as _", root)
            self.scope.bind(alias.asname or root, frozenset({bound}))

    def _importfrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module == "__future__":
            self.annotations_run &= all(alias.name != "annotations" for alias in node.names)
            return
        if node.level == 0 and module.partition(".")[0] in ROOTS:
            for alias in node.names:
                self._symbol_import(node, module, alias)
            return
        own = self.modules.module(self.path, module, node.level)
        self._use(own)
        for alias in node.names:
            if alias.name == "*":
                given = self.modules.star(own) if own else None
                if given is None:
                    self.scope.module().stars.append("")
                for name, value in (given or {}).items():
                    self.scope.bind(name, value)
            else:
                value = self.exports.attribute(own, alias.name) if own else UNKNOWN
                self.scope.bind(alias.asname or alias.name, value or UNKNOWN)

    def _symbol_import(self, node: ast.ImportFrom, module: str, alias: ast.alias) -> None:
        if alias.name == "*":
            self.loads.append(f"from {module} import *")
            self.note(node, Symbol(f"import {module} as _", module), "star")
            self.scope.module().stars.append(module)
            return
        statement = f"from {module} import {alias.name} as _"
        self.loads.append(statement)
        symbol = Symbol(statement, f"{module}.{alias.name}")
        self.note(alias, symbol, "import")
        self.references[-1].line = node.lineno
        self.scope.bind(alias.asname or alias.name, frozenset({symbol}))

    def _use(self, module: Local | None) -> None:
        if module is not None:
            self.used_modules.append(module)
            self.versions |= self.modules.versions(module)
