"""Tests on versions: ``tf.__version__ >= "2.0"`` and the many other ways in which people write it."""

from __future__ import annotations

import ast
import re

from envcheck.source.names.uses import Condition
from envcheck.source.names.values import Constant, Test, Value, Version, plain

VERSION = re.compile(r"(?:^|\.)(__version__|VERSION)$")
PARSERS = {"parse", "parse_version", "Version", "LooseVersion", "StrictVersion", "V", "LegacyVersion"}
ABOUT_VERSIONS = re.compile(
    r"tf_?[12](_|$|\d)|_v[12]$|tensorflow_?[12]|is_?tf|tf_?ver|keras_?ver|keras_?[123]$|__version__|version_info|executing_eagerly|"
    r"\bfind_spec|(^|_)(has|have|with|use|using)_?(tf|tensorflow|keras|legacy)|_available$|_installed$|is_keras",
    re.IGNORECASE,
)
"""Names of flags and functions that tell one release from another."""
OPERATORS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def version(value: Value) -> Version | None:
    """A version string as one, where the value is that."""
    if isinstance(value, Version):
        return value
    return Version(value, "text") if isinstance(value, str) and VERSION.search(value) else None


def parsed(function: str, argument: Value) -> Version | None:
    """``version.parse(x)``, ``LooseVersion(x)``, ``int(x.split(".")[0])``, ``tuple(map(int, …))``, ``float(x[:3])``."""
    found = version(argument)
    if found is None:
        return None
    last = function.rpartition(".")[2]
    if last in PARSERS:
        return Version(found.symbol, "parsed")
    forms = {
        ("int", "first"): "major",
        ("int", "second"): "minor",
        ("float", "prefix3"): "float",
        ("str", "text"): "text",
        ("tuple", "numbers"): "tuple",
        ("list", "numbers"): "list",
        ("tuple", "parts"): "parts",
    }
    form = forms.get((last, found.form)) or (
        found.form if last in ("tuple", "list") and found.form.startswith(("numbers", "parts")) else None
    )
    return Version(found.symbol, form) if form else None


def part(value: Version, index: ast.expr) -> Version | None:
    """``x.split(".")[0]``, ``x[0]``, ``x[:3]``, ``version.parse(x).release[:2]``."""
    whole = isinstance(index, ast.Constant) and isinstance(index.value, int)
    number = index.value if whole and isinstance(index, ast.Constant) else None
    if value.form in ("text", "parts") and number in (0, 1):
        if value.form == "text":
            return Version(value.symbol, "first") if number == 0 else None
        return Version(value.symbol, "first" if number == 0 else "second")
    if value.form.startswith("numbers") and number in (0, 1):
        return Version(value.symbol, "major" if number == 0 else "minor")
    if (
        isinstance(index, ast.Slice)
        and index.lower is None
        and index.step is None
        and isinstance(index.upper, ast.Constant)
    ):
        count = index.upper.value
        if isinstance(count, int) and 0 < count < 9:
            form = {"text": "prefix", "parts": "parts", "numbers": "numbers"}.get(value.form)
            return Version(value.symbol, f"{form}{count}") if form else None
    return None


def compared(left: Value, operator: ast.cmpop, right: Value) -> Test | None:
    """A comparison of a version with a literal, either way round."""
    sign = OPERATORS.get(type(operator))
    if sign is None:
        return None
    here, there = version(left), version(right)
    if here is not None and there is None:
        literal = _literal(right)
        return Test(("version", here.symbol, here.form, sign, literal) if literal is not None else ("opaque",))
    if there is not None and here is None:
        literal = _literal(left)
        if sign == "in" and literal is not None:
            return Test(("version", there.symbol, there.form, "holds", literal))
        known = literal is not None and sign in MIRRORED
        return Test(("version", there.symbol, there.form, MIRRORED[sign], literal) if known else ("opaque",))
    return None


def _literal(value: Value) -> object:
    if isinstance(value, Constant) and isinstance(value.value, (str, int, float, tuple)) and plain(value.value):
        return value.value
    return None


def negated(condition: Condition) -> Condition:
    """The opposite."""
    return condition[1] if condition[0] == "not" else ("not", condition)


def hinted(node: ast.expr) -> bool:
    """Whether a test that was not understood is about releases, as far as its names tell."""
    if isinstance(node, ast.Name):
        return ABOUT_VERSIONS.search(node.id) is not None
    if isinstance(node, ast.Attribute):
        return ABOUT_VERSIONS.search(node.attr) is not None or hinted(node.value)
    if isinstance(node, ast.Call):
        return hinted(node.func) or any(hinted(each) for each in node.args)
    if isinstance(node, ast.BoolOp):
        return any(hinted(each) for each in node.values)
    if isinstance(node, ast.Compare):
        return hinted(node.left) or any(hinted(each) for each in node.comparators)
    if isinstance(node, ast.UnaryOp):
        return hinted(node.operand)
    return isinstance(node, ast.Subscript) and hinted(node.value)


def ends(statements: list[ast.stmt]) -> bool:
    """Whether nothing that follows a block is reached from it."""
    if not statements:
        return False
    last = statements[-1]
    if isinstance(last, (ast.Raise, ast.Return, ast.Continue, ast.Break)):
        return True
    if isinstance(last, ast.If):
        return bool(last.orelse) and ends(last.body) and ends(last.orelse)
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        name = ast.unparse(last.value.func)
        return name in (
            "sys.exit",
            "exit",
            "quit",
            "os._exit",
            "pytest.skip",
            "self.skipTest",
            "parser.error",
            "raise_exception",
        )
    return False
