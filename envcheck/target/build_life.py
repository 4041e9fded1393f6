"""Part of build.py: how much memory the tensors of a graph hold at one time. Standard library only.

A graph of TensorFlow is gone through in its order as TensorFlow would run it, with sizes in the place of numbers. Functions are
entered, and loops go round as often as they would: what a round puts by for the gradient lies in lists (``TensorList…``) until
the loop of the gradient takes it out again. Memory is given back when nobody holds a tensor any more: CPython counts references
as TensorFlow does, so that a tensor of theirs is an object of ours, and goes with its last holder.

What operations do with their memory is from TensorFlow's kernels: ``tensorflow/core/kernels``, in ``cwise_ops_common.h`` the
writing over an input, in ``list_kernels.h`` the lists, in ``strided_slice_op.cc`` the slices that copy nothing.
"""

from typing import Any, Dict, List, Optional, Set

from build_lists import LISTS, listed  # type: ignore[import-not-found]
from build_plan import Plan, Step, copies_nothing, function_of, stays_a_call  # type: ignore[import-not-found]
from build_values import Value, bytes_of, constant, evaluate, shape  # type: ignore[import-not-found]

ALIASES = {
    "Identity",
    "IdentityN",
    "Reshape",
    "ExpandDims",
    "Squeeze",
    "StopGradient",
    "PreventGradient",
    "CheckNumerics",
    "EnsureShape",
    "Snapshot",
}
"""Operations whose outputs are their inputs' memory."""
NOTHING = {"Const", "Placeholder", "ReadVariableOp", "VarHandleOp", "NoOp", "VarIsInitializedOp"}
"""Operations that take no memory of a step: variables and inputs are counted on their own."""
_IN_PLACE = """
Abs Add AddN AddV2 BiasAdd Ceil DivNoNan Elu EluGrad Exp Expm1 Floor Gelu LeakyRelu LeakyReluGrad Log Log1p LogSoftmax Maximum
Minimum Mul MulNoNan Neg OnesLike Pow RealDiv Reciprocal Relu ReluGrad Relu6 Relu6Grad Round Rsqrt RsqrtGrad Select SelectV2 Selu
SeluGrad Sigmoid SigmoidGrad Softmax Softplus SoftplusGrad Softsign SoftsignGrad Sqrt SqrtGrad Square SquaredDifference Sub Tanh
TanhGrad TruncateDiv Xdivy ZerosLike
"""
IN_PLACE = set(_IN_PLACE.split())
"""Operations whose kernels write over an input that nobody holds afterwards (``forward_input_or_allocate_output``)."""
CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
LOOPS = {"While", "StatelessWhile"}
BRANCHES = {"If", "StatelessIf"}
ATTRIBUTES = ("f", "cond", "body", "then_branch", "else_branch")
"""Where an operation names the functions that it enters."""
ROUND = 256
"""Bytes: TensorFlow's allocator (BFC) gives whole multiples of it."""
MOST_OPERATIONS = 3000000
"""Operations that are gone through in all, some seconds of work; what a loop does after that is not counted."""


class Meter:
    """Bytes held now, and the most that ever were."""

    def __init__(self) -> None:
        self.now = self.most = 0


class Buffer:
    """Memory that tensors share. It is given back when the last of them goes."""

    __slots__ = ("meter", "size")

    def __init__(self, meter: Meter, size: int) -> None:
        self.meter = meter
        self.size = -(-size // ROUND) * ROUND
        meter.now += self.size
        meter.most = max(meter.most, meter.now)

    def __del__(self) -> None:
        """Give it back."""
        self.meter.now -= self.size


class Life:
    """Goes through a graph. ``unknown`` are the operations whose memory could not be told."""

    def __init__(self, graph: Any) -> None:
        self.meter = Meter()
        self.unknown: Set[str] = set()
        self.plans: Dict[int, Plan] = {}
        self.left = MOST_OPERATIONS
        self.waiting: List[Any] = []
        given = [self.made(bytes_of(each) or 0) for each in graph.inputs]
        self.run(graph, given)

    def peak(self) -> int:
        """The most bytes that live at one time, the inputs of the graph among them."""
        return self.meter.most

    def made(self, size: int, known: Any = None) -> Value:
        """A tensor in memory of its own."""
        return Value(Buffer(self.meter, size) if size else None, size, known)

    def run(self, graph: Any, given: List[Value]) -> List[Value]:
        """Go through a graph; what is in ``given`` becomes its own, so that it can let go of it."""
        plan = self.plans.get(id(graph))
        if plan is None:
            plan = self.plans[id(graph)] = Plan(graph)
        held = dict(zip(plan.inputs, given))
        given.clear()
        for name in plan.unread:
            held.pop(name, None)
        self.left -= len(plan.steps)
        for step in plan.steps:
            if step.type != "Placeholder" or step.outputs[0] not in held:
                self.step(graph, plan, step, held)
            for name in step.dying:
                held.pop(name, None)
        return [held.get(name) or Value() for name in plan.outputs]

    def step(self, graph: Any, plan: Plan, step: Step, held: Dict[str, Value]) -> None:
        """Run one operation: its outputs are held afterwards."""
        kind = step.type
        if kind in NOTHING:
            held.update((name, Value(None, size or 0)) for name, size in zip(step.outputs, step.sizes))
            if kind == "Const":
                held[step.outputs[0]].known = constant(step.operation)
            return
        if kind in IN_PLACE and not step.variant:
            self._over_an_input(plan, step, held)
            return
        values = [held.get(name) or Value() for name in step.inputs]
        if kind in CALLS or kind in LOOPS or kind in BRANCHES:
            for name in step.dying:
                held.pop(name, None)
            made = self._entered(graph, step, values)
        elif kind in ALIASES:
            made = values[: len(step.outputs)]
        elif step.variant or kind in LISTS:
            made = listed(self, step, values)
        elif kind in ("Shape", "Size", "Rank"):
            made = [Value(None, 0, shape(step.operation))]
        elif copies_nothing(step.operation, values):
            made = [Value(values[0].buffer, size or 0) for size in step.sizes]
        else:
            made = self._fresh(step, values)
        held.update(zip(step.outputs, made))

    def _fresh(self, step: Step, values: List[Value]) -> List[Value]:
        known = evaluate(step.operation, values)
        return [self.made(self.size(step, number), known) for number in range(len(step.outputs))]

    def size(self, step: Step, number: int = 0) -> int:
        """The bytes of an output; 0, and a mark, where nobody knows them."""
        size: Optional[int] = step.sizes[number]
        if size is None:
            self.unknown.add(step.type)
        return size or 0

    def _over_an_input(self, plan: Plan, step: Step, held: Dict[str, Value]) -> None:
        """An output takes the place of an input of its size that nobody holds any more."""
        values = [held.get(name) or Value() for name in step.inputs]
        known = evaluate(step.operation, values)
        sizes = [each.size for each in values]
        if plan.summed:
            self.waiting.extend(each.buffer for name, each in zip(step.inputs, values) if name in plan.summed)
        del values
        size = step.sizes[0]
        if size is None:  # what is done to each number by itself changes no size
            size = max(sizes or [0])
        for name, each in zip(step.inputs, sizes):
            if each == size and name in step.dying and held.get(name) is not None:
                before = self.meter.now
                del held[name]
                if self.meter.now < before:
                    break
        held[step.outputs[0]] = self.made(size, known)

    def _entered(self, graph: Any, step: Step, values: List[Value]) -> List[Value]:
        """Go through the functions of a call, a loop or a branch."""
        try:
            inner = {
                name: function_of(graph, step.operation.get_attr(name).name)
                for name in ATTRIBUTES
                if name in step.operation.node_def.attr
            }
        except (AttributeError, KeyError, ValueError):  # a release of TensorFlow that keeps them elsewhere
            inner = {}
        if not inner or None in inner.values():
            self.unknown.add(step.type)
            return [self.made(size or 0) for size in step.sizes]
        call = inner.get("f")
        kept = list(values) if call is not None and stays_a_call(call) else []
        inner = {name: each.graph for name, each in inner.items()}
        if step.type in LOOPS:
            return self._loop(step, inner, values)
        if step.type in BRANCHES:
            which = values[0].known
            branches = [inner["then_branch"], inner["else_branch"]]
            del values[0]
            longer = max(branches, key=lambda each: len(each.get_operations()))  # stands for both
            return self.run(longer if which is None else branches[0 if which else 1], values)
        made = self.run(inner["f"], values)
        del kept
        return made

    def _loop(self, step: Step, inner: Dict[str, Any], values: List[Value]) -> List[Value]:
        """Go round.

        TensorFlow has ``parallel_iterations`` rounds under way at a time, and its log of allocations shows what they hold: what
        they add to the gradients of weights is summed only after all of them have made theirs.
        """
        at_a_time = int(step.operation.get_attr("parallel_iterations"))
        outer, self.waiting = self.waiting, []
        rounds = 0
        while True:
            answer = self.run(inner["cond"], list(values))[0].known
            unknown = answer is None or self.left < 0
            if unknown:
                self.unknown.add(step.type)
            if unknown or answer:
                values = self.run(inner["body"], values)
                rounds += 1
            if rounds % at_a_time == 0:
                self.waiting.clear()
            if unknown or not answer:
                self.waiting = outer
                return values
