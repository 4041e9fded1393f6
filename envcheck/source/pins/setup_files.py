"""Pins in setup.cfg and setup.py; setup.py is read, never run.

Sources: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html,
https://setuptools.pypa.io/en/latest/references/keywords.html
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator

from envcheck.source.parsing import parse
from envcheck.source.pins.pin import NAMED, Include, Lines, Told, pinned, unclear_at
from envcheck.source.reading import Unread

MOST_STEPS = 10_000
"""Expressions that are followed in one setup.py: names can stand for each other without end."""
LARGEST_TEXT = 100_000
"""Characters of the longest string that is put together."""


def read_cfg(path: str, text: str) -> Iterator[Told]:
    """What a setup.cfg says."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        yield Unread(path, f"this is no setup.cfg that can be read: {' '.join(str(error.message).split())[:200]}")
        return
    lines = Lines(text)
    listed = [("options", "", parser.get("options", "install_requires", fallback=""))]
    if parser.has_section("options.extras_require"):
        listed += [("options.extras_require", *each) for each in parser.items("options.extras_require")]
    for section, group, value in listed:
        lines.find(rf"^\[{re.escape(section)}\]")
        files = re.match(r"\s*file:(.*)", value, re.DOTALL)
        for words in re.split(r"[,\n]", files[1]) if files else value.split("\n" if "\n" in value else ";"):
            entry = words.split(" #")[0].strip()
            if files and entry:
                yield Include(entry, 1)
            elif entry and NAMED.search(entry):
                yield from pinned(entry, path, lines.find(rf"(?<![\w.-]){re.escape(entry)}"), group)


def read_py(path: str, text: str) -> Iterator[Told]:
    """What the calls of ``setup`` in a setup.py say, as far as it stands there in so many words."""
    tree, unparsed = parse(text)
    lost = [each for each in unparsed if not each.read]
    if lost:
        yield unclear_at(path, lost[0].line, f"this does not parse as Python: {lost[0].reason}")
    literals = _Literals(tree)
    try:
        asked = [each for call in _setup_calls(tree) for each in _asked(call, literals)]
    except RecursionError:
        yield Unread(path, "nested too deep")
        return
    for group, words, line in asked:
        extra, _, marker = group.partition(":")
        yield from pinned(words, path, line, extra, marker)
    if literals.computed:
        yield unclear_at(
            path, literals.computed, "what setup() is given here is computed when it runs, and was not read"
        )


def _setup_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "setup":
                yield node


def _asked(call: ast.Call, literals: _Literals) -> Iterator[tuple[str, str, int]]:
    """The extra, the requirement and the line of everything that one call of ``setup`` asks for."""
    given = [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None]
    for keyword in call.keywords:
        given += literals.items(keyword.value) if keyword.arg is None else []
    for name, asked in given:
        listed = [("", asked)] if name == "install_requires" else []
        listed += literals.items(asked) if name == "extras_require" else []
        for group, value in listed:
            for text, line in literals.strings(value):
                yield from ((group, words, at) for at, words in enumerate(text.split("\n"), line))


class _Literals:
    """Follows the names of one file to the literals assigned to them; ``computed`` is the line of the first that has none.

    It goes as deep as the expressions do: who asks it must be ready for ``RecursionError``.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.computed = 0
        self._steps = MOST_STEPS
        self._assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                targets = [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    self._assigned.setdefault(target.id, []).append(node.value)  # type: ignore[attr-defined]  # all have one

    def items(self, node: ast.expr) -> list[tuple[str, ast.expr]]:
        """The keys and values of a dictionary, also of ``dict(key=value)``."""
        found = []
        for value in self._values(node):
            if isinstance(value, ast.Dict):
                keys = [None if key is None else self._text(key) for key in value.keys]
                pairs = list(zip(keys, value.values, strict=True))
            elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
                pairs = [(keyword.arg, keyword.value) for keyword in value.keywords]
            else:
                pairs = [(None, value)]
            found += [(name, inner) for name, inner in pairs if name is not None]
            if len(pairs) != len([name for name, _ in pairs if name is not None]):
                self._give_up(value)
        return found

    def strings(self, node: ast.expr, within: frozenset[str] = frozenset()) -> list[tuple[str, int]]:
        """The strings in an expression of lists, sums and names, each with its line; ``within`` are the names being followed."""
        if isinstance(node, ast.Name):
            if node.id in within:
                return []  # requires = requires + [...]: all that was ever assigned to it is read anyway
            within |= {node.id}
        found = []
        for value in self._values(node):
            text = self._text(value)
            if text is not None:
                found.append((text, value.lineno))
            elif isinstance(value, ast.Name) and value is not node:
                found += self.strings(value, within)
            elif isinstance(value, (ast.List, ast.Tuple, ast.Set)):
                found += [each for element in value.elts for each in self.strings(element, within)]
            elif isinstance(value, ast.Starred):
                found += self.strings(value.value, within)
            elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
                found += self.strings(value.left, within) + self.strings(value.right, within)
            else:
                self._give_up(value)
        return found

    def _values(self, node: ast.expr) -> list[ast.expr]:
        """Everything that is ever assigned to a name; anything else is itself."""
        self._steps -= 1
        if self._steps < 0:
            self._give_up(node)
            return []
        return self._assigned.get(node.id, [node]) if isinstance(node, ast.Name) else [node]

    def _text(self, node: ast.expr) -> str | None:
        """The text of a string, also of one put together of such; None for anything else."""
        self._steps -= 1
        if self._steps < 0:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
            return self._text(node.value)
        if isinstance(node, ast.Name):
            return self._text_of_name(node.id)
        if isinstance(node, ast.JoinedStr):
            texts = [self._text(each) for each in node.values]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            texts = [self._text(node.left), self._text(node.right)]
        else:
            return None
        whole = "".join(text for text in texts if text is not None)
        return whole if None not in texts and len(whole) <= LARGEST_TEXT else None

    def _text_of_name(self, name: str) -> str | None:
        """The text of a name that is assigned once, and not from itself."""
        values = self._assigned.pop(name, [])
        text = self._text(values[0]) if len(values) == 1 else None
        if values:
            self._assigned[name] = values
        return text

    def _give_up(self, node: ast.expr) -> None:
        self.computed = self.computed or node.lineno
