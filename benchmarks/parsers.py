"""Which parser reads Python source for ``envcheck scan``: ``ast``, tree-sitter or parso, on a tree of real files.

    python -m benchmarks.parsers FOLDER…

makes a throw-away environment with tree-sitter and parso, runs each parser in processes of its own, in turns, and prints the
medians of MB per CPU second. Files are read beforehand; files that Python cannot parse are left out.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = ("tree-sitter", "tree-sitter-python", "parso")


def ast_alone() -> Callable[[str], object]:
    """The standard library's parser."""
    return ast.parse


def ast_without_collector() -> Callable[[str], object]:
    """The same while no garbage is looked for."""
    gc.disable()
    return ast.parse


def ast_and_walk() -> Callable[[str], object]:
    """The same, and a look at the type and line of every node."""

    def read(text: str) -> object:
        return sum(getattr(node, "lineno", 0) for node in ast.walk(ast.parse(text)) if type(node) is ast.Name)

    return read


def ast_and_names() -> Callable[[str], object]:
    """The same, and every dotted name with its place: what resolving names begins with."""

    def dotted(node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            before = dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        return node.id if isinstance(node, ast.Name) else ""

    def read(text: str) -> object:
        return [
            (dotted(node), node.lineno, node.col_offset)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Attribute, ast.Name))
        ]

    return read


def envcheck_parse() -> Callable[[str], object]:
    """``envcheck.source.parsing.parse``."""
    parse: Callable[[str], object] = importlib.import_module("envcheck.source.parsing").parse
    return parse


def _tree_sitter() -> Any:
    library: Any = importlib.import_module("tree_sitter")
    grammar: Any = importlib.import_module("tree_sitter_python")
    return library.Parser(library.Language(grammar.language()))


def tree_sitter() -> Callable[[str], object]:
    """tree-sitter through py-tree-sitter, the tree left in C."""
    parser = _tree_sitter()
    return lambda text: parser.parse(text.encode())


def tree_sitter_and_walk() -> Callable[[str], object]:
    """The same, and a look at the type and line of every named node through the binding's cursor."""
    parser = _tree_sitter()

    def read(text: str) -> object:
        nodes = _nodes(parser.parse(text.encode()).walk())
        return sum(node.start_point[0] for node in nodes if node.is_named and node.type == "identifier")

    return read


def tree_sitter_and_names() -> Callable[[str], object]:
    """The same, and every dotted name with its place."""
    parser = _tree_sitter()

    def read(text: str) -> object:
        nodes = _nodes(parser.parse(text.encode()).walk())
        return [(node.text.decode(), *node.start_point) for node in nodes if node.type in ("attribute", "identifier")]

    return read


def _nodes(cursor: Any) -> Iterator[Any]:
    """Every node below a cursor, itself first."""
    while True:
        yield cursor.node
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return


def parso() -> Callable[[str], object]:
    """parso, which recovers from errors, without its cache."""
    grammar: Any = importlib.import_module("parso").load_grammar()
    return lambda text: grammar.parse(text, cache=False)


PARSERS = {
    each.__name__: each
    for each in (
        ast_alone,
        ast_without_collector,
        ast_and_walk,
        ast_and_names,
        envcheck_parse,
        tree_sitter,
        tree_sitter_and_walk,
        tree_sitter_and_names,
        parso,
    )
}


def texts(folders: list[str], largest: int) -> list[str]:
    """The source below some folders that Python parses: a fixed random choice of so many bytes."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    random.Random(5).shuffle(paths)  # noqa: S311 - the same choice every time
    chosen, size = [], 0
    for path in paths:
        try:
            text = path.read_text("utf-8")
            ast.parse(text)
        except (ValueError, SyntaxError):
            continue
        chosen.append(text)
        size += len(text.encode())
        if size >= largest:
            break
    return chosen


def measure(name: str, folders: list[str], largest: int) -> None:
    """Prints files, MB, CPU seconds of one parser in this process, and the most memory it took, in MB."""
    import resource  # noqa: PLC0415 - there is none on Windows

    warnings.simplefilter("ignore")
    chosen = texts(folders, largest)
    read = PARSERS[name]()
    read(chosen[0])
    start = time.process_time()
    for text in chosen:
        read(text)
    seconds = time.process_time() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(len(chosen), sum(len(text.encode()) for text in chosen) / 1e6, seconds, most)


OLD = """
def build_{0}(inputs, units, name=None):
    hidden = tf.layers.dense(inputs, units, activation=tf.nn.relu, name=name)
    for index in range(3):
        hidden = tf.layers.dropout(hidden, rate=0.5 * index, training=True)
    print "layer %d of %s" % (index, name), hidden
    loss = tf.reduce_mean(tf.square(hidden - inputs), axis=[0, 1], keep_dims=True)
    tf.summary.scalar("loss", loss, step=tf.constant(index))
    return {{"hidden": hidden, "loss": loss, "units": units}}  # what is asked for

"""
"""A function of Python 2; 200 of them are 2,000 lines with 200 print statements."""


def recovering(runs: int) -> None:
    """Prints what texts that do not parse cost against the same texts in Python 3."""
    parse = envcheck_parse()
    old = "".join(OLD.format(number) for number in range(200))
    new = old.replace('print "', 'print("').replace("), hidden", "), hidden)")
    damaged = new.replace('"units": units', '"units": units units', 20)
    for words, text in (("200 print statements", old), ("20 damaged lines", damaged)):
        figures: dict[str, list[float]] = {new: [], text: []}
        for _ in range(runs * 3):
            for each, seconds in figures.items():
                start = time.process_time()
                parse(each)
                seconds.append(time.process_time() - start)
        plain, recovered = (statistics.median(seconds) for seconds in figures.values())
        lines = text.count("\n")
        print(f"{words} in {lines} lines: {recovered * 1e3:.0f} ms, {recovered / plain:.1f} x the same in Python 3")


def environment(folder: str) -> str:
    """A Python like this one with the other parsers."""
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = str(Path(folder, "bin", "python"))
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *DISTRIBUTIONS], check=True)
    subprocess.run([uv, "pip", "list", "--quiet", "--python", python], check=True)
    return python


def main() -> None:
    """Measure each parser in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--largest", type=int, default=12_000_000, help="bytes of source (parso gets a tenth)")
    parser.add_argument("--only", choices=PARSERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        measure(given.only, given.folders, given.largest)
        return
    figures: dict[str, list[list[float]]] = {name: [] for name in PARSERS}
    with tempfile.TemporaryDirectory() as folder:
        python = environment(folder)
        for _ in range(given.runs):
            for name, seen in figures.items():
                largest = given.largest // 10 if name == "parso" else given.largest
                command = [python, __file__, *given.folders, "--only", name, "--largest", str(largest)]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
                )
                seen.append([float(figure) for figure in done.stdout.split()])
    for name, seen in figures.items():
        files, size = seen[0][:2]
        seconds, most = (statistics.median(run[place] for run in seen) for place in (2, 3))
        print(
            f"{name:24} {size / seconds:6.2f} MB per CPU second ({files:.0f} files, {size:.1f} MB, {most:.0f} MB of memory)"
        )
    recovering(given.runs)


if __name__ == "__main__":
    main()
