"""The Python code in a Jupyter notebook: code cells, with what IPython adds to Python put out of the way.

The format is https://nbformat.readthedocs.io/en/latest/format_description.html, IPython's additions are
https://ipython.readthedocs.io/en/stable/interactive/reference.html and .../interactive/magics.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envcheck.source.edits import blank
from envcheck.source.logical import mask
from envcheck.source.parsing import check


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: its number, from 1 over cells of all kinds, and its Python text, line by line that of the notebook."""

    number: int
    text: str


def code_cells(data: bytes) -> tuple[Cell, ...] | str:
    """The Python code cells of a notebook (formats 2 to 4), or the reason why it has none.

    Of two equal keys in an object the last one counts, as for Jupyter.
    """
    try:
        notebook = json.loads(data)
    except RecursionError:
        return "no notebook: its JSON is nested too deeply"
    except ValueError as error:
        return f"no notebook: this is not JSON ({str(error).splitlines()[0][:100]})"
    if not isinstance(notebook, dict):
        return "no notebook: its JSON is not an object"
    language = _language(notebook)
    if not _is_python(language):
        return f"a notebook in {language[:40]}, not in Python"
    try:
        return tuple(_python_cells(notebook))
    except _WrongShapeError as error:
        return f"no notebook: {error}"


class _WrongShapeError(Exception):
    """What is wrong, in words."""


def _language(notebook: dict[str, Any]) -> str:
    """What the notebook says that it is written in; Python where it says nothing."""
    said = []
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        value = _at(notebook, "metadata", key, name)
        if isinstance(value, str) and value:
            said.append(value)
    return next(iter([each for each in said if _is_python(each)] or said), "python")


_PYTHON = re.compile(r"i?python[\d.]*|pyspark\d?|sage(math)?|cython", re.IGNORECASE)


def _is_python(language: str) -> bool:
    return bool(_PYTHON.fullmatch(language))


def _at(value: object, *keys: str) -> object:
    """What lies below some keys; None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _python_cells(notebook: dict[str, Any]) -> Iterator[Cell]:
    for number, cell in enumerate(_cells(notebook), 1):
        if not isinstance(cell, dict):
            raise _WrongShapeError(f"cell {number} is not an object")
        if cell.get("cell_type") != "code":
            continue
        for language in (cell.get("language"), _at(cell, "metadata", "vscode", "languageId")):
            if isinstance(language, str) and not _is_python(language):
                break
        else:
            text = python(_source(cell, number))
            if text is not None:
                yield Cell(number, text)


def _cells(notebook: dict[str, Any]) -> list[Any]:
    """The cells; before format 4 they lie in worksheets."""
    if "worksheets" not in notebook or "cells" in notebook:
        cells = notebook.get("cells")
        if not isinstance(cells, list):
            raise _WrongShapeError("it has no list of cells")
        return cells
    sheets = notebook["worksheets"]
    if not isinstance(sheets, list):
        raise _WrongShapeError("its worksheets are not a list")
    found = [_at(sheet, "cells") for sheet in sheets]
    return [cell for cells in found if isinstance(cells, list) for cell in cells]


def _source(cell: dict[str, Any], number: int) -> str:
    source = cell.get("source", cell.get("input", ""))  # "input" before format 4
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise _WrongShapeError(f"the source of cell {number} is neither text nor a list of lines")
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    source = source.replace("\0", "\1")  # as wrong, and ``python`` marks lines with NUL
    return source.encode("utf-8", "replace").decode("utf-8")  # JSON can hold half of a surrogate pair


_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*%%(?P<name>[\w.!-]+)(?P<rest>[^\n]*)")
_RUNS_PYTHON = re.compile(
    r"time(it)?|capture|prun|lprun|mprun|memit|python3?|px|debug|heat|snakeviz|scalene|pyinstrument|wandb"
)
"""Cell magics whose cell is Python. ``%%python`` runs it in another process, still it is this notebook's code."""
_OTHER_LANGUAGE = re.compile(
    r"bash|sh|shell|script|system|sx|!|cmd|powershell|pwsh|perl|ruby|pypy|python2|html|HTML|javascript|js|svg|SVG|latex"
    r"|markdown|md|writefile|file|writetemplate|sql|bigquery|R|julia|cython|cu|cpp|mermaid|configure|skip|scala"
)
"""Cell magics whose cell is not Python, is not run (``%%skip``), or becomes a file of its own (``%%writefile``)."""
_WHOLE_CELL = re.compile(r"\s*%(sql|sh|md|r|scala|fs)[ \t]*\n")
"""A cell of another language as Databricks has it."""


def python(source: str) -> str | None:
    r"""The Python of a cell, line by line; None where the cell is in another language.

    A line for IPython becomes ``pass`` (``!pip install x``, ``%matplotlib inline``, ``tf.add?``) or the Python in it
    (``%time f()``, ``files = !ls``). Where the cell is Python as it stands nothing is changed.

    Args:
        source: with lines ended by ``\n``.
    """
    cell_magic = _CELL_MAGIC.match(source)
    if cell_magic:
        name, body = cell_magic["name"], source[cell_magic.end() :]
        if not _RUNS_PYTHON.fullmatch(name) and (_OTHER_LANGUAGE.fullmatch(name) or check(body)):
            return None
    elif _WHOLE_CELL.match(source):
        return None
    elif not _MAYBE.search(source) or not check(source):
        return source
    code = mask(source, _LINE)
    parts: list[str] = []
    done = 0
    for found in re.finditer("\0+", code):
        parts += (source[done : found.start()], _replaced(source[found.start() : found.end()]))
        done = found.end()
    return "".join([*parts, source[done:]])


_SHELL = (
    r"(?:(?:pip3?|conda|mamba|apt|apt-get|cd|ls|cat|mkdir|rm|cp|mv|matplotlib|load_ext|autoreload)"
    r"[ \t]+(?!(?:in|is|if|or|and|not)\b)[-\w./~\"'$*])"
)
"""Commands that IPython takes without ``%`` ("automagic"), with an argument that no Python expression continues with."""
_TARGETS = r"[A-Za-z_][\w.,\[\]\"' \t]*=[ \t]*"
_CONTINUED = r"[^\n]*(?:(?<=\\)\n[^\n]*)*"
_LINE = re.compile(
    rf"[ \t]*(?:[!%?]{_CONTINUED}|{_TARGETS}[!%]{_CONTINUED}|{_SHELL}{_CONTINUED}|[A-Za-z_%*][\w.*]*\?\??[ \t]*(?=\n|\Z))"
)
"""A line that is IPython's and not Python's, with the lines that it is continued on."""
_MAYBE = re.compile(rf"(?m)^[ \t]*(?:[!%?]|{_TARGETS}[!%]|{_SHELL})|\?[ \t]*$")
_ASSIGNED = re.compile(rf"(?P<targets>[ \t]*{_TARGETS})(?P<sign>[!%])(?P<rest>.*)", re.DOTALL)
_TIMED = re.compile(
    r"%%?(?:time|timeit|prun|memit|lprun|mprun|snakeviz|pyinstrument|debug)\b"
    r"(?:[ \t]+-(?:[a-zA-Z][ \t]*\d+|[cqovt]+|[a-zA-Z][ \t]+[^\s\d-]\S*)){0,9}[ \t]+(?=[^\s!%?-])"
)
"""A magic that runs the Python after it, and its options."""


_COMPOUND = re.compile(r"(?:for|while|if|with|async|try)\b")


def _replaced(line: str) -> str:
    """What stands for IPython's line, over as many lines."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    command = line[len(indent) :]
    timed = _TIMED.match(command)
    if timed:
        code = command[timed.end() :]
        if _COMPOUND.match(code):
            return indent + code  # nothing can stand before it on its line: its columns are wrong
        return f"{indent}{'if 1:':<{timed.end()}}{code}"
    rest = "\n" * line.count("\n")
    assigned = _ASSIGNED.fullmatch(line)
    if not assigned:
        return f"{indent}pass{rest}"
    start = assigned.end("targets")
    timed = _TIMED.match(line, start)
    if timed:
        return line[:start] + blank(timed[0]) + line[timed.end() :]
    return f"{line[:start]}{'[]' if assigned['sign'] == '!' else 'None'}{rest}"
