"""Hostile input for reading and parsing: mutated real files, soups of tokens, random bytes, random notebooks.

By hand, with real files to mutate: ``python tests/source/hostile.py 100000 FOLDER…``. The suite takes a sample.
"""

from __future__ import annotations

import ast
import json
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envcheck.source.parsing import parse
from envcheck.source.reading import Document, Unread, document

TOKENS = (
    "if else: elif for while try: except finally: with def class lambda import from as return yield await async match case type "
    "print exec raise global not in is and or None tf.keras x y f(x) ( ) [ ] { } : ; , . = == -> := ** * @ ` <> ! ? % $ ~ "
    '%%time !ls 0 0777 10L 1.5e3j 0xFF ur"x" f\'{x!r:>{y}}\' f" \' " \'\'\' """ # \\ \\\n \n \n \n \t \r \f \0 '
    "\ufeff é “ ” \u00a0 \ud800 \U0001f600 {{ }} {% %} <<<<<<< ======= >>>>>>>"
)
LIMIT = 5.0
"""Seconds of CPU that one input may take."""


@dataclass(frozen=True)
class Input:
    """One input: how it was made, and a name and content as of a file."""

    kind: str
    path: str
    data: bytes


def inputs(seed: int, files: list[bytes]) -> Iterator[Input]:
    """Endless inputs, the same ones for the same seed and files."""
    rng = random.Random(seed)  # noqa: S311 - the same inputs every time
    while True:
        kind = rng.choice(["mutated", "mutated", "mutated", "soup", "bytes", "notebook", "json"])
        if kind == "mutated":
            yield Input(kind, "a.py", mutated(rng, rng.choice(files)))
        elif kind == "soup":
            yield Input(kind, "a.py", soup(rng))
        elif kind == "bytes":
            yield Input(kind, rng.choice(["a.py", "a.ipynb"]), rng.randbytes(rng.randint(0, 3_000)))
        elif kind == "notebook":
            yield Input(kind, "a.ipynb", json.dumps(notebook(rng, files)).encode())
        else:
            yield Input(kind, "a.ipynb", mutated(rng, json.dumps(notebook(rng, files)).encode()))


def soup(rng: random.Random) -> bytes:
    """Tokens in lines, some of them indented."""
    tokens = TOKENS.split(" ")
    text = ""
    for _ in range(rng.randint(1, 60)):
        text += " " * rng.choice([0, 0, 4, 4, 8, 3, 12]) + rng.choice(["", "\t", ""])
        text += rng.choice(["", " "]).join(rng.choice(tokens) for _ in range(rng.randint(0, 9)))
        text += rng.choice(["\n", ":\n", "\r\n", "\r"])
    return text.encode(rng.choice(["utf-8", "utf-8", "utf-16"]), "surrogatepass")


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A piece of a file with one to six things done to it."""
    start = rng.randrange(len(data) + 1) if rng.random() < 0.5 else 0
    data = data[start : start + rng.randint(10, 20_000)]
    tokens = TOKENS.split(" ")
    for _ in range(rng.randint(1, 6)):
        one, two = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        token = rng.choice(tokens).encode("utf-8", "surrogatepass")
        lines = data.split(b"\n")
        line = rng.randrange(len(lines))
        what = rng.randrange(8)
        if what == 0:
            data = data[:one] + data[min(two, one + 40) :]
        elif what == 1:
            data = data[:one] + token + data[one:]
        elif what == 2:
            data = data[:one] + bytes([rng.randrange(256)]) + data[one + 1 :]
        elif what == 3:
            data = data[: max(one, 10)]
        elif what == 4:
            data = data[:one] + data[two : two + 200] + data[one:]
        elif what == 5:
            data = b"\n".join([*lines[:line], token + b" " + lines[line], *lines[line + 1 :]])
        elif what == 6:
            data = b"\n".join([*lines[:line], rng.choice([b" ", b"\t", b"   "]) + lines[line], *lines[line + 1 :]])
        else:
            data = b"\n".join([*lines[:line], *lines[line + 1 :]])
    return data


def notebook(rng: random.Random, files: list[bytes]) -> object:
    """A notebook, mostly of the right shape."""
    odd: list[object] = [None, 1, "", [], {}, [1], "x\ud800", {"a": []}]
    cells: list[object] = []
    for _ in range(rng.randint(0, 6)):
        made = soup(rng) if rng.random() < 0.5 else mutated(rng, rng.choice(files))
        source: object = made.decode("utf-8", "replace")
        if rng.random() < 0.3:
            source = rng.choice(["%%time\n", "!ls 'x\n", "%%bash\n", "%timeit -n 3 ", "x = %time ", "?x\n"]) + str(
                source
            )
        if rng.random() < 0.5:
            source = str(source).splitlines(keepends=True)
        if rng.random() < 0.02:
            source = rng.choice(odd)
        cells.append(
            {
                "cell_type": rng.choice(["code", "code", "code", "markdown"]),
                rng.choice(["source"] * 9 + ["input"]): source,
            }
        )
    if rng.random() < 0.05:
        cells.append(rng.choice(odd))
    whole = {
        "cells": cells,
        "nbformat": 4,
        "metadata": rng.choice([{}, {"language_info": {"name": "python"}}, rng.choice(odd)]),
    }
    return whole if rng.random() < 0.95 else rng.choice(odd)


def complaint(made: Input) -> tuple[str, str]:
    """How reading and parsing an input ended, and what is wrong with that; the latter is empty where all is well."""
    start = time.process_time()
    read = document(made.path, made.data)
    if isinstance(read, Unread):
        ended = "unread"
        wrong = "" if read.reason.isprintable() else f"reason {read.reason!r}"
    else:
        assert isinstance(read, Document)
        ended = "parsed"
        wrong = ""
        for part in read.parts:
            tree, unparsed = parse(part.text)
            ended = "recovered" if unparsed else ended
            rows = part.text.split("\n")
            wrong = wrong or next(
                (f"{each}" for each in unparsed if not 1 <= each.line <= each.end_line <= len(rows)), ""
            )
            wrong = wrong or next((f"reason {each.reason!r}" for each in unparsed if not each.reason.isprintable()), "")
            wrong = wrong or misplaced(tree, rows)
    seconds = time.process_time() - start
    return ended, wrong or (f"{seconds:.1f} s" if seconds > LIMIT else "")


def misplaced(tree: ast.Module, rows: list[str]) -> str:
    """A name of the tree that does not lie in the text where the tree says; empty where each one does."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.stmt, ast.expr)):
            continue
        if not 1 <= node.lineno <= (node.end_lineno or 0) <= len(rows):
            return f"line {node.lineno} to {node.end_lineno} of {len(rows)}"
        if isinstance(node, ast.Name) and node.lineno == node.end_lineno:
            row = rows[node.lineno - 1].encode("utf-8", "surrogatepass")
            there = row[node.col_offset : node.end_col_offset].decode("utf-8", "replace")
            # A name of old Python, a template's placeholder, a handler in place of a damaged one.
            stands_for = there == "async" or "{" in there or node.id == "Exception"
            if node.id != unicodedata.normalize("NFKC", there) and not stands_for:  # as Python reads names
                return f"line {node.lineno}, column {node.col_offset}: {there!r} instead of {node.id!r}"
    return ""


def main() -> int:
    """Try as many inputs as asked for; 1 when one is not well read."""
    count, folders = int(sys.argv[1]), sys.argv[2:] or [str(Path(ast.__file__).parent)]
    files = [
        path.read_bytes()
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        if path.stat().st_size > 100
    ]
    ended: Counter[str] = Counter()
    slowest, seed, failed = 0.0, int(time.time()), 0
    made = inputs(seed, files)
    for number in range(count):
        each = next(made)
        start = time.process_time()
        try:
            how, wrong = complaint(each)
        except Exception as error:  # whatever it is, it is what is looked for
            how, wrong = "raised", repr(error)
        ended[f"{each.kind} {how}"] += 1
        slowest = max(slowest, time.process_time() - start)
        if wrong:
            failed += 1
            print(f"seed {seed}, input {number}, {each.kind}: {wrong}")  # noqa: T201 - a program
            Path(f"/tmp/hostile-{seed}-{number}-{each.path}").write_bytes(each.data)  # noqa: S108 - to look at
    print(f"{count} inputs from {len(files)} files, {failed} not well read, slowest {slowest:.2f} s CPU, {dict(ended)}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
