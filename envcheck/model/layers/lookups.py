"""Vocabularies: ``StringLookup``, ``IntegerLookup`` and ``TextVectorization``.

Source: https://keras.io/api/layers/preprocessing_layers/categorical/ and …/text/ ; ``index_lookup.py`` and
``text_vectorization.py`` of both versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from envcheck.model.layers.categories import COUNTING, counted, last_known, mode, plain
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text

_MODES = ("int", *COUNTING, "tf_idf")


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """How many entries there are, out-of-vocabulary and mask among them; None until ``adapt`` was called."""

    size: int | Unknown | None
    padded: int | None

    @property
    def depth(self) -> Dimension:
        """The length of a count."""
        return self.size if self.padded is None else self.padded


def _limits(arguments: Arguments) -> tuple[int | None, int | None]:
    """At most how many entries, and to how many it is filled up."""
    most, pad = arguments["max_tokens"], arguments["pad_to_max_tokens"]
    if most is not None and not isinstance(most, (int, float)):
        raise Unclear
    if most is not None and most <= 1:
        refuse("construction", f"max_tokens={most}: at least 2 is expected")
    if pad and most is None:
        refuse("construction", "pad_to_max_tokens=True needs max_tokens")
    if isinstance(most, float):
        raise Unclear
    return most, most if pad else None


def _vocabulary(arguments: Arguments, how: str, unknown: int, mask: bool) -> _Vocabulary:
    words = arguments.look("vocabulary")
    most, padded = _limits(arguments)
    if words is None:
        return _Vocabulary(None, padded)
    if isinstance(words, Unknown):
        return _Vocabulary(UNKNOWN, padded)  # there may be none
    if how == "tf_idf" and arguments.look("idf_weights") is None:
        refuse("construction", "output_mode='tf_idf' with a vocabulary needs idf_weights")
    if not isinstance(words, (tuple, list)):
        return _Vocabulary(UNKNOWN, padded)
    if any(not isinstance(each, (str, int)) or each in ("", "[UNK]", -1) for each in words) or not words:
        raise Unclear
    if len({str(each) for each in words}) != len(words):
        refuse("construction", "the vocabulary has an entry twice")
    size = len(words) + unknown + (1 if mask and how == "int" else 0)
    if most is not None and size > most:
        refuse("construction", f"a vocabulary of {size} entries with its special ones, and max_tokens={most}")
    return _Vocabulary(size, padded)


def _look_up(arguments: Arguments, call: Call, kind: str) -> Output:
    unknown = arguments["num_oov_indices"]
    how = mode(arguments, _MODES)
    if not isinstance(unknown, int):
        raise Unclear
    if unknown < 0:
        refuse("construction", f"num_oov_indices={unknown}: 0 or more is expected")
    invert = arguments["invert"]
    if invert and how != "int":
        refuse("construction", f"invert=True is only for output_mode='int', not '{how}'")
    if arguments.given("idf_weights") or arguments.given("encoding") or arguments.given("vocabulary_dtype"):
        raise Unclear
    found = _vocabulary(arguments, how, unknown, arguments.look("mask_token") is not None)
    if arguments.keras == 2 or arguments.given("sparse"):
        plain(arguments)
    shape = ranked(call.tensor())
    if arguments.keras == 3:
        return Tensor(shape, "int64") if how == "int" else _promised(shape, how, found)
    other = (call.tensor().dtype == "string") != (kind == "string")
    return _looked_up2(shape, how, found, bool(invert) or other)


def _promised(shape: tuple[Dimension, ...], how: str, found: _Vocabulary) -> Tensor:
    """A count in Keras 3, whose releases do not agree on the shape where a tensor has more axes than a list of words."""
    if len(shape) > 2 or (len(shape) == 2 and how == "one_hot" and last_known(shape) != 1) or len(shape) == 1:
        raise Unclear
    if how == "one_hot" and not (len(shape) > 1 and last_known(shape) == 1):
        return Tensor((*shape, found.depth), "float32")
    return Tensor((*shape[:-1], found.depth), "float32")


def _looked_up2(shape: tuple[Dimension, ...], how: str, found: _Vocabulary, open_dtype: bool) -> Output:
    if how == "tf_idf" or (how != "int" and found.size is None and found.padded is not None):
        raise Unclear
    if how != "int" and found.size is None:
        refuse("call", f"output_mode='{how}' needs a vocabulary: give one, or call adapt(), or pad_to_max_tokens")
    if open_dtype:
        raise Unclear
    if how == "int":
        return Tensor(shape, "int64")
    return Tensor(counted(shape, how, found.depth), "float32")


def _vectorize(arguments: Arguments, call: Call) -> Output:
    """``TextVectorization``. A function for ``standardize`` or ``split`` leaves the shape open."""
    _text_arguments(arguments)
    modes = ("int", "multi_hot", "count", "tf_idf", *(("one_hot",) if arguments.keras == 3 else ()))
    if arguments.keras == 2 and arguments.look("output_mode") is None:
        raise Unclear
    how = mode(arguments, modes)
    length = _length(arguments, how)
    found = _vocabulary(arguments, how, 1, mask=True)
    if arguments.given("sparse") or arguments.given("ragged"):
        raise Unclear
    split = arguments.look("split")
    shape = ranked(call.tensor())
    if arguments.keras == 3:
        return _vectorized3(shape, how, length, split, found)
    if call.tensor().dtype != "string" or split is None or isinstance(split, Unknown):
        raise Unclear
    return _vectorized2(shape, how, length, found)


def _length(arguments: Arguments, how: str) -> int | None:
    """How many words of each text are kept."""
    length = arguments["output_sequence_length"]
    if length is not None and not isinstance(length, int):
        if how != "int":
            raise Unclear
        refuse("construction", f"output_sequence_length={length!r} is not a whole number")
    if how != "int" and length is not None:
        refuse("construction", f"output_sequence_length is only for output_mode='int', not '{how}'")
    return length


def _vectorized2(shape: tuple[Dimension, ...], how: str, length: int | None, found: _Vocabulary) -> Output:
    if len(shape) > 1 and shape[-1] not in (1, UNKNOWN):
        refuse("call", f"texts of shape (batch,) or (batch, 1) are expected: {text(shape)}")
    if len(shape) > 2 or UNKNOWN in shape or how == "tf_idf" or shape[0] is not None:
        raise Unclear
    if how == "int":
        if length is not None and length <= 0:
            raise Unclear
        return Tensor((shape[0], length), "int64")
    if found.size is None and found.padded is None:
        refuse("call", f"output_mode='{how}' needs a vocabulary: give one, or call adapt(), or pad_to_max_tokens")
    if found.size is None:
        raise Unclear
    return Tensor((shape[0], found.depth), "float32")


def _text_arguments(arguments: Arguments) -> None:
    for name, allowed in (
        ("standardize", ("lower_and_strip_punctuation", "lower", "strip_punctuation")),
        ("split", ("whitespace", "character")),
    ):
        value = arguments.look(name)
        if value is not None and not isinstance(value, Unknown) and value not in allowed:
            refuse("construction", f"{name}={value!r} is not one of {', '.join(allowed)}")
    ngrams = arguments["ngrams"]
    whole = isinstance(ngrams, int) or (isinstance(ngrams, tuple) and all(isinstance(each, int) for each in ngrams))
    if ngrams is not None and not whole:
        refuse("construction", f"ngrams={ngrams!r} is not a whole number, or a tuple of them")
    if arguments.keras == 2 and arguments.given("dtype") and arguments.look("dtype") not in ("string", UNKNOWN):
        refuse("construction", f"dtype={arguments.look('dtype')!r}: TextVectorization is of dtype string")


def _vectorized3(
    shape: tuple[Dimension, ...], how: str, length: int | None, split: object, found: _Vocabulary
) -> Output:
    if how == "int":
        if isinstance(length, int) and length < 0:
            refuse("call", f"output_sequence_length={length}: 0 or more is expected")
        return Tensor((shape[0], length), "int64")
    if isinstance(split, Unknown):
        raise Unclear
    if len(shape) > 1 or split is None:
        raise Unclear
    return _promised((*shape, None), how, found)


_TAIL = "idf_weights=None, *, invert=False, output_mode='int', sparse=False, pad_to_max_tokens=False"
_HEAD = "max_tokens=None, num_oov_indices=1, mask_token=None"

RULES = (
    Rule("StringLookup", f"{_HEAD}, oov_token='[UNK]', vocabulary=None, {_TAIL}", partial(_look_up, kind="string")),
    Rule(
        "IntegerLookup",
        f"{_HEAD}, oov_token=-1, vocabulary=None, vocabulary_dtype='int64', {_TAIL}",
        partial(_look_up, kind="int64"),
    ),
    Rule(
        "TextVectorization",
        "max_tokens=None, standardize='lower_and_strip_punctuation', split='whitespace', ngrams=None, output_mode='int', "
        "output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None",
        _vectorize,
    ),
)
