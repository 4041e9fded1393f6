"""Part of build.py: in which order a graph is gone through, and what its operations are like. Standard library only."""

from typing import Any, Dict, List, Set

from build_values import Value, bytes_of  # type: ignore[import-not-found]

SUMS = {"AddN", "AddV2", "Add"}


class Step:
    """One operation: where its inputs and outputs lie, and which tensors nobody reads after it."""

    __slots__ = ("dying", "inputs", "operation", "outputs", "sizes", "type", "variant")

    def __init__(self, operation: Any) -> None:
        self.operation = operation
        self.type = str(operation.type)
        self.inputs = [each.name for each in operation.inputs]
        self.outputs = [each.name for each in operation.outputs]
        self.sizes = [bytes_of(each) for each in operation.outputs]
        self.variant = any(str(each.dtype.name) == "variant" for each in operation.outputs)
        self.dying: List[str] = []


class Plan:
    """The operations of a graph that are run, in their order."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph  # kept, so that no other one gets its id
        operations = list(graph.get_operations())
        self.inputs = [each.name for each in getattr(graph, "inputs", ())]
        self.outputs = [each.name for each in getattr(graph, "outputs", ())]
        needed = {each.op.name for each in getattr(graph, "outputs", ())}
        needed |= {each.name for each in getattr(graph, "control_outputs", ())}
        needed |= {each.name for each in operations if each.op_def.is_stateful}
        steps: List[Step] = []
        for operation in reversed(operations):  # TensorFlow takes out what nobody needs
            if operation.name in needed:
                needed.update(each.op.name for each in operation.inputs)
                needed.update(each.name for each in operation.control_inputs)
                steps.insert(0, Step(operation))
        self.steps = steps
        last: Dict[str, int] = {}
        for number, step in enumerate(steps):
            for name in step.outputs + step.inputs:
                last[name] = number
        for name, number in last.items():
            if name not in self.outputs:
                steps[number].dying.append(name)
        self.unread = [name for name in self.inputs if name not in last and name not in self.outputs]
        self.summed = self._summed()

    def _summed(self) -> Set[str]:
        """As the body of a loop: what each round adds to a sum that goes from round to round, as to a weight's gradient."""
        makers = {name: step for step in self.steps for name in step.outputs}

        def source(name: str) -> str:
            while name in makers and makers[name].type == "Identity":
                name = makers[name].inputs[0]
            return name

        found: Set[str] = set()
        for sum_in, sum_out in zip(self.inputs, self.outputs):
            maker = makers.get(source(sum_out))
            if maker is None or maker.type not in SUMS or maker.variant:
                continue
            added = [each for each in maker.inputs if source(each) != sum_in]
            if len(added) < len(maker.inputs):
                found.update(added)
        return found


def function_of(graph: Any, name: str) -> Any:
    """A function that a graph, or one around it, has; None where it has no graph of its own."""
    found = graph._get_function(name)
    return found if hasattr(found, "graph") else None


def stays_a_call(function: Any) -> bool:
    """Whether TensorFlow calls it instead of putting its operations in place of the call: it has several implementations.

    So it is with the LSTM and GRU of Keras 2. A call holds what it is given until it returns.
    """
    definition = getattr(function, "cached_definition", None) or getattr(function, "definition", None)
    return definition is not None and "api_implements" in definition.attr


def copies_nothing(operation: Any, values: List[Value]) -> bool:
    """Whether an operation only shows a part of its input, or the same numbers in another order of dimensions."""
    if operation.type == "Cast":
        return bool(operation.inputs[0].dtype == operation.outputs[0].dtype)
    if operation.type == "StridedSlice":
        sizes = operation.inputs[0].shape, operation.outputs[0].shape
        if any(each.rank is None or None in each.as_list() for each in sizes):
            return False
        whole, part = (each.as_list() for each in sizes)
        shrunk = int(operation.get_attr("shrink_axis_mask")) == 1
        # A part of the first dimension, all of the others.
        same = whole[1:] == (part if shrunk else part[1:])
        return same and len(whole) > 1 and int(operation.get_attr("new_axis_mask")) == 0
    if operation.type == "Transpose" and len(values) > 1 and values[1].known is not None:
        sizes = operation.inputs[0].shape
        order = [int(each) for each in values[1].known]
        if sizes.rank is None:
            return False
        kept = [each for each in order if sizes.as_list()[each] != 1]
        return kept == sorted(kept)
    return False
