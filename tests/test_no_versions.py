"""What is true of a version of TensorFlow, Keras, CUDA or a driver stands in compat_matrix/, not in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import envcheck

PACKAGE = Path(envcheck.__file__).parent
FOLDERS = ("checks", "commands", "suggestion", "reporters")
ALLOWED = {
    "checks/libc.py": "the glibc of the old platform tags: PEP 513, 571, 599",
    "checks/gpu_capability.py": "compute capabilities of Jetsons: an exception in the rule itself",
    "checks/interpreter.py": "CPython's own ABI",
    "reporters/sarif.py": "SARIF's own version, and how long its texts may be",
    "commands/output.py": "columns and lines of a terminal",
}


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Version-like texts and pairs of numbers, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"[<>=!~]*\d+(\.\d+)+(\.\*)?", node.value):
                yield node.lineno, node.value
        elif isinstance(node, ast.Tuple) and 2 <= len(node.elts) <= 3:
            numbers = [each.value for each in node.elts if isinstance(each, ast.Constant) and type(each.value) is int]
            if len(numbers) == len(node.elts):
                yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_knows_versions(folder: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {literal}"
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in ALLOWED
        for line, literal in literals(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_an_exception_is_still_needed(name: str) -> None:
    assert list(literals(ast.parse((PACKAGE / name).read_text("utf-8"))))


def test_the_search_finds_what_it_looks_for() -> None:
    tree = ast.parse('if version >= (2, 14) or name == "2.15" or SpecifierSet("<2.0.0"): ...')
    assert [literal for _, literal in literals(tree)] == ["(2, 14)", "2.15", "<2.0.0"]
