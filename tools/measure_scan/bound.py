"""Which names a function binds itself, by Python's rules: those are local to it."""

from __future__ import annotations

import ast

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parameters(arguments: ast.arguments) -> list[str]:
    """All parameter names, with those of `*args` and `**kwargs`."""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [one.arg for one in (*named, arguments.vararg, arguments.kwarg) if one is not None]


def local_names(function: Function) -> frozenset[str]:
    """Parameters and whatever the body binds, less what it declares `global` or `nonlocal`."""
    bound: set[str] = set(parameters(function.args))
    free: set[str] = set()
    if not isinstance(function, ast.Lambda):
        for statement in function.body:
            _collect(statement, bound, free)
    return frozenset(bound - free)


def _collect(node: ast.AST, bound: set[str], free: set[str]) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        bound.add(node.name)
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, _COMPREHENSIONS):
        bound.update(
            inner.target.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name)
        )
        return
    if isinstance(node, ast.Global | ast.Nonlocal):
        free.update(node.names)
    elif isinstance(node, ast.Import):
        bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        bound.update(alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        bound.add(node.id)
    elif (isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name) or (
        isinstance(node, ast.MatchMapping) and node.rest
    ):
        bound.add(str(getattr(node, "name", None) or getattr(node, "rest", None)))
    for child in ast.iter_child_nodes(node):
        _collect(child, bound, free)
