"""Data against models: shapes, labels, numbers of samples, types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "works": Severity.NOTE}


@check("MDL301", "data has the shape of the model's inputs", Severity.ERROR)
def shapes(code: Code) -> Iterator[Finding]:
    """The arrays that reach fit, evaluate or predict have another shape than the model's Input: Keras raises.

    Cause: another number of features or another image size, a missing batch axis for one sample, a dataset without batch(),
    one array for a model of several inputs. Keras adds or drops a last axis of size 1 by itself; that is no mistake. Keras 3
    also raises when the same method gets data of another rank than before.

    How to fix: declare keras.Input(x.shape[1:]); x[None] for one sample; dataset.batch(32); a list with one array for each
    input.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (input-shape-mismatch,
    missing-batch-dim-predict, dataset-not-batched, multi-input-single-array).
    """
    for verdict in code.of("model-data"):
        yield _finding(verdict)


@check("MDL302", "labels have the shape that the loss takes", Severity.ERROR)
def labels(code: Code) -> Iterator[Finding]:
    """The labels do not fit the output for this loss: Keras raises in the first step, or broadcasts them in silence.

    Cause: whole numbers with categorical_crossentropy, one-hot labels with sparse_categorical_crossentropy, several units
    with one number for each sample (Keras 2 compares all units with it; Keras 3 raises unless the batch has 1 sample or as many
    as units), a Dense without Flatten before it.

    How to fix: sparse_categorical_crossentropy for whole numbers, categorical_crossentropy for one-hot labels; as many units
    as labels have columns.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (categorical-with-integer-labels,
    sparse-with-onehot-labels, binary-loss-multi-unit, dense-without-flatten).
    """
    for verdict in code.of("model-labels"):
        yield _finding(verdict)


@check("MDL303", "labels name classes that the output has", Severity.ERROR)
def classes(code: Code) -> Iterator[Finding]:
    """Labels go beyond the number of output units: it raises on a CPU, and on a GPU the loss is NaN without a word.

    Cause: the last layer has too few units, or labels begin at 1.

    How to fix: Dense(max(y) + 1), or labels from 0.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (units-less-than-classes);
    https://github.com/tensorflow/tensorflow/issues/52060.
    """
    for verdict in code.of("model-classes"):
        yield _finding(verdict)


@check("MDL304", "x and y have the same number of samples", Severity.ERROR)
def cardinality(code: Code) -> Iterator[Finding]:
    """The arrays of one call differ in their first dimension: Keras raises (data cardinality is ambiguous).

    Cause: x and y were sliced or split differently.

    How to fix: slice all arrays alike.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (cardinality).
    """
    for verdict in code.of("model-cardinality"):
        yield _finding(verdict)


@check("MDL305", "data is of numbers", Severity.ERROR)
def types(code: Code) -> Iterator[Finding]:
    """Text, or a plain list, reaches a model that computes with arrays of numbers: Keras raises when it makes a tensor of it.

    Cause: names of classes as labels, columns of text in a table, numbers written as text. Whole numbers are no mistake:
    Keras casts them. Keras 3 takes no plain lists.

    How to fix: StringLookup or LabelEncoder for names, astype('float32') for numbers, np.array(…) for lists,
    tf.constant([…]) for lists of text: Keras 3 takes no numpy array of text.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (int-dtype-input).
    """
    for verdict in code.of("model-dtype"):
        yield _finding(verdict)


@check("MDL306", "datasets bring their labels themselves", Severity.ERROR)
def datasets(code: Code) -> Iterator[Finding]:
    """y or validation_split is given beside a tf.data.Dataset: Keras raises.

    Cause: a dataset gives (x, y) itself, and cannot be split.

    How to fix: Dataset.from_tensor_slices((x, y)), and take() and skip() for a validation set.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (y-with-dataset).
    """
    for verdict in code.of("model-dataset"):
        yield _finding(verdict)


@check("MDL307", "token numbers have a row in the Embedding", Severity.ERROR)
def tokens(code: Code) -> Iterator[Finding]:
    """Token numbers go beyond input_dim of the Embedding: it raises on a CPU, and on a GPU gives wrong rows without a word.

    Cause: the size of the vocabulary was taken for its largest number, or number 0 was forgotten.

    How to fix: input_dim is the largest number plus one.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (embedding-out-of-range).
    """
    for verdict in code.of("model-tokens"):
        yield _finding(verdict)


@check("MDL308", "data is finite", Severity.WARNING)
def finite(code: Code) -> Iterator[Finding]:
    """The data holds NaN or infinity: every loss and weight becomes NaN, and nothing raises.

    Cause: log(0), a division by 0, missing values.

    How to fix: clean the data; add a small number before log and division.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (nan-inputs-or-log-zero).
    """
    for verdict in code.of("model-nan"):
        yield _finding(verdict)


def _finding(verdict: Verdict) -> Finding:
    name = verdict.symbol.rpartition(".")[2]
    message = f"{name}: {verdict.why}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, SEVERITIES[verdict.runs])
