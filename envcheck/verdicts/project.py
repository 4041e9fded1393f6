"""The modules of the scanned project, and what their names stand for in other modules."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator, Mapping

from envcheck.source.names.uses import Condition, Export
from envcheck.source.tree import FileReading

OUTSIDE = sys.stdlib_module_names | {
    "absl",
    "flax",
    "h5py",
    "jax",
    "matplotlib",
    "numpy",
    "pandas",
    "scipy",
    "six",
    "sklearn",
    "torch",
}
"""Import packages that files of a project are called after, and that an absolute import in a package does not mean those by."""
DEEPEST = 12
"""Modules that a name is followed through."""


class Project:
    """Follows ``@.common:K.dot`` to what it stands for.

    Args:
        files: by path, with ``/``.
    """

    def __init__(self, files: Mapping[str, FileReading]) -> None:
        self._files = files
        self._modules: dict[tuple[str, str], str | None] = {}
        self._linked: dict[tuple[str, str], str | None] = {}

    def link(self, symbol: str, path: str) -> str | None:
        """A symbol of a file in names of TensorFlow and Keras alone; None where it leads elsewhere."""
        if "@" not in symbol:
            return symbol
        key = (symbol, path)
        if key not in self._linked:
            self._linked[key] = None
            found = [self._follow(one, path, 0) for one in symbol.split("|")]
            kept = [one for one in dict.fromkeys(found) if one]
            self._linked[key] = "|".join(kept) if kept and len(kept) == len(set(found)) else None
        return self._linked[key]

    def condition(self, symbol: str, path: str) -> Condition | None:
        """What a flag of another module asks; None where it is none."""
        module, _, names = symbol[1:].partition(":")
        found = self._export(module, names, path, 0)
        return found[0].test if found and found[0].kind == "condition" else None

    def _follow(self, symbol: str, path: str, depth: int) -> str | None:
        if symbol[:1] == "*":
            return self._star(symbol, path, depth)
        if symbol[:1] != "@" or depth > DEEPEST:
            return symbol if symbol[:1] != "@" else None
        module, _, rest = symbol[1:].partition(":")
        rest = rest.lstrip(".")
        name, end = _first(rest)
        found = self._export(module, name, path, depth)
        if found is None:
            return self._submodule(module, name, end, path, depth)
        export, where = found
        if export.kind == "value":
            inner = (
                self._follow(export.text, where, depth + 1) if "|" not in export.text else self.link(export.text, where)
            )
            return "|".join(one + end for one in inner.split("|")) if inner else None
        if export.kind == "function" and end.startswith("()"):
            inner = self.link(export.text, where)
            return "|".join(one + end[2:] for one in inner.split("|")) if inner and end[2:] else inner
        if export.kind == "class":
            return self._of_class(export, end, where, depth)
        return None

    def _submodule(self, module: str, name: str, end: str, path: str, depth: int) -> str | None:
        """``from . import common`` and ``import pkg.common``: the name is a module of its own."""
        dot = "" if module.endswith(".") or not module else "."
        full = f"{module}{dot}{name}"
        if not end.startswith(".") or self.module(full, path) is None:
            return None
        return self._follow(f"@{full}:{end[1:]}", path, depth + 1)

    def _of_class(self, export: Export, end: str, where: str, depth: int) -> str | None:
        member, _ = _first(end.removeprefix("()").removeprefix("."))
        if not end or member in export.names:
            return None  # the class of the project, with an __init__ of its own
        for base in export.bases:
            if base is None:
                return None
            inner = self._follow(base, where, depth + 1)
            if inner is None:
                return None  # a plain class of the project: it may have the member
            return inner + end
        return None

    def _star(self, symbol: str, path: str, depth: int) -> str | None:
        """Modules of the project among the star imports give their own names; those of Keras are left for the target to tell."""
        modules, _, rest = symbol[1:].partition(":")
        name, end = _first(rest)
        outside = []
        for module in reversed(modules.split(",")):
            if not module.startswith("@"):
                outside.append(module)
                continue
            found = self._export(module[1:], name, path, depth)
            if found is not None:
                return self._follow(f"@{module[1:]}:{rest}", path, depth + 1)
        return f"*{','.join(reversed(outside))}:{name}{end}" if outside else None

    def _export(self, module: str, name: str, path: str, depth: int) -> tuple[Export, str] | None:
        where = self.module(module, path)
        if where is None or depth > DEEPEST:
            return None
        reading = self._files[where]
        if name in reading.exports:
            return reading.exports[name], where
        for star in reversed(reading.stars):
            found = self._export(star, name, where, depth + 1)
            if found is not None:
                return found
        return None

    def module(self, name: str, path: str) -> str | None:
        """The file of a module as it was imported by the file ``path``."""
        key = (name, path[: path.rfind("/") + 1])
        if key not in self._modules:
            self._modules[key] = self._find(name, path)
        return self._modules[key]

    def _find(self, name: str, path: str) -> str | None:
        folder = posixpath.dirname(path)
        plain = name.lstrip(".")
        level = len(name) - len(plain)
        inner = plain.replace(".", "/")
        if level:
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            return self._file(posixpath.join(folder, inner) if inner else folder)
        bases = list(_above(folder))
        # What lies in a package is found from a script's own folder alone: elsewhere `import torch` beside a torch.py is torch.
        plain_ones = [base for base in bases if self._file(posixpath.join(base, "__init__")) is None]
        mistaken = plain.partition(".")[0] in OUTSIDE
        for base in [*plain_ones, *(base for base in bases if base not in plain_ones and not mistaken)]:
            found = self._file(posixpath.join(base, inner))
            if found is not None and found != path:
                return found
        return None

    def _file(self, stem: str) -> str | None:
        for candidate in (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi"):
            if candidate in self._files:
                return candidate
        return None


def _above(folder: str) -> Iterator[str]:
    """A folder and those above it."""
    while True:
        yield folder
        if not folder or folder == posixpath.dirname(folder):
            return
        folder = posixpath.dirname(folder)


def _first(rest: str) -> tuple[str, str]:
    """``K.dot()`` as ``K`` and ``.dot()``."""
    for place, sign in enumerate(rest):
        if sign in ".(":
            return rest[:place], rest[place:]
    return rest, ""
