"""What each release is asked: strings that might be identifiers, and names that an object of a class might have."""

import re
from collections.abc import Iterable

from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.book import Book

MODULES = {
    "optimizer": "optimizers",
    "loss": "losses",
    "metric": "metrics",
    "activation": "activations",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}
"""Each kind of identifier, and the module of Keras whose `get` reads it."""
BOOKS = ("keras", "tensorflow.keras", "tf_keras")
# Short forms and names of Keras 0 and 1 that public code writes and that no module ever had as a name.
KNOWN = {
    "optimizer": ("rmsprop", "nesterov", "momentum", "adam_w", "adamw", "tfoptimizer", "lossscaleoptimizer"),
    "loss": (
        "mse", "mae", "mape", "msle", "bce", "cce", "scce", "ce", "kld", "kl", "nll", "l1", "l2", "crossentropy", "xent",
        "cross_entropy", "binary_cross_entropy", "categorical_cross_entropy", "log_cosh", "logcosh", "cosine", "huber",
        "huber_loss", "kullback_leibler_divergence", "kl_divergence", "cosine_proximity", "smooth_l1", "ctc", "dice",
        "focal_loss", "root_mean_squared_error", "rmse", "multiclass_hinge",
    ),
    "metric": (
        "accuracy", "acc", "Accuracy", "ACC", "mse", "mae", "mape", "msle", "rmse", "auc", "AUC", "precision", "recall",
        "f1", "f1_score", "fscore", "top_k_categorical_accuracy", "top_5_accuracy", "crossentropy", "ce", "fmeasure",
        "fbeta_score", "matthews_correlation", "mean_io_u", "kld", "cosine", "cosine_proximity", "loss", "r2", "r2_score",
    ),
    "activation": (
        "relu", "relu6", "leaky_relu", "leakyrelu", "LeakyReLU", "lrelu", "prelu", "PReLU", "elu", "selu", "gelu", "swish",
        "silu", "mish", "tanh", "sigmoid", "hard_sigmoid", "hard_swish", "hard_silu", "hard_tanh", "softmax", "log_softmax",
        "softplus", "softsign", "exponential", "linear", "identity", "log_sigmoid", "glu", "celu", "squareplus", "threshold",
        "tanh_shrink", "soft_shrink", "sparse_plus", "sparsemax", "hard_shrink", "None", "ThresholdedReLU", "ELU", "ReLU",
        "Softmax",
    ),
    "initializer": (
        "zero", "zeros", "one", "ones", "normal", "uniform", "gaussian", "glorot", "xavier", "he", "lecun", "he_normal",
        "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform", "orthogonal", "identity", "eye",
        "random_normal", "random_uniform", "truncated_normal", "variance_scaling", "constant", "xavier_uniform", "stft",
    ),
    "regularizer": ("l1", "l2", "l1_l2", "l1l2", "L1", "L2", "L1L2", "activity_l1", "activity_l2", "orthogonal"),
    "constraint": (
        "max_norm", "maxnorm", "non_neg", "nonneg", "unit_norm", "unitnorm", "min_max_norm", "radial_constraint",
    ),
}  # fmt: skip
COMPILED = ("accuracy", "acc", "Accuracy", "ACC", "crossentropy", "ce", "cross-entropy", "mse", "auc", "AUC", "loss")
"""Metrics that `compile` may read itself before `metrics.get` does."""
PARTS = ("layers", "optimizers", "callbacks", "losses", "metrics", "models")
"""The modules whose classes' objects are looked at, besides the root's own names."""


def strings(api: Api) -> dict[str, list[str]]:
    """For each kind, all strings to try: every name its module has had in any release, as it is and in other cases."""
    return {kind: sorted(_forms(kind, _names(api, module))) for kind, module in MODULES.items()}


def _names(api: Api, module: str) -> set[str]:
    modules = (module, "layers") if module == "activations" else (module,)
    found = {name.rpartition(".")[2] for book in BOOKS for part in modules for name in api.shelf.book(book).below(part)}
    inner = {name for book in BOOKS for name in api.shelf.book(book).names if name.startswith(f"{module}.")}
    return found | {name.rpartition(".")[2] for name in inner}


def _forms(kind: str, names: Iterable[str]) -> set[str]:
    written = {*names, *KNOWN[kind]}
    return {form for name in written for form in (name, name.lower(), snake(name), name.upper())}


def snake(name: str) -> str:
    """`glorot_normal` for GlorotNormal, as Keras does it.

    >>> snake("BinaryIoU"), snake("L1L2")
    ('binary_io_u', 'l1_l2')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def members(api: Api, title: str, label: str) -> dict[str, list[str]]:
    """For each class that a release has, the names that it or a base of it has in any release, and lacks in this one.

    Args:
        api: the recorded history.
        title: the book, `keras`.
        label: the release's label in it.
    """
    book = api.shelf.book(title)
    bit = book.mask(label)
    found = {}
    for name in book.names:
        module, _, last = name.rpartition(".")
        if not last[:1].isupper() or (module.split(".")[0] not in PARTS and name not in ("Model", "Sequential")):
            continue
        entry = book.entry(name)
        if entry is None or not any(kind == "class" and mask & bit for kind, mask in entry.kinds):
            continue
        now, ever = _members(book, name, bit), _members(book, name, book.everything)
        if ever - now:
            found[name] = sorted(ever - now)
    return found


def _members(book: Book, name: str, mask: int) -> set[str]:
    """The names of members that a class and its bases have in some of the releases."""
    found: set[str] = set()
    todo, seen = [name], set()
    while todo:
        entry = book.entry(todo.pop())
        if entry is None or id(entry) in seen:
            continue
        seen.add(id(entry))
        found.update(member for member, own in entry.members.items() if own.mask & mask)
        bases = [base for fact in entry.holding("<", mask) for base in fact.text.split(" ")]
        aliases = [kind[1:] for kind, releases in entry.kinds if kind.startswith("=") and releases & mask]
        todo += [base for base in [*bases, *aliases] if base[:1] not in "!/"]
    return {member for member in found if not member.startswith("_")}
