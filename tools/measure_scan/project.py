"""The files of one project read together, so that what one module imports another may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .documents import files, read
from .statements import Statements
from .values import ROOTS, UNBOUND, UNKNOWN, Local, Value


class Project:
    """One tree of files. ``records`` reads them all; a module that another imports is read when it is met."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[Path, Statements | None] = {}
        self._problems: dict[Path, list[str]] = {}

    def records(self) -> Iterator[dict[str, Any]]:
        """Of each file: its path below the corpora, what it loads, its references, what in it could not be parsed."""
        for path in files(self.root):
            statements = self._statements(path)
            problems = self._problems.get(path, [])
            references = [one.row() for one in statements.references] if statements else []
            if references or problems:
                loads = self._loads(path, set())
                yield {"path": str(path), "loads": loads, "references": references, "problems": problems}

    def module(self, importer: str, name: str, level: int) -> Local | None:
        """The project's own file or package of that name (see :class:`.statements.Modules`)."""
        parts = [part for part in name.split(".") if part]
        start = Path(importer).parent
        if level:
            for _ in range(level - 1):
                start = start.parent
            return _below(start, parts) if self._holds(start) else None
        while parts and self._holds(start):
            found = _below(start, parts)
            if found is not None and str(found.path) != importer:
                return found
            start = start.parent
        return None

    def attribute(self, module: Local, name: str) -> Value:
        """What a module of the project has under a name: a binding, else a module inside the package."""
        statements = self._statements(module.path) if module.path.is_file() else None
        bound = statements.scope.module().names.get(name, UNBOUND) if statements else UNBOUND
        if bound:
            return bound
        inside = _below(_folder(module.path), [name]) if _is_package(module.path) else None
        return frozenset({inside}) if inside else UNKNOWN

    def star(self, module: Local) -> dict[str, Value] | None:
        """The public names of a module of the project; None where it has a star import of its own that nobody knows."""
        statements = self._statements(module.path) if module.path.is_file() else None
        if statements is None or statements.scope.module().stars:
            return None
        names = statements.scope.module().names
        return {name: value for name, value in names.items() if not name.startswith("_")}

    def versions(self, module: Local) -> set[str]:
        """Names of the module that hold what a version test said."""
        statements = self._statements(module.path) if module.path.is_file() else None
        return statements.versions if statements else set()

    def _holds(self, folder: Path) -> bool:
        return folder == self.root or self.root in folder.parents

    def _statements(self, path: Path) -> Statements | None:
        """The file, read; None where it cannot be, or while it is being read (a circle of imports)."""
        if path in self._read:
            return self._read[path]
        self._read[path] = None
        parts, problems = read(path)
        self._problems[path] = problems
        statements = Statements(str(path), self, self._local_roots(path))
        try:
            for part in parts:
                statements.read(part.tree, part.cell)
            statements.finish()
        except RecursionError:
            problems.append("nested too deeply for the oracle")
        self._read[path] = statements
        return statements

    def _loads(self, path: Path, seen: set[Path]) -> list[str]:
        """The imports of a file and of the project's modules that it imports."""
        seen.add(path)
        statements = self._read.get(path)
        if statements is None:
            return []
        loads = list(statements.loads)
        for module in statements.used_modules:
            if module.path not in seen:
                loads += self._loads(module.path, seen)
        return list(dict.fromkeys(loads))

    def _local_roots(self, path: Path) -> frozenset[str]:
        """Those of the roots that the project has as a top-level package or module itself, seen from a file."""
        found: set[str] = set()
        folder = path.parent
        while self._holds(folder):
            if not (folder / "__init__.py").exists():
                found.update(
                    root
                    for root in ROOTS
                    if (folder / root / "__init__.py").exists() or (folder / f"{root}.py").exists()
                )
            folder = folder.parent
        return frozenset(found)


def _folder(path: Path) -> Path:
    return path.parent if path.name == "__init__.py" else path


def _is_package(path: Path) -> bool:
    return path.name == "__init__.py" or path.is_dir()


def _below(folder: Path, parts: list[str]) -> Local | None:
    """The module that dotted ``parts`` name below a folder; a folder without `__init__.py` is a namespace package."""
    target = folder.joinpath(*parts)
    for candidate in (target / "__init__.py", target.with_name(f"{target.name}.py") if parts else target / "."):
        if candidate.is_file():
            return Local(candidate)
    return Local(target) if target.is_dir() else None
