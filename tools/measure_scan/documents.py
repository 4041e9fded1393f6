"""Source files as syntax trees: a Python file is one part, a notebook one part per code cell."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = (".py", ".pyi", ".ipynb")
# `%%name` cells whose body is still Python; the body of any other is another language or a file.
_PYTHON_CELL_MAGICS = {"time", "timeit", "capture", "prun", "memit", "wandb", "tensorflow_version"}
_LINE_MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^(?P<target>\s*[\w, ]+=\s*)[%!].*$")


@dataclass(frozen=True, slots=True)
class Part:
    """One syntax tree of a file. ``cell`` is None in a Python file; in a notebook the cell's number, from 1, among all and
    among the code cells."""

    cell: tuple[int, int] | None
    tree: ast.Module


def files(root: Path) -> Iterator[Path]:
    """The source files below ``root`` (or itself), sorted; none of hidden folders and none that a link leads to."""
    if root.is_file():
        yield root
        return
    for entry in sorted(root.iterdir()):
        if entry.is_symlink() or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from files(entry)
        elif entry.suffix in SUFFIXES:
            yield entry


def read(path: Path) -> tuple[list[Part], list[str]]:
    """The parts of a file that parse as Python 3, and one line for each that does not."""
    content = path.read_bytes()
    if path.suffix != ".ipynb":
        tree = _parsed(content)
        return ([Part(None, tree)], []) if isinstance(tree, ast.Module) else ([], [tree])
    try:
        notebook = json.loads(content)
    except ValueError as error:
        return [], [f"not a notebook: {error}"]
    parts: list[Part] = []
    problems: list[str] = []
    for number, source in _code_cells(notebook):
        tree = _parsed("\n".join(_without_magics(source)))
        if isinstance(tree, ast.Module):
            parts.append(Part(number, tree))
        else:
            problems.append(f"cell {number[0]}: {tree}")
    return parts, problems


def cell_lines(notebook: Any) -> Iterator[tuple[int, list[str]]]:
    """The lines of each code cell, with the cell's number among all cells, from 1."""
    for number, lines in _code_cells(notebook):
        yield number[0], lines


def _parsed(source: str | bytes) -> ast.Module | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in somebody's string is their business
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return f"{type(error).__name__}: {error}"


def _code_cells(notebook: Any) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """Cells of notebook formats 4 and 3, each with its numbers among all and among the code cells, from 1."""
    if not isinstance(notebook, dict):
        return
    cells = notebook.get("cells")
    if cells is None:
        cells = [cell for sheet in notebook.get("worksheets", []) for cell in sheet.get("cells", [])]
    code = 0
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") != "code":
            continue
        code += 1
        source = cell.get("source", cell.get("input", ""))
        text = source if isinstance(source, str) else "".join(source)
        yield (number, code), text.split("\n")


def _without_magics(lines: list[str]) -> Iterator[str]:
    """The lines, each shell line and magic replaced by a statement of the same indentation that does nothing."""
    started = False
    skip = False
    continued = False
    for line in lines:
        if not started and line.strip():
            started = True
            if line.startswith("%%"):
                words = line[2:].split()
                skip = not words or words[0] not in _PYTHON_CELL_MAGICS
                yield ""
                continue
        if skip or continued:
            continued = continued and line.rstrip().endswith("\\")
            yield ""
            continue
        magic = _LINE_MAGIC.match(line)
        assigned = _ASSIGNED_MAGIC.match(line)
        if magic:
            continued = line.rstrip().endswith("\\")
            yield magic["indent"] + "pass"
        elif assigned:
            yield assigned["target"] + "None"
        else:
            yield line
