"""Part of build.py: the memory that a training step needs, from the graph of the step. Standard library only until asked.

TensorFlow's own graph of ``train_step`` is traced, not run, and gone through (``build_life.py``). Workspace inside of kernels is
not seen, nor what XLA fuses away, nor the room that the allocator loses between its tensors.
"""

from typing import Any, List, Tuple

from build_life import BRANCHES, CALLS, LOOPS, Life  # type: ignore[import-not-found]
from build_values import width  # type: ignore[import-not-found]

KERNELS_OWN = {"CudnnRNN", "CudnnRNNV2", "CudnnRNNV3"}
"""Operations with memory of their own that no shape tells: what cuDNN keeps of a recurrent layer for its gradient."""


def nbytes(variable: Any) -> int:
    """The bytes of a variable of Keras or of a framework."""
    count = 1
    for size in variable.shape:
        count *= int(size)
    each: int = width(variable.dtype)
    return count * each


def counted(variables: Any) -> int:
    """The bytes of variables, each once."""
    return sum(nbytes(each) for each in {id(each): each for each in variables}.values())


def with_numbers(weights: Any) -> List[Any]:
    """The weights that are tensors: Keras 2 counts the vocabulary of a TextVectorization among them, a table of texts."""
    return [each for each in weights if hasattr(each, "shape")]


def traced(tf: Any, model: Any, inputs: Any, targets: Any, batch: int) -> Tuple[int, List[str]]:
    """The most bytes of tensors that one step with ``batch`` samples holds beside the variables, and what is not in it."""

    def spec(array: Any) -> Any:
        return tf.TensorSpec((batch, *array.shape[1:]), array.dtype)

    structure = tf.nest.map_structure(spec, (inputs, targets) if targets is not None else (inputs,))
    step = tf.function(lambda *data: model.train_step(data if targets is not None else data[0]))
    life = Life(step.get_concrete_function(*structure).graph)
    return life.peak(), sorted(life.unknown & (LOOPS | CALLS | BRANCHES | KERNELS_OWN))


def layers(model: Any) -> List[Any]:
    """All layers of a model, those inside of others too."""
    flat = getattr(model, "_flatten_layers", None)
    return list(flat()) if flat is not None else list(model.layers)
