"""Who may import whom (design: probes look, checks judge, reporters speak), read from the source of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import envcheck

PACKAGE = Path(envcheck.__file__).parent
NOUNS = {"inventory", "findings", "links", "versions", "errors", "printable"}
MAY_IMPORT = {
    **dict.fromkeys(NOUNS, NOUNS),
    "checks": NOUNS,
    "reporters": NOUNS | {"reporters", "codec"},
    "registry": NOUNS,
    "engine": NOUNS | {"registry"},
    "chain": NOUNS,
    "codec": NOUNS,
    "knowledge": NOUNS | {"knowledge"},
    "suggestion": NOUNS | {"knowledge", "suggestion"},
    "source": NOUNS | {"source"},
    "model": NOUNS | {"model"},
    "saved": NOUNS | {"saved"},
    "verdicts": NOUNS | {"source", "model", "saved", "knowledge", "verdicts"},
    "target": {"target"},
    "host": NOUNS | {"target", "stopping"},
    "probes": NOUNS | {"probes", "target", "source", "model", "host"},
    "building": NOUNS | {"building", "host", "target", "probes"},
    "cli": {"errors", "printable", "stopping", "__init__"},
    "stopping": {"errors"},
    "__main__": {"cli"},
    "__init__": set(),
}
"""What a layer's modules may import of envcheck when they are imported; ``commands`` may import everything."""
LATER = {"registry": {"checks", "probes"}, "cli": {"commands"}}
"""What they may import besides, inside of functions only."""
FOR_TYPES = {"checks": {"probes", "knowledge", "verdicts", "building"}, "reporters": {"probes"}, "chain": {"probes"}}
"""What they may import besides, under TYPE_CHECKING only."""
PURE = {"checks", "reporters", "engine", "chain", "registry", *NOUNS}
LOOKING = {
    "os",
    "subprocess",
    "socket",
    "platform",
    "pynvml",
    "ctypes",
    "shutil",
    "glob",
    "tempfile",
    "multiprocessing",
}
NEVER = {"tensorflow", "keras", "jax", "torch", "tf_keras", "numpy"}


@dataclass(frozen=True)
class Import:
    """One import of a module, and when it happens: ``start``, ``later`` (in a function) or ``types``."""

    name: str
    line: int
    when: str


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    """The first name below envcheck: ``checks``, ``engine``, ``__init__``."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(tree: ast.AST, when: str = "start") -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        inside = when
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inside = "later"
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for child in node.body:
                yield from imports(ast.Module([child], []), "types")
            for child in node.orelse:
                yield from imports(ast.Module([child], []), when)
            continue
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, when) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            if node.module == "envcheck":
                names = [alias.name for alias in node.names]
                yield from (Import(target_of(name), node.lineno, when) for name in names)
            else:
                yield Import(node.module or "", node.lineno, when)
        else:
            yield from imports(node, inside)


def target_of(name: str) -> str:
    """What ``from envcheck import NAME`` imports: a module, or something that ``__init__`` defines."""
    known = (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
    return f"envcheck.{name}" if known else "envcheck.__init__"


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def wrong(path: Path, tree: ast.Module) -> list[str]:
    """What a module imports against the rules."""
    found = []
    own = layer(path)
    for each in imports(tree):
        parts = each.name.split(".")
        top, reached = parts[0], parts[1] if len(parts) > 1 else "__init__"
        if top == "envcheck" and own != "commands":
            allowed = set(MAY_IMPORT[own])
            allowed |= LATER.get(own, set()) if each.when == "later" else set()
            allowed |= FOR_TYPES.get(own, set()) | {"inventory"} if each.when == "types" else set()
            if reached not in allowed:
                found.append(f"line {each.line}: {own} may not import envcheck.{reached} ({each.when})")
        if own in PURE and top in LOOKING:
            found.append(f"line {each.line}: {own} may not look at the world with {top}")
        if own != "target" and top in NEVER:
            found.append(f"line {each.line}: envcheck's own process never imports {top}")
    return found


each_module = pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))


@each_module
def test_imports_follow_the_layers(path: Path) -> None:
    assert wrong(path, parse(path)) == []


@each_module
def test_nothing_prints_and_nobody_is_told_to_exit(path: Path) -> None:
    if layer(path) == "target" and path.name not in ("runner.py", "ending.py"):
        return  # these are programs of their own
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "input", "exit", "quit", "eval", "exec", "__import__"), node.lineno


@each_module
def test_only_the_registry_and_the_command_line_import_by_name(path: Path) -> None:
    if layer(path) in ("registry", "cli", "commands", "target"):
        return
    assert not [each for each in imports(parse(path)) if each.name == "importlib"]


@each_module
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text))


@each_module
def test_no_module_is_called_a_grab_bag(path: Path) -> None:
    assert not {"utils", "util", "helpers", "common", "base", "manager", "misc"} & set(path.with_suffix("").parts[-3:])


@each_module
def test_scripts_for_the_target_stand_alone(path: Path) -> None:
    if layer(path) == "target" and path.name != "runner.py":  # it runs on our side
        assert not [each for each in imports(parse(path)) if each.name.split(".")[0] == "envcheck"]


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("checks/x.py", "import os"),
        ("checks/x.py", "from envcheck.probes.host import HostFacts"),
        ("checks/x.py", "def f():\n    from envcheck.probes.host import HostFacts"),
        ("checks/x.py", "if TYPE_CHECKING:\n    from envcheck.host import Host"),
        ("checks/x.py", "from envcheck.checks.libc import libc"),
        ("reporters/x.py", "from subprocess import run"),
        ("reporters/x.py", "from envcheck.engine import run"),
        ("engine.py", "try:\n    import socket\nexcept ImportError:\n    pass"),
        ("probes/x.py", "from envcheck.checks import libc"),
        ("probes/x.py", "from envcheck.knowledge.matrix import Matrix"),
        ("probes/x.py", "import tensorflow as tf"),
        ("cli.py", "from envcheck.commands import doctor"),
        ("registry.py", "from envcheck import checks"),
        ("findings.py", "from envcheck import host"),
    ],
)
def test_the_rules_catch(where: str, source: str) -> None:
    assert wrong(PACKAGE / where, ast.parse(source))


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("checks/x.py", "if TYPE_CHECKING:\n    from envcheck.probes.host import HostFacts"),
        ("checks/x.py", "from envcheck.findings import Finding"),
        ("registry.py", "def f():\n    from envcheck import checks"),
        ("probes/x.py", "import os\nfrom envcheck.host import Host"),
        ("commands/x.py", "from envcheck.registry import checks"),
        ("cli.py", "from envcheck import __version__"),
    ],
)
def test_the_rules_let_pass(where: str, source: str) -> None:
    assert wrong(PACKAGE / where, ast.parse(source)) == []
