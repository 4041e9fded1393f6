"""Part of build.py: the memory that a training step needs, from the graph of the step. Standard library only until asked.

TensorFlow's own graph of ``train_step`` is traced, not run, and gone through in its order: a tensor lives from the operation
that makes it to the last one that reads it. What an operation can write over its input (as TensorFlow's kernels do: ReLU, an
addition) takes nothing new. Workspace inside of kernels is not seen, nor what XLA fuses away.
"""

from typing import Any, Dict, List, Set, Tuple

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
}
"""Operations whose outputs are their inputs' memory."""
NOTHING = {"Const", "Placeholder", "ReadVariableOp", "VarHandleOp", "NoOp", "VarIsInitializedOp"}
"""Operations that take no memory of a step: variables and inputs are counted on their own."""
_IN_PLACE = """
Abs Add AddN AddV2 BiasAdd Cast Ceil DivNoNan Elu Exp Expm1 Floor Gelu LeakyRelu Log Log1p LogSoftmax Maximum Minimum Mul
MulNoNan Neg Pow RealDiv Reciprocal Relu Relu6 Round Rsqrt Select SelectV2 Selu Sigmoid Softmax Softplus Softsign Sqrt Square
SquaredDifference Sub Tanh TruncateDiv Xdivy ZerosLike OnesLike
"""
IN_PLACE = set(_IN_PLACE.split())
"""Operations whose kernels write over an input that nobody reads afterwards (``forward_input_or_allocate_output``)."""
MOST_PARTS = 8
"""An addition of more tensors than these is one of an unrolled loop: a gradient that the loop itself adds up in place."""
MOST_STEPS = 160
"""Time steps up to which the loop of a recurrent layer is unrolled to see what it keeps."""


def nbytes(variable: Any) -> int:
    """The bytes of a variable of Keras or of a framework."""
    count = 1
    for size in variable.shape:
        count *= int(size)
    return count * width(variable.dtype)


def width(dtype: Any) -> int:
    """Bytes of one number: 4 for ``float32``; 0 for what has no fixed size."""
    name = str(getattr(dtype, "name", dtype)).replace("torch.", "").replace("_ref", "")
    if name in ("bool", "int8", "uint8"):
        return 1
    digits = "".join(each for each in name.rpartition("float")[2] if each.isdigit()) or "".join(
        each for each in name if each.isdigit()
    )
    if name.startswith("float8"):
        return 1
    return int(digits) // 8 if digits and int(digits) % 8 == 0 else 0


def counted(variables: Any) -> int:
    """The bytes of variables, each once."""
    return sum(nbytes(each) for each in {id(each): each for each in variables}.values())


class Life:
    """The tensors of a graph: their memory, and how long each lives."""

    def __init__(self, graph: Any) -> None:
        self.operations = list(graph.get_operations())
        self.buffer: Dict[str, str] = {}
        self.size: Dict[str, int] = {}
        self.last: Dict[str, int] = {}
        self.unknown: Set[str] = set()
        self.summed: Dict[str, str] = {}
        for number, operation in enumerate(self.operations):
            self._place(number, operation)
        for tensor in getattr(graph, "outputs", None) or ():
            if tensor.name in self.buffer:
                self.last[self.buffer[tensor.name]] = len(self.operations)

    def _place(self, number: int, operation: Any) -> None:
        inputs = [self.buffer[each.name] for each in operation.inputs if each.name in self.buffer]
        for name in inputs:
            self.last[name] = number
            self.summed.pop(name, None)
            if operation.type == "AddN" and len(inputs) > MOST_PARTS:
                self.summed[name] = operation.name
        for index, tensor in enumerate(operation.outputs):
            if operation.type in ALIASES and index < len(operation.inputs):
                source = operation.inputs[index].name
                if source in self.buffer:
                    self.buffer[tensor.name] = self.buffer[source]
            elif operation.type not in NOTHING:
                self.buffer[tensor.name] = tensor.name
                self.size[tensor.name] = self._bytes(tensor, operation)
                self.last[tensor.name] = number

    def _bytes(self, tensor: Any, operation: Any) -> int:
        if str(tensor.dtype.name).startswith("variant"):
            self.unknown.add(operation.type)
            return 0
        each = width(tensor.dtype)
        if tensor.shape.rank is None or any(size is None for size in tensor.shape.as_list()):
            if each:
                self.unknown.add(operation.type)
            return 0
        return int(tensor.shape.num_elements()) * each

    def peak(self) -> int:
        """The most bytes that live at one time."""
        ends: Dict[int, List[str]] = {}
        now = most = 0
        begun: Set[str] = set()
        last, size = dict(self.last), dict(self.size)
        for name, number in last.items():
            ends.setdefault(number, []).append(name)
        for number, operation in enumerate(self.operations):
            made = [each.name for each in operation.outputs if self.buffer.get(each.name) == each.name]
            now += sum(size[name] for name in made)
            if operation.type in IN_PLACE and len(made) == 1:
                for tensor in operation.inputs:
                    over = self.buffer.get(tensor.name)
                    if over is not None and last[over] == number and size[over] == size[made[0]] and over != made[0]:
                        now -= size[over]
                        size[over] = 0
                        break
            most = max(most, now)
            for name in made:
                if (
                    self.summed.get(name) in begun
                ):  # a loop adds to one gradient, round by round; unrolled it would keep them all
                    now -= size[name]
                    size[name] = 0
                elif name in self.summed:
                    begun.add(self.summed[name])
            for name in ends.get(number, ()):
                now -= size[name]
        return most


def traced(tf: Any, model: Any, inputs: Any, targets: Any, batch: int) -> Tuple[int, List[str]]:
    """The most bytes of tensors that one step with ``batch`` samples holds beside the variables, and what is not in it."""

    def spec(array: Any) -> Any:
        return tf.TensorSpec((batch, *array.shape[1:]), array.dtype)

    structure = tf.nest.map_structure(spec, (inputs, targets) if targets is not None else (inputs,))
    step = tf.function(lambda *data: model.train_step(data if targets is not None else data[0]))
    loops = [each for each in layers(model) if hasattr(each, "unroll") and hasattr(each, "return_sequences")]
    before = [(each, each.unroll, getattr(each, "_could_use_gpu_kernel", None)) for each in loops]
    steps = max([int(each.shape[1]) for each in tf.nest.flatten(inputs) if len(each.shape) > 1] or [0])
    try:
        for layer in loops if steps <= MOST_STEPS else ():
            layer.unroll = True
            if hasattr(layer, "_could_use_gpu_kernel"):
                layer._could_use_gpu_kernel = False
        graph = step.get_concrete_function(*structure).graph
    finally:
        for layer, unroll, kernel in before:
            layer.unroll = unroll
            if kernel is not None:
                layer._could_use_gpu_kernel = kernel
    life = Life(graph)
    data = sum(
        int(each.shape.num_elements() or 0) * width(each.dtype)
        for each in tf.nest.flatten(structure)
        if each is not None
    )
    return life.peak() + data, sorted(life.unknown & {"While", "StatelessWhile", "PartitionedCall"})


def layers(model: Any) -> List[Any]:
    """All layers of a model, those inside of others too."""
    flat = getattr(model, "_flatten_layers", None)
    return list(flat()) if flat is not None else list(model.layers)
