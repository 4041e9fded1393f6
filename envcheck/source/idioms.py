r"""Idioms that are no Python 3, put into Python 3 where what was meant is clear.

``print x`` of Python 2, a generic function of Python 3.12 on an older Python, a merge conflict's marker, a template's
placeholder. Most replacements are as long as what they replace, so that columns stay. What Python 2 has is in
https://docs.python.org/3/whatsnew/3.0.html, what 3.12 has in https://peps.python.org/pep-0695/.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeAlias

from envcheck.source.edits import Edit, blank, in_bytes

_UNREADABLE = re.compile("[\0\ud800-\udfff]+")


def unreadable_characters(text: str) -> list[Edit]:
    """The edits that replace characters that no source may have, each by one that takes as many bytes."""
    return [
        Edit(
            found.start(),
            found.end(),
            "".join(" " if char == "\0" else "\ufffd" for char in found[0]),
            "a character that no source may have",
        )
        for found in _UNREADABLE.finditer(text)
    ]


_MOST = 20_000
"""Edits of one kind; a text that has more is no program."""


def foreign_idioms(text: str, code: str) -> list[Edit]:
    r"""The edits that put a text's foreign idioms into Python 3, in the order of the text, none inside of another.

    Args:
        text: Python source with lines ended by ``\n``.
        code: its ``mask``.
    """
    found = [edit for idiom in _IDIOMS for edit in islice(idiom(text, code), _MOST)]
    found.sort(key=lambda edit: (edit.start, edit.end))
    edits: list[Edit] = []
    for edit in found:
        keeps_lines = text.count("\n", edit.start, edit.end) == edit.new.count("\n")
        if keeps_lines and (not edits or edit.start >= edits[-1].end):
            edits.append(edit)
    return edits


_Idiom: TypeAlias = Callable[[str, str], Iterator[Edit]]
"""From a text and its mask to edits in the order of the text."""


def _pattern(pattern: str, new: Callable[[str], str], reason: str) -> _Idiom:
    """An idiom that a pattern finds in the mask; ``new`` gives what stands for the text that matches."""
    compiled = re.compile(pattern, re.MULTILINE)

    def idiom(_: str, code: str) -> Iterator[Edit]:
        for found in compiled.finditer(code):
            yield Edit(found.start(), found.end(), new(found[0]), reason)

    return idiom


_STATEMENT = re.compile(
    r"(?:^[ \t]*|[:;][ \t]*)(?P<word>print|exec)"
    r"(?P<gap>[ \t][ \t\r]*(?!(?:in|is|and|or|if|else|for)\b)(?=[\w~\"'`{])|(?=[\"'`{]))",
    re.MULTILINE,
)


def _statements(_: str, code: str) -> Iterator[Edit]:
    """``print x`` and ``exec x``: an opening bracket in place of the space, a closing one at the end."""
    for found in _STATEMENT.finditer(code):
        gap, end = found.start("gap"), found.end()
        stop = _index(code, "\n", end, len(code))
        stop = _index(code, ";", end, stop)
        last = end + len(code[end:stop].rstrip())
        reason = f"Python 2: {found['word']} statement"
        yield Edit(gap, min(gap + 1, end), "(", reason)
        yield Edit(last, last, ")", reason)


def _index(text: str, what: str, start: int, end: int) -> int:
    """Where something is; the end where it is not."""
    at = text.find(what, start, end)
    return end if at < 0 else at


_EXCEPT = re.compile(
    r"^[ \t]*except\b(?P<types>[^:\n]*?)(?P<name>[ \t]*,[ \t]*(?P<word>[A-Za-z_][\w.]*|\([\w\s,.]*\)))[ \t]*:",
    re.MULTILINE,
)


def _handlers(_: str, code: str) -> Iterator[Edit]:
    """``except E, e:`` binds the exception to ``e``."""
    for found in _EXCEPT.finditer(code):
        types = found["types"]
        if types.count("(") == types.count(")") and " as " not in types:
            new = f" as {found['word']}" if found["word"].isidentifier() else blank(found["name"])
            yield Edit(*found.span("name"), new, "Python 2: except with a comma")


_RAISE = re.compile(r"(?:^[ \t]*|[:;][ \t]*)raise[ \t]+(?P<rest>[^\n;]*)", re.MULTILINE)


def _raises(_: str, code: str) -> Iterator[Edit]:
    """``raise E, "message"``: two statements, which use the same names."""
    for found in _RAISE.finditer(code):
        depth = 0
        for at, char in enumerate(found["rest"], found.start("rest")):
            depth += (char in "([{") - (char in ")]}")
            if char == "," and not depth:
                yield Edit(at, at + 1, ";", "Python 2: raise with a comma")
                break


_PARAMETERS = re.compile(r"\b(?:def[ \t]+\w+[ \t]*\(|lambda\b)(?P<rest>[^:\n]*)")
_TUPLE = re.compile(r"(?:^|(?<=[(,]))[ \t]*(?P<open>\()[\w\s,]*(?P<close>\))(?=[ \t]*(?:[,)=]|$))")


def _tuple_parameters(_: str, code: str) -> Iterator[Edit]:
    """``def f(a, (b, c)):`` and ``lambda (a, b): …`` unpack a tuple: the brackets go."""
    for found in _PARAMETERS.finditer(code):
        start = found.start("rest")
        for each in _TUPLE.finditer(found["rest"]):
            for name in ("open", "close"):
                at = start + each.start(name)
                yield Edit(at, at + 1, " ", "Python 2: a parameter that unpacks a tuple")


def _backquotes(_: str, code: str) -> Iterator[Edit]:
    """`` `x` `` is ``repr(x)``."""
    opening = True
    for found in re.finditer(r"[`\n]", code):
        if found[0] == "\n":
            opening = True
        else:
            yield Edit(found.start(), found.end(), "(" if opening else ")", "Python 2: backquotes")
            opening = not opening


_STRING = re.compile(r"(?P<prefix>\w{0,2})(?P<quote>\"\"\"|\'\'\'|\"|\')_*")
_ESCAPE = re.compile(
    r"\\(?:u(?![\da-fA-F]{4})|U(?!000[\da-fA-F]{5}|0010[\da-fA-F]{4})|x(?![\da-fA-F]{2})|N(?!\{[\w -]+\})|(?P<known>.))",
    re.DOTALL,
)


def _escapes(text: str, code: str) -> Iterator[Edit]:
    r"""``"C:\Users"`` in Python 3 and ``"\u"`` in Python 2: an escape that Python 3 does not know loses its backslash."""
    if "\\" not in text:
        return
    for string in _STRING.finditer(code):
        if "\\" in text[string.start("quote") : string.end()] and not set("rRbB") & set(string["prefix"]):
            for found in _ESCAPE.finditer(text, string.start("quote"), string.end()):
                if not found["known"]:
                    yield Edit(found.start(), found.start() + 1, "/", "an escape that no string may have")


def _number(number: str) -> str:
    """``0777`` and ``10L`` as decimal numbers: nobody asks for their values here."""
    digits = number.rstrip("lL")
    digits = digits if digits[1:2] in ("x", "X") else digits.lstrip("0") or "0"
    return digits.ljust(len(number))


_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?:[ \t][^\n]*)?$", re.MULTILINE)


def _conflicts(text: str, _: str) -> Iterator[Edit]:
    """The markers of a merge conflict go; both sides are read. A line of ``=======`` alone may underline a heading."""
    if "\n<<<<<<< " in "\n" + text and "\n>>>>>>> " in text:
        for found in _CONFLICT.finditer(text):
            yield Edit(found.start(), found.end(), blank(found[0]), "a merge conflict")


_PLACEHOLDER = re.compile(r"\{\{[^{}\n]{0,500}\}\}|\{%[^\n]{0,500}?%\}|\{#[^\n]{0,500}?#\}")


def _placeholders(text: str, code: str) -> Iterator[Edit]:
    """A template's placeholder stands for a name; its statements and comments go."""
    for found in _PLACEHOLDER.finditer(text):
        if code[found.start()] == "{":
            new = "_" * in_bytes(found[0]) if found[0].startswith("{{") else blank(found[0])
            yield Edit(found.start(), found.end(), new, "a template's placeholder")


_TYPOGRAPHIC = {
    "\u00a0": "  ",
    "\u200b": "   ",
    "\u2009": "   ",
    "\u202f": "   ",
    "\u3000": "   ",
    "\ufeff": "   ",
    "\u2018": "  '",
    "\u2019": "'  ",
    "\u201c": '  "',
    "\u201d": '"  ',
    "\u2013": " - ",
    "\u2014": " - ",
    "\u2212": " - ",
}
"""What a word processor or a web page makes of spaces, quotes and minus signs, and what stands for it: as many bytes."""

_GENERIC = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)


def _generics(text: str, code: str) -> Iterator[Edit]:
    """``def f[T](x):`` and ``class A[T]:`` without their type parameters."""
    for found in _GENERIC.finditer(code):
        depth = 0
        for at in range(found.end(), _index(code, "\n", found.end(), len(code))):
            depth += (code[at] == "[") - (code[at] == "]")
            if not depth:
                yield Edit(found.end(), at + 1, blank(text[found.end() : at + 1]), "type parameters, of Python 3.12")
                break


_ALIAS = re.compile(
    r"^[ \t]*(?P<type>type[ \t]+)[A-Za-z_]\w*[ \t]*(?P<parameters>\[[^\[\]\n]*(?:\[[^\[\]\n]*\][^\[\]\n]*)*\])?[ \t]*=(?!=)",
    re.MULTILINE,
)


def _aliases(text: str, code: str) -> Iterator[Edit]:
    """``type X[T] = …`` as ``X = …``."""
    for found in _ALIAS.finditer(code):
        yield Edit(*found.span("type"), "", "type, of Python 3.12")
        if found["parameters"]:
            yield Edit(*found.span("parameters"), blank(text[slice(*found.span("parameters"))]), "type, of Python 3.12")


_IDIOMS: list[_Idiom] = [
    _statements,
    _handlers,
    _raises,
    _tuple_parameters,
    _backquotes,
    _escapes,
    _pattern(
        r"(?<![\w.])(?<![eE][-+])(?:(?:0[xX][\da-fA-F]+|\d+)[lL]\b|0+[1-7][0-7]*\b(?!\.))", _number, "Python 2: number"
    ),
    _pattern(r"<>", lambda _: "!=", "Python 2: <>"),
    _pattern(r"(?<=[^\w\n])[uU](?=[rR][\"'])", lambda _: " ", "Python 2: ur string"),
    _pattern(
        r"(?<=\.)async\b|\basync(?=[ \t]*(?:[=,.:)\]]|$))", lambda _: "asynC", "async as a name, of Python before 3.7"
    ),
    _conflicts,
    _placeholders,
    _pattern(f"[{''.join(_TYPOGRAPHIC)}]", _TYPOGRAPHIC.__getitem__, "a typographic character in code"),
]
if sys.version_info < (3, 14):
    _IDIOMS.append(_pattern(r"(?<!\w)[tT](?=[\"'])", lambda _: "f", "a template string, of Python 3.14"))
if sys.version_info < (3, 12):
    _IDIOMS += [_generics, _aliases]
if sys.version_info < (3, 11):
    _IDIOMS.append(_pattern(r"^[ \t]*except[ \t]*\*", lambda it: it[:-1] + " ", "except*, of Python 3.11"))
