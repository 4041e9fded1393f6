"""Which keywords a class's `**kwargs` accepts, found by trying them.

A signature that ends in `**kwargs` says nothing of `Adam(lr=…)`. Each cheap class is made once with nothing more than it needs
and once more with each keyword: it is *rejected* when that raises and the message names the keyword, *accepted* when
the object's state differs from the plain one's, and *ignored* when it does not. What raises for another reason stays unknown.
The keywords are those that public code passes most to Keras classes, and the argument names of Keras 1.
"""

import logging
import warnings

from . import signatures

# fmt: off
# A value for each keyword, unlike any default.
KEYWORDS = {
    "lr": 0.0321, "learning_rate": 0.0321, "decay": 0.0123, "epsilon": 0.00321, "rho": 0.87, "momentum": 0.77,
    "nesterov": True, "beta_1": 0.81, "beta_2": 0.983, "schedule_decay": 0.0042, "amsgrad": True, "clipnorm": 1.25,
    "clipvalue": 0.55, "global_clipnorm": 1.75, "weight_decay": 0.0456, "use_ema": True, "ema_momentum": 0.93,
    "jit_compile": False, "loss_scale_factor": 4.0, "gradient_accumulation_steps": 2, "is_legacy_optimizer": True,
    "use_locking": True, "name": "envcheck_name", "dtype": "float64", "trainable": False, "weights": [],
    "autocast": False, "dynamic": True, "input_shape": (4,), "batch_input_shape": (3, 4), "batch_size": 3,
    "batch_shape": (3, 4), "input_dim": 4, "input_length": 4, "input_dtype": "int32", "activity_regularizer": "l2",
    "kernel_regularizer": "l2", "output_dim": 3, "init": "zeros", "bias": False, "activation": "tanh",
    "W_regularizer": "l2", "b_regularizer": "l2", "W_constraint": "non_neg", "b_constraint": "non_neg",
    "inner_init": "zeros", "inner_activation": "linear", "forget_bias_init": "ones", "dropout_W": 0.25,
    "dropout_U": 0.25, "nb_filter": 3, "nb_row": 3, "nb_col": 3, "filter_length": 3, "subsample": (2, 2),
    "subsample_length": 2, "border_mode": "same", "dim_ordering": "th", "p": 0.25, "sigma": 0.25, "beta_init": "ones",
    "gamma_init": "zeros", "mode": 0, "concat_axis": 1, "pool_length": 3, "stride": 2, "ret_dict": True,
    "implementation": 1, "time_major": False, "unroll": True, "reset_after": False, "go_backwards": True,
    "sparse": True, "ragged": True, "alpha": 0.4, "negative_slope": 0.35, "max_value": 5.0, "fused": False,
    "renorm": True, "virtual_batch_size": 2, "synchronized": False, "data_format": "channels_first",
    "padding": "same", "groups": 1, "use_bias": False, "interpolation": "bilinear", "mask_zero": True, "seed": 7,
    "rate": 0.4, "noise_shape": (1, 4), "from_logits": True, "reduction": "sum", "axis": 1, "label_smoothing": 0.1,
    "period": 2, "save_freq": 5, "nb_epoch": 2, "write_grads": True, "batch_freq": 3, "embeddings_data": None,
    "wait": 2, "min_delta": 0.02, "num_classes": 3, "thresholds": 0.4, "max_tokens": 11, "vocabulary": None,
    "vocab_size": 11, "standardize": None, "pad_to_max_tokens": True, "factor": 0.3, "scale": 0.3, "offset": 0.2,
    "height": 5, "width": 5, "attention_axes": 1, "lora_rank": 2, "custom_objects": None, "inputs": None,
}
# fmt: on
WITH_SHAPE = (
    "dtype",
    "batch_size",
    "input_dtype",
    "sparse",
    "ragged",
)  # they say something of the input that input_shape makes
NONSENSE = "envcheck_no_such_keyword"
# fmt: off
# What a required parameter is given.
NEEDED = {
    "units": 2, "filters": 2, "nb_filter": 2, "kernel_size": 3, "filter_length": 3, "nb_row": 3, "nb_col": 3,
    "input_dim": 4, "output_dim": 2, "rate": 0.1, "p": 0.1, "stddev": 0.1, "sigma": 0.1, "alpha": 0.1, "n": 2,
    "target_shape": (2, 2), "dims": (2, 1), "axes": 1, "pool_size": 2, "size": 2, "function": abs,
    "lambda_expression": "x", "num_heads": 2, "key_dim": 2, "bin_boundaries": [0.0, 1.0], "height": 4, "width": 4,
    "factor": 0.2, "height_factor": 0.2, "scale": 0.2, "num_bins": 4, "max_tokens": 10, "num_tokens": 4,
    "learning_rate": 0.05, "lr": 0.05, "initial_learning_rate": 0.05, "decay_steps": 4, "decay_rate": 0.5,
    "name": "given", "num_classes": 3, "target_class_ids": [0], "class_id": 0, "thresholds": 0.5, "specificity": 0.5,
    "sensitivity": 0.5, "recall": 0.5, "precision": 0.5, "filepath": "weights.keras", "filename": "log.csv",
    "schedule": abs, "monitor": "loss", "value": 0.5, "feature_names": ["a"], "units_list": [2], "momentum": 0.9,
}
# fmt: on
MODULES = ("layers", "optimizers", "losses", "metrics", "callbacks", "initializers", "regularizers", "constraints")


def run(cls):
    """Try the keywords on one class.

    Returns: {"accepted": [...], "ignored": [...], "rejected": [...], "other": what becomes of a keyword that no release
    ever had}, or None where the class has no `**kwargs` or cannot be made cheaply.
    """
    line = signatures.of_class(cls)
    maker = getattr(cls, "__init__", None)
    wrapped = hasattr(maker, "_original_function")
    if line is None or not (wrapped or any(word.startswith("**") for word in line.split())):
        return None
    given = needed(line)
    if given is None:
        return None
    plain = make(cls, given)
    if isinstance(plain, Failure):
        return None
    noise = differing(state(plain), state(make(cls, given)))
    explicit = {word.strip("*").rstrip("=") for word in line.split()}
    results = {"accepted": [], "ignored": [], "rejected": []}
    for keyword in sorted(KEYWORDS):
        if keyword not in explicit:
            outcome = attempt(cls, given, keyword, KEYWORDS[keyword], plain, noise)
            if outcome:
                results[outcome].append(keyword)
    results["other"] = attempt(cls, given, NONSENSE, 0.0321, plain, noise)
    return results


def needed(line):
    """Arguments for the parameters without a default, or None where one of them has no known cheap value."""
    given = {}
    for word in line.split():
        if word in ("*", "/") or word.startswith("*") or word.endswith("="):
            continue
        if word not in NEEDED:
            return None
        given[word] = NEEDED[word]
    return given


def attempt(cls, given, keyword, value, plain, noise):
    """accepted, ignored, rejected, or None where it cannot be told."""
    made = make(cls, dict(given, **{keyword: value}))
    if isinstance(made, Failure):
        return "rejected" if keyword in made.message else None
    before, after = state(plain), state(made)
    changed = {path for path in differing(before, after) if path not in noise or after.get(path) == "%r" % (value,)}
    if not changed and keyword in WITH_SHAPE and "input_shape" not in given:
        shaped = make(cls, dict(given, input_shape=(4,)))
        if not isinstance(shaped, Failure):
            return attempt(cls, dict(given, input_shape=(4,)), keyword, value, shaped, noise)
    return "accepted" if changed else "ignored"


class Failure:
    """An object that could not be made."""

    def __init__(self, error):
        self.message = "%s" % (error,)


def make(cls, given):
    """An instance, or `Failure`. Warnings are the class's own business here."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cls(**given)
    except Exception as error:  # any refusal is an answer
        return Failure(error)
    finally:
        logging.disable(level)


def state(thing):
    """An object's simple state: its configuration and its plain attributes, {path: text}."""
    flat = {}
    if isinstance(thing, Failure):
        return flat
    try:
        flatten(thing.get_config(), "config", flat, 0)
    except Exception as error:  # a configuration that cannot be had is part of the state
        flat["config"] = type(error).__name__
    try:
        flatten(dict(vars(thing)), "self", flat, 0)
    except TypeError:
        flat["self"] = "slots"
    return flat


def flatten(value, path, flat, depth):
    """Simple values below `value` into `flat`; objects count by their type."""
    if isinstance(value, dict) and depth < 4:
        for key in value:
            flatten(value[key], "%s.%s" % (path, key), flat, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 4:
        flat[path] = "%d" % len(value)
        for place, item in enumerate(value):
            flatten(item, "%s.%d" % (path, place), flat, depth + 1)
    elif value is None or isinstance(value, (bool, int, float, str)):
        text = "%r" % (value,)
        flat[path] = text
    elif not path.rsplit(".", 1)[-1].startswith(("_saved_", "_auto_config", "_lock", "_obj")):
        flat[path] = type(value).__name__


def differing(one, other):
    """The paths on which two states differ, generated names aside."""
    paths = {path for path in set(one) | set(other) if one.get(path) != other.get(path)}
    return {
        path
        for path in paths
        if "_auto_config" not in path
        and "_saved_model_arguments" not in path
        and not path.endswith(("._uid", "._path"))
    }
