"""Symbols as text: a block each, or a line each where a target is asked about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from envcheck.commands.api.symbols import Library, Releases, Symbol
from envcheck.printable import printable
from envcheck.reporters import Style

LABEL = 13
"""Columns of the words on the left."""
COLOURS = {"present": "green", "deprecated": "yellow", "foreign": "red", "absent": "red", "unknown": "yellow"}
PRODUCTS = {"tensorflow": "TensorFlow", "keras": "Keras", "tf_keras": "tf_keras"}
MOST_ALIASES = 8
LONGEST = 200
"""Characters of a name that are shown."""


def _name(symbol: Symbol) -> str:
    """A name fit for a terminal: on one line, of bearable length."""
    name = printable(symbol.name)
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}..."


def shown(name: str, symbol: Symbol) -> str:
    """A name as the one who asked writes the root."""
    return (
        "tf." + name[len("tensorflow.") :] if symbol.name.startswith("tf.") and name.startswith("tensorflow.") else name
    )


def text(symbols: list[Symbol], library: Library, style: Style) -> str:
    """The page."""
    if library.target is not None:
        width = max(len(symbol.name) for symbol in symbols) if len(symbols) < 200 else 0
        return "".join(line + "\n" for symbol in symbols for line in _line(symbol, min(width, 60), style))
    return "\n".join("".join(f"{line}\n" for line in _block(symbol, library, style)) for symbol in symbols)


def _line(symbol: Symbol, width: int, style: Style) -> Iterator[str]:
    status = f"{symbol.status:10}"
    words = [
        click.style(status, fg=COLOURS[symbol.status or "unknown"]) if style.colour else status,
        f" {_name(symbol):{width}}",
    ]
    if symbol.status == "unknown":
        words.append(f"  {symbol.reason}")
    elif symbol.status == "foreign":
        words.append("  TensorFlow's old copy of Keras: the installed Keras refuses its objects")
    elif symbol.replacement is not None:
        words.append(
            f"  use {shown(symbol.replacement.use, symbol)}"
            if symbol.replacement.use
            else f"  {symbol.replacement.note}"
        )
    elif symbol.status == "absent":
        words.append(
            f"  {_never(symbol)}"
            if not symbol.releases
            else f"  it is there in {_spans(symbol, symbol.releases, style)}"
        )
    yield "".join(words).rstrip()


def _never(symbol: Symbol) -> str:
    return "no recorded release has it" + (
        f"; did you mean {' or '.join(shown(name, symbol) for name in symbol.near)}?" if symbol.near else ""
    )


def _block(symbol: Symbol, library: Library, style: Style) -> Iterator[str]:
    name = click.style(_name(symbol), bold=True) if style.colour else _name(symbol)
    if symbol.package is None:
        yield f"{name or repr('')}  is no name of tensorflow (tf), keras or tf_keras"
        return
    kind = {"internal": "module", "name": "", "unknown": ""}.get(symbol.kind or "", symbol.kind or "")
    yield f"{name}  {kind}".rstrip()
    if not symbol.releases:
        yield from _wrapped("present", _unseen(symbol, library, style), style)
        return
    yield from _whereabouts(symbol, library, style)
    yield from _replacement(symbol, style)
    for change in symbol.changes:
        since = " and ".join(f"{package} {wanted}" for package, wanted in change.since.items())
        yield from _wrapped(
            "changed", f"with {since}: {change.note}" + (f" Use {change.use}." if change.use else ""), style
        )
    yield from _parameters(symbol, style)
    if symbol.canonical and symbol.canonical.partition(".")[2] != symbol.name.partition(".")[2]:
        yield from _wrapped("the same as", shown(symbol.canonical, symbol), style)
    others = [alias for alias in symbol.aliases if alias != symbol.canonical]
    if others:
        more = f" and {len(others) - MOST_ALIASES} more" if len(others) > MOST_ALIASES else ""
        yield from _wrapped(
            "also named", ", ".join(shown(name, symbol) for name in others[:MOST_ALIASES]) + more, style
        )


def _whereabouts(symbol: Symbol, library: Library, style: Style) -> Iterator[str]:
    """Where it is present, gone, unknown, foreign, deprecated, or there only after an import."""
    yield from _wrapped("present", _spans(symbol, symbol.releases, style), style)
    if symbol.releases[-1][1] != symbol.recorded[1]:  # type: ignore[index] # a package has recorded releases
        yield from _wrapped("gone", f"since {_after(symbol, library)}", style)
    if symbol.unknown:
        yield from _wrapped("unknown", _spans(symbol, symbol.unknown, style), style)
    if symbol.needs_import:
        yield from _wrapped(
            "import", f"only after an import of its module in {_spans(symbol, symbol.needs_import, style)}", style
        )
    if symbol.foreign:
        words = "TensorFlow's old copy of Keras: it imports, and the installed Keras refuses its objects"
        yield from _wrapped("foreign", f"{_spans(symbol, symbol.foreign, style)} ({words})", style)
    if symbol.deprecated:
        history = library.api.history(symbol.name)
        marks = "; ".join(_told(mark) for mark in library.marks(history)) if history else ""
        yield from _wrapped(
            "deprecated", _spans(symbol, symbol.deprecated, style) + (f" ({marks})" if marks else ""), style
        )


def _told(mark: str) -> str:
    """``after=2020-07-01 instead=tf.x,tf.y`` in words."""
    facts = dict(word.partition("=")[::2] for word in mark.split(" "))
    words = [f"to go after {facts['after']}"] if "after" in facts else []
    return ", ".join(words + ([f"use {facts['instead'].replace(',', ', ')}"] if "instead" in facts else []))


def _unseen(symbol: Symbol, library: Library, style: Style) -> str:
    recorded = _spans(symbol, library.everything(symbol), style)
    if symbol.unknown:
        return f"unknown: what lies below is not recorded ({recorded})"
    near = f"; did you mean {' or '.join(shown(name, symbol) for name in symbol.near)}?" if symbol.near else ""
    return f"in no recorded release ({recorded}){near}"


def _replacement(symbol: Symbol, style: Style) -> Iterator[str]:
    found = symbol.replacement
    if found is None:
        return
    yield from _wrapped("instead", (found.use and shown(found.use, symbol)) or "nothing takes its place", style)
    if found.example:
        yield from _wrapped("example", found.example, style)
    if found.note:
        yield from _wrapped("note", found.note, style)
    yield from _wrapped("source", ", ".join(found.sources), style)


def _parameters(symbol: Symbol, style: Style) -> Iterator[str]:
    """Those of all releases on one line, the others on a line for each history."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys([*symbol.parameters, *symbol.ignored_parameters]):
        always = symbol.parameters.get(name) == symbol.releases
        groups.setdefault("" if always else _when(symbol, name, style), []).append(name)
    lines = [", ".join(groups.pop(""))] if "" in groups else []
    lines += [f"{', '.join(names)}: {when}" for when, names in groups.items()]
    if symbol.more_parameters:
        lines.append(f"and others, through **kwargs or unknown: {_spans(symbol, symbol.more_parameters, style)}")
    for place, line in enumerate(lines):
        yield from _wrapped("" if place else "parameters", line, style)


def _when(symbol: Symbol, name: str, style: Style) -> str:
    taken, ignored = symbol.parameters.get(name, []), symbol.ignored_parameters.get(name, [])
    words = [_spans(symbol, taken, style)] if taken else []
    return "; ".join(words + ([f"taken and ignored in {_spans(symbol, ignored, style)}"] if ignored else []))


def _after(symbol: Symbol, library: Library) -> str:
    label = library.after(symbol)
    return f"{_product(symbol, label)} {label}"


def _product(symbol: Symbol, label: str) -> str:
    if symbol.counted == "tensorflow.keras":
        return "Keras" if label.startswith("3.") else "TensorFlow"
    return PRODUCTS[symbol.counted or ""]


def _spans(symbol: Symbol, releases: Releases, style: Style) -> str:
    """``TensorFlow 1.13-2.15, Keras 3.0-3.15``."""
    dash = "–" if style.unicode else "-"
    words, said = [], ""
    for first, last in releases:
        product = _product(symbol, first)
        words.append(f"{'' if said == product else product + ' '}{first if first == last else first + dash + last}")
        said = product
    return ", ".join(words)


def _wrapped(label: str, words: str, style: Style) -> Iterator[str]:
    indent = " " * (LABEL + 2)
    lines = textwrap.wrap(words, max(40, style.width - LABEL - 2), break_long_words=False, break_on_hyphens=False) or [
        ""
    ]
    yield f"  {label:{LABEL}}{lines[0]}"
    yield from (indent + line for line in lines[1:])
