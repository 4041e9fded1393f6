"""Part of build.py: synthetic inputs and targets of the shapes that a model declares. Standard library only until asked."""

from typing import Any, Dict, List, Optional, Tuple

from build_memory import layers  # type: ignore[import-not-found]
from smoke_steps import Wrong  # type: ignore[import-not-found]

SENSIBLE = 32
"""What is taken for a dimension that a model leaves open (``None``), as for texts or images of any size."""
Spec = Tuple[List[Optional[int]], str]
"""The shape without the batch, and the type."""


def inputs_of(model: Any, given: List[Dict[str, Any]], batch: int) -> Tuple[Any, List[str]]:
    """Arrays for a model as it takes them, and what had to be assumed.

    Raises:
        Wrong: it declares no shape, and none is given; or another number of them.
    """
    struct = getattr(model, "_inputs_struct", None)
    struct = getattr(model, "_nested_inputs", None) if struct is None else struct
    declared = _declared(model)
    if given:
        specs: List[Spec] = [(each["shape"], each["dtype"]) for each in given]
        if declared and len(declared) != len(specs):
            raise Wrong(
                "the model has {}, and --input is given {} times".format(_number(len(declared), "input"), len(specs))
            )
        specs = [
            (shape, dtype or (declared[number][1] if declared else "float32"))
            for number, (shape, dtype) in enumerate(specs)
        ]
    elif declared:
        specs = declared
    else:
        raise Wrong(
            "it declares no input shape; say it without the batch: --input 224,224,3; where it takes a dict, by name: "
            "--input image=224,224,3"
        )
    largest = _vocabulary(model)
    assumed: List[str] = []
    made = [
        array(_closed(shape, number, assumed), dtype, batch, largest) for number, (shape, dtype) in enumerate(specs)
    ]
    names = [each.get("name", "") for each in given]
    if any(names):
        if not all(names) or len(set(names)) < len(names):
            raise Wrong("name every --input, each with its own name, or none of them")
        if isinstance(struct, dict) and set(struct) != set(names):
            raise Wrong("the model's inputs are {}, and --input names {}".format(_listed(struct), _listed(names)))
        return dict(zip(names, made)), assumed
    if isinstance(struct, dict) and len(struct) == len(made):
        # Keras numbers the inputs of a dict in the order of its sorted keys.
        flat = [getattr(each, "name", None) for each in getattr(model, "inputs", ())]
        return {
            key: made[
                flat.index(getattr(struct[key], "name", None)) if getattr(struct[key], "name", 0) in flat else place
            ]
            for place, key in enumerate(sorted(struct))
        }, assumed
    if len(made) == 1 and not isinstance(struct, (list, tuple)):
        return made[0], assumed
    if len(made) == 1 and isinstance(struct, (list, tuple)) and len(struct) == 1:
        return made[0], assumed
    return made, assumed


def _listed(names: Any) -> str:
    return ", ".join(sorted(str(each) for each in names))


def _declared(model: Any) -> List[Spec]:
    try:
        found = list(model.inputs or ())
    except (AttributeError, ValueError):  # Sequential of Keras 3 that is not built has none
        found = []
    specs = [
        ([None if each is None else int(each) for each in tensor.shape[1:]], _name(tensor.dtype)) for tensor in found
    ]
    shape = getattr(model, "_build_input_shape", None)
    if not specs and isinstance(shape, (list, tuple)) and len(shape) > 1 and not isinstance(shape[0], (list, tuple)):
        specs = [([None if each is None else int(each) for each in tuple(shape)[1:]], "float32")]
    return specs


def _closed(shape: List[Optional[int]], number: int, assumed: List[str]) -> List[int]:
    if any(each is None for each in shape):
        assumed.append(
            "input {} leaves dimensions open, {}: {} is taken for each".format(
                number + 1, "({})".format(", ".join(["batch"] + [str(each) for each in shape])), SENSIBLE
            )
        )
    return [SENSIBLE if each is None else each for each in shape]


def _vocabulary(model: Any) -> int:
    """The smallest number of rows among the embeddings; 0 without any."""
    sizes = [getattr(each, "input_dim", None) for each in layers(model) if type(each).__name__ == "Embedding"]
    return min([int(each) for each in sizes if each] or [0])


def map_arrays(change: Any, data: Any) -> Any:
    """The inputs of a model with each array changed."""
    if isinstance(data, dict):
        return {key: map_arrays(change, each) for key, each in data.items()}
    if isinstance(data, (list, tuple)):
        return [map_arrays(change, each) for each in data]
    return change(data)


def array(shape: List[int], dtype: str, batch: int, vocabulary: int) -> Any:
    """Random values of a shape: words' numbers where the model has an embedding, else between 0 and 1."""
    import numpy as np

    random = np.random.RandomState(7)
    full = (batch, *shape)
    if dtype == "string":
        return np.full(full, "some words", dtype=object)
    if dtype == "bool":
        return random.rand(*full) < 0.5
    if vocabulary and len(full) <= 3:
        return random.randint(0, vocabulary, full).astype(dtype)
    if dtype.startswith(("int", "uint")):
        return random.randint(0, 2, full).astype(dtype)
    return random.rand(*full).astype("float32" if dtype == "bfloat16" else dtype)


def chosen_loss(model: Any, outputs: Any) -> Any:
    """A loss that fits each output, for a model that is not compiled."""
    flat = _flat(outputs)
    last = _output_layers(model)
    found = [_loss(last[number] if number < len(last) else None, each) for number, each in enumerate(flat)]
    if len(found) == 1:
        return found[0]
    if isinstance(outputs, dict):
        return dict(zip(outputs, found))
    return found


def _output_layers(model: Any) -> List[Any]:
    """The layer that makes each output, where Keras knows it."""
    try:
        made: List[Any] = [getattr(each, "_keras_history", None) for each in model.outputs or ()]
    except (AttributeError, ValueError):  # a subclassed model of Keras 3 has none
        made = []
    if made and None not in made:
        return [getattr(each, "operation", None) or each[0] for each in made]
    return list(model.layers)[-1:]


def _loss(layer: Any, output: Any) -> str:
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if type(layer).__name__ == "Softmax" or (activation == "softmax" and int(output.shape[-1]) > 1):
        return "sparse_categorical_crossentropy"
    return "binary_crossentropy" if activation == "sigmoid" else "mse"


def targets_of(model: Any, outputs: Any, keras: Any) -> Any:  # noqa: ARG001
    """Targets that fit the outputs and the loss; None where the model has its loss inside (``add_loss``)."""
    loss = getattr(model, "loss", None)
    if loss is None:
        return None if _has_own_loss(model) else _each(outputs, "")
    if isinstance(outputs, dict):
        named = loss if isinstance(loss, dict) else dict.fromkeys(outputs, loss)
        return {key: target(_words(named.get(key)), each) for key, each in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        names = list(getattr(model, "output_names", None) or ())
        if isinstance(loss, dict):
            if set(loss) <= set(names):
                return {name: target(_words(loss.get(name)), each) for name, each in zip(names, outputs)}
            losses = list(loss.values())
        else:
            losses = list(loss) if isinstance(loss, (list, tuple)) else [loss] * len(outputs)
        return [target(_words(one), each) for one, each in zip(losses, outputs)]
    if isinstance(loss, dict) and loss:
        loss = next(iter(loss.values()))
    if isinstance(loss, (list, tuple)) and loss:
        loss = loss[0]
    return target(_words(loss), outputs)


def _has_own_loss(model: Any) -> bool:
    """A loss of its own needs no targets: it was added, or the user's ``train_step`` has it."""
    own = any("train_step" in vars(kind) for kind in type(model).__mro__ if not _keras(kind))
    try:
        return own or bool(model.losses)
    except Exception:  # losses of a model are computed when they are asked for
        return own


def _keras(kind: Any) -> bool:
    return str(kind.__module__).partition(".")[0] in ("keras", "tf_keras", "tensorflow", "builtins")


def _each(outputs: Any, loss: str) -> Any:
    if isinstance(outputs, dict):
        return {key: target(loss, each) for key, each in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return [target(loss, each) for each in outputs]
    return target(loss, outputs)


def target(loss: str, output: Any) -> Any:
    """Random targets for one output: class numbers, one class of several, zeros and ones, or numbers as the loss wants."""
    import numpy as np

    random = np.random.RandomState(11)
    shape = tuple(int(each) for each in output.shape)
    plain = loss.replace("_", "").lower()
    if plain.startswith("sparse"):
        return random.randint(0, max(1, shape[-1]), shape[:-1]).astype("int32")
    if plain.startswith("categorical") and len(shape) > 1:
        return np.eye(shape[-1], dtype="float32")[random.randint(0, shape[-1], shape[:-1])]
    if "binary" in plain or "hinge" in plain:
        return random.randint(0, 2, shape).astype("float32")
    return random.rand(*shape).astype("float32")


def _words(loss: Any) -> str:
    """The name of a loss, however it is given."""
    if isinstance(loss, str):
        return loss
    return str(getattr(loss, "__name__", None) or type(loss).__name__) if loss is not None else ""


def _flat(outputs: Any) -> List[Any]:
    if isinstance(outputs, dict):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _name(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))


def _number(count: int, noun: str) -> str:
    return "{} {}{}".format(count, noun, "" if count == 1 else "s")
