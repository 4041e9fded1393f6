"""Statements: what each binds, what guards what, functions and classes in the order in which they run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterator
from typing import Any

from envcheck.source.names.conditions import ends, negated
from envcheck.source.names.expressions import ROOTS, Expressions, dotted
from envcheck.source.names.uses import Condition, Export, Reading, Use
from envcheck.source.names.values import (
    Class,
    Constant,
    Function,
    Instance,
    Scope,
    Test,
    Value,
    called,
    lineage,
    merged,
    written,
)

IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "AttributeError", "NameError"}
ANY_ERRORS = {"Exception", "BaseException", "TypeError", "ValueError", "NotImplementedError", "RuntimeError"}
SHORT = 3
"""Statements in a ``try`` whose ``except Exception`` is taken to be about them, not about the run of a whole program."""
MOST_FAILED = 30
NOWHERE = Scope({})


def read(tree: ast.Module, project: Container[str] = frozenset()) -> Reading:
    """The references of a module.

    Args:
        tree: the parsed file.
        project: the first parts of the module names that the scanned project has; relative imports are always its own.

    Returns:
        The reading; columns count UTF-8 bytes, as ``ast`` does.
    """
    return Reader(project).read(tree)


class Reader(Expressions):
    """Reads the statements of one module."""

    def __init__(self, project: Container[str]) -> None:
        super().__init__(project)
        self.waiting: list[Function] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.too_deep: list[int] = []
        self.project_stars: list[str] = []
        self.lazy_annotations = False
        self._statements: dict[type, Callable[[Any], None]] = {
            ast.Expr: lambda node: self.value(node.value),
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.If: self._if,
            ast.Try: self._try,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Return: self._return,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Assert: self._assert,
            ast.Match: self._match,
        }
        if hasattr(ast, "TryStar"):
            self._statements[ast.TryStar] = self._try

    def read(self, tree: ast.Module) -> Reading:
        """Everything in the module."""
        self.block(tree.body)
        while self.waiting:
            self.run(self.waiting.pop(0), {}, None)
        guards = tuple(sorted(self.guards, key=lambda each: self.guards[each]))
        exports = {name: found for name, value in self.module.names.items() if (found := self._export(value))}
        self._forget()
        return Reading(tuple(self.uses), guards, exports, tuple(self.project_stars), tuple(self.too_deep))

    def _forget(self) -> None:
        """Untie what holds each other, so that the syntax tree is freed at once and not by the garbage collector."""
        for function in self.functions:
            function.scope.names.clear()
            function.scope, function.owner = NOWHERE, None
        for each in self.classes:
            each.members.clear()
        self.module.names.clear()
        self._kinds.clear()
        self._statements.clear()

    def _export(self, value: Value) -> Export | None:
        symbol = written(value)
        if symbol is not None:
            return Export("value", symbol)
        if isinstance(value, Class):
            names: set[str] = set()
            bases: list[str | None] = []
            for each in lineage(value):  # what bases of the same file have is its own too
                if isinstance(each, Class):
                    self._look_at(each)
                    names.update(each.members, each.assigned or ())
                else:
                    bases.append(written(each))
            return Export("class", bases=tuple(bases), names=frozenset(names))
        if isinstance(value, Function):
            found = value.returns
            if isinstance(found, Instance):
                found = called(self._base(found.owner))
            return Export("function", written(found) or "") if written(found) else None
        if isinstance(value, Test):
            return Export("condition", test=value.condition)
        return None

    def _base(self, value: Value) -> str | None:
        """The first base outside of the file."""
        found = lineage(value) if isinstance(value, Class) else iter([value])
        return next((written(each) for each in found if not isinstance(each, Class)), None)

    # ---- blocks

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements in order; after ``if old: raise`` the rest runs only where that does not hold."""
        before = self.conditions
        for each in statements:
            handler = self._statements.get(type(each))
            try:
                if handler is not None:
                    handler(each)
                else:
                    self._inner(each)
            except RecursionError:
                self.too_deep.append(each.lineno)
        if self.conditions is not before:
            self.guarded(before)

    def _under(self, condition: Condition | None, statements: list[ast.stmt]) -> None:
        if condition is None:
            self.block(statements)
            return
        before = self.conditions
        self.guarded((*before, condition))
        self.block(statements)
        self.guarded(before)

    def _branches(self, runs: list[tuple[Condition | None, list[ast.stmt]]]) -> None:
        """Blocks of which one runs; after them a name stands for what any of those that go on gave it."""
        before = self.scope.names
        ends_with: list[dict[str, Value]] = []
        for condition, statements in runs:
            self.scope.names = dict(before)
            self._under(condition, statements)
            if not ends(statements):
                ends_with.append(self.scope.names)
        if len(ends_with) == 1:
            self._become(before, ends_with[0])
        elif ends_with:
            names = dict.fromkeys(name for each in ends_with for name in each)
            met = {name: self._met([each[name] for each in ends_with if name in each]) for name in names}
            self._become(before, met)
        else:
            self.scope.names = before

    def _become(self, names: dict[str, Value], after: dict[str, Value]) -> None:
        """The scope keeps its dictionary: classes share it."""
        names.clear()
        names.update(after)
        self.scope.names = names

    def _met(self, values: list[Value]) -> Value:
        first = values[0]
        return first if all(each is first for each in values[1:]) else merged(values)

    def _if(self, node: ast.If) -> None:
        condition = self.test(node.test)
        self._branches([(condition, node.body), (condition and negated(condition), node.orelse)])
        if condition is not None and ends(node.body) and not ends(node.orelse):
            self.guarded((*self.conditions, negated(condition)))
        elif condition is not None and node.orelse and ends(node.orelse):
            self.guarded((*self.conditions, condition))

    def _assert(self, node: ast.Assert) -> None:
        condition = self.test(node.test)
        if node.msg is not None:
            self.value(node.msg)
        if condition is not None:
            self.guarded((*self.conditions, condition))

    def _try(self, node: ast.Try) -> None:
        first, before = len(self.uses), self.scope.names
        caught = self._caught(node)
        self.scope.names = dict(before)
        self._under(("try",) if caught else None, node.body)
        failed = (
            "failed",
            tuple(dict.fromkeys(use.symbol for use in self.uses[first:] if use.how != "set"))[:MOST_FAILED],
        )
        if caught:
            self._under(negated(failed), node.orelse)
        else:
            self.block(node.orelse)
        ended = [] if ends(node.orelse or node.body) else [self.scope.names]
        for handler in node.handlers:
            self.scope.names = dict(before)
            if handler.type is not None:
                self.value(handler.type)
            if handler.name:
                self.scope.names[handler.name] = None
            self._under(failed if caught else None, handler.body)
            if not ends(handler.body):
                ended.append(self.scope.names)
        met: dict[str, Value] = {}
        for name in dict.fromkeys(name for each in ended for name in each):
            values = [each[name] for each in ended if name in each]
            flags = [each.value for each in values if isinstance(each, Constant)]
            if caught and len(flags) == len(values) == 2 and set(map(repr, flags)) == {"True", "False"}:
                met[name] = Test(negated(failed) if flags[0] is True else failed)
            else:
                met[name] = self._met(values)
        self._become(before, met if ended else dict(before))
        self.block(node.finalbody)

    def _caught(self, node: ast.Try) -> bool:
        """Whether the handlers are there for names that a release lacks, and let the program go on."""
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            names = {
                each.attr if isinstance(each, ast.Attribute) else each.id if isinstance(each, ast.Name) else ""
                for each in kinds
                if each
            }
            raises = handler.body and isinstance(handler.body[-1], ast.Raise)
            if names & IMPORT_ERRORS and not raises:
                return True
            if handler.type is None or names & ANY_ERRORS:
                imports = any(isinstance(each, (ast.Import, ast.ImportFrom)) for each in node.body)
                if not raises and (imports or len(node.body) <= SHORT):
                    return True
        return False

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        found = self._first_of(node.iter)
        self.bind(node.target, found)
        self._branches([(None, node.body), (None, [])])
        self.block(node.orelse)

    def _first_of(self, node: ast.expr) -> Value:
        """What a loop over a written-out list of classes or objects runs over."""
        if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) <= 8:
            return merged([self.value(each) for each in node.elts])
        found = self.value(node)
        return called(self.member(found, "__getitem__")) if isinstance(found, (str, tuple)) else None

    def _while(self, node: ast.While) -> None:
        condition = self.test(node.test)
        self._branches([(condition, node.body), (None, [])])
        self.block(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        before = self.conditions
        for item in node.items:
            found = self.value(item.context_expr)
            name = dotted(item.context_expr.func) if isinstance(item.context_expr, ast.Call) else ""
            if name.rpartition(".")[2] in ("suppress", "raises", "assertRaises", "assertRaisesRegex"):
                self.guarded((*self.conditions, ("try",)))
            if item.optional_vars is not None:
                entered = called(self.member(found, "__enter__")) if isinstance(found, (str, tuple)) else found
                self.bind(item.optional_vars, entered)
        self.block(node.body)
        self.guarded(before)

    def _match(self, node: ast.Match) -> None:
        self.value(node.subject)
        runs = [(None, case.body) for case in node.cases]
        for case in node.cases:
            for inner in ast.walk(case.pattern):
                name = getattr(inner, "name", None)
                if isinstance(name, str):
                    self.scope.names[name] = None
            if case.guard is not None:
                self.value(case.guard)
        self._branches([*runs, (None, [])])

    # ---- bindings

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name):
            self._set(target.id, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, None)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for each in target.elts:
                self.bind(each, None)
        elif isinstance(target, ast.Attribute):
            self._set_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            self.value(target.value)
            self.value(target.slice)

    def _set(self, name: str, value: Value) -> None:
        self.scope.outer.get(name, self.scope).names[name] = value

    def _set_attribute(self, target: ast.Attribute, value: Value) -> None:
        owner = self.load(target.value)
        if isinstance(owner, (Instance, Class)):
            members = (owner.owner if isinstance(owner, Instance) else owner).members
            if not isinstance(members.get(target.attr), Function):
                members[target.attr] = (
                    merged([members.get(target.attr), value]) if value is not None else members.get(target.attr)
                )
        elif isinstance(owner, (str, tuple)):
            self.note(self.member(owner, target.attr), target, "set")
            if written(owner) != "tensorflow":
                self.note(owner, target.value, "attribute")

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        pairs = isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, (ast.Tuple, ast.List))
        if pairs and len(target.elts) == len(node.value.elts):  # type: ignore[attr-defined]
            values = [self.value(each) for each in node.value.elts]  # type: ignore[attr-defined]
            for one, value in zip(target.elts, values, strict=True):  # type: ignore[attr-defined]
                self.bind(one, value)
            return
        value = self.value(node.value)
        for each in node.targets:
            self.bind(each, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        kind = self._annotation(node.annotation)
        if node.value is not None:
            self.bind(node.target, self.value(node.value))
        elif isinstance(node.target, ast.Name):
            self._set(node.target.id, kind)

    def _annotation(self, node: ast.expr | None) -> Value:
        """What an annotated name holds; under ``from __future__ import annotations`` nothing in it is run."""
        if node is None:
            return None
        found = self.under(("never",) if self.lazy_annotations else None, node)
        return Instance(found) if isinstance(found, Class) else called(found)

    def _augmented(self, node: ast.AugAssign) -> None:
        self.value(node.value)
        if isinstance(node.target, ast.Name):
            self._set(node.target.id, None)
        else:
            self.bind(node.target, None)

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.outer[name] = self.module

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            scope = self.scope.parent
            while scope is not None and (scope.kind != "function" or name not in scope.names):
                scope = scope.parent
            if scope is not None:
                self.scope.outer[name] = scope

    def _return(self, node: ast.Return) -> None:
        found = self.value(node.value) if node.value is not None else None
        if self.inside:
            self.inside[-1].returns = merged([self.inside[-1].returns, found])

    # ---- imports

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            root, _, _ = alias.name.partition(".")
            known = root in ROOTS
            if known:
                self._imported(alias, alias.name, "import")
            if known or root in self.project:
                whole = alias.name if known else f"@{alias.name if alias.asname else root}:"
                self._set(alias.asname or root, whole if alias.asname or not known else root)
            else:
                self._set(alias.asname or root, None)

    def _imported(self, node: Any, symbol: str, how: str) -> None:
        if "." in symbol or how == "import":
            self.uses.append(self._use(symbol, how, node))

    def _use(self, symbol: str, how: str, node: Any) -> Use:
        end = node.end_col_offset if node.end_lineno == node.lineno else -1
        return Use(symbol, how, node.lineno, node.col_offset, end, self.guard, None)

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        root = module.partition(".")[0]
        if module == "__future__":
            self.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
        own = node.level > 0 or (root in self.project and root not in ROOTS)
        known = node.level == 0 and root in ROOTS
        for alias in node.names:
            if alias.name == "*":
                if known:
                    self._imported(node, module, "import")
                    self.stars.append(module)
                elif own:
                    self.stars.append(f"@{'.' * node.level}{module}")
                    self.project_stars.append(f"{'.' * node.level}{module}")
            elif known:
                symbol = f"{module}.{alias.name}"
                self._imported(alias, symbol, "from")
                self._set(alias.asname or alias.name, symbol)
            elif own:
                self._set(alias.asname or alias.name, f"@{'.' * node.level}{module}:{alias.name}")
            else:
                self._set(alias.asname or alias.name, None)

    # ---- functions and classes

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self.conditions
        for decorator in node.decorator_list:
            condition = self.test(decorator) if not isinstance(decorator, ast.Call) else self._decorator(decorator)
            if condition is not None:
                self.guarded((*self.conditions, condition))
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.value(default)
        self._annotation(node.returns)
        function = Function(node, self.scope, self.conditions)
        self._set(node.name, function)
        self.waiting.append(function)
        self.functions.append(function)
        self.guarded(before)

    def _decorator(self, node: ast.Call) -> Condition | None:
        """``@unittest.skipIf(tf.__version__ < "2", …)`` guards; every other one is only read."""
        first = len(self.uses)
        self.value(node)
        name = dotted(node.func).lower()
        about = any("__version__" in use.symbol for use in self.uses[first:])
        return ("opaque",) if "skip" in name or ("parameterize" in name and about) else None

    def call_function(self, function: Function, arguments: list[Value], named: dict[str, Value], me: Value) -> Value:
        """What calling a function of the file gives; its body is read with what the first call gives it."""
        if function.state == "waiting":
            names = [each.arg for each in [*function.node.args.posonlyargs, *function.node.args.args]]
            bound = isinstance(me, Instance) and function.owner is not None
            given = dict(zip(names[1:] if bound else names, arguments, strict=False))
            given.update(named)
            function.guards = tuple(dict.fromkeys([*function.guards, *self.conditions]))
            self.run(function, given, me)
        return function.returns

    def run(self, function: Function, given: dict[str, Value], me: Value) -> None:
        """Read the body of a function, once."""
        if function.state != "waiting":
            return
        function.state = "running"
        kept = self.scope, self.conditions
        self.scope = Scope({}, function.scope, "function")
        self.guarded(function.guards)
        self._parameters(function, given, me)
        self.inside.append(function)
        self.block(function.node.body)
        self.inside.pop()
        self.scope = kept[0]
        self.guarded(kept[1])
        function.state = "read"

    def _parameters(self, function: Function, given: dict[str, Value], me: Value) -> None:
        arguments = function.node.args
        places = [*arguments.posonlyargs, *arguments.args]
        defaults: dict[str, ast.expr | None] = dict(
            zip([each.arg for each in places][len(places) - len(arguments.defaults) :], arguments.defaults, strict=True)
        )
        defaults.update(
            (each.arg, default) for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        )
        for each in [*places, *arguments.kwonlyargs]:
            kind = self._annotation(each.annotation)
            default = defaults.get(each.arg)
            fallback = (
                Constant(default.value)
                if isinstance(default, ast.Constant) and not isinstance(default.value, (bytes, complex))
                else None
            )
            self.scope.names[each.arg] = given.get(each.arg) or kind or fallback
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                self._annotation(extra.annotation)
                self.scope.names[extra.arg] = None
        if function.owner is not None and places:
            marks = {dotted(mark) for mark in function.node.decorator_list}
            if "classmethod" in marks:
                self.scope.names[places[0].arg] = function.owner
            elif "staticmethod" not in marks:
                self.scope.names[places[0].arg] = me if isinstance(me, Instance) else Instance(function.owner)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        bases = []
        for base in node.bases:
            found = self.load(base)
            self.note(found, base, "base")
            bases.append(found)
        for keyword in node.keywords:
            self.value(keyword.value)
        found = Class(node, bases, {})
        self.classes.append(found)
        self._set(node.name, found)
        self.scope = Scope(found.members, self.scope, "class")
        first = len(self.waiting)
        self.block(node.body)
        found.members = self.scope.names
        self.leave()
        own = [each for each in self.waiting[first:] if each.scope.names is found.members]
        for each in own:
            each.owner = found
        own.sort(key=lambda each: each.node.name != "__init__")
        others = [each for each in self.waiting[first:] if each not in own]
        self.waiting[first:] = [*own, *others]

    def assigned(self, owner: Class, name: str) -> bool:
        """Whether a method of the class assigns the attribute; the method is read then, so that its value is known."""
        self._look_at(owner)
        methods = (owner.assigned or {}).get(name)
        if methods is None:
            return False
        for method in methods:
            function = owner.members.get(method)
            if isinstance(function, Function) and len(self.inside) < 20:
                self.run(function, {}, None)
        return True

    def _look_at(self, owner: Class) -> None:
        """Which methods assign which attributes on their first parameter."""
        if owner.assigned is not None:
            return
        found: dict[str, list[str]] = {}
        for method in owner.node.body:
            if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            places = [*method.args.posonlyargs, *method.args.args]
            if not places:
                continue
            for name in stored(method.body, places[0].arg):
                found.setdefault(name, []).append(method.name)
        owner.assigned = found


def stored(statements: list[ast.stmt], me: str) -> Iterator[str]:
    """The attributes that statements assign on a name, in blocks of all depths; expressions cannot, so they are not entered."""
    for each in statements:
        for target in _targets(each):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == me:
                yield target.attr
        for name in ("body", "orelse", "finalbody"):
            yield from stored(getattr(each, name, None) or [], me)
        for inner in [*getattr(each, "handlers", ()), *getattr(each, "cases", ())]:
            yield from stored(inner.body, me)


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement assigns to, the parts of tuples one by one."""
    if isinstance(statement, (ast.Assign, ast.Delete)):
        left = list(statement.targets)
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
        left = [statement.target]
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        left = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    else:
        return
    while left:
        target = left.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            left.extend(target.elts)
        else:
            yield target
