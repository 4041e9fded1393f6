"""Every row of compat_matrix/api/replacements against the history; tests/real runs the examples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.replacements import Replacement, Replacements
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")
REPLACEMENTS = Replacements(folder() / "api" / "replacements", API)
ROWS = list(REPLACEMENTS.rows())
NEWEST = Target(API.shelf.book("tensorflow").versions[-1], API.shelf.book("keras").versions[-1])
KERAS_1 = (
    "keras.models.",
    "keras.initializations",
    "keras.objectives",
    "keras.metrics.",
    "keras.regularizers.",
    "keras.utils.",
)
"""Where names of Keras 1 stand: no recorded release has them."""


def where(row: Replacement) -> str:
    return f"{row.source.path}:{row.source.line}"


def asked(name: str) -> list[str]:
    """The names that a row's name speaks for."""
    name = name.removesuffix(".*")
    return [name, f"tensorflow.{name}"] if name.startswith("keras") else [name]


def test_there_are_rows_for_what_real_code_uses() -> None:
    names = {(name, row.parameter) for row in ROWS for name in row.names}
    assert len(names) > 200
    assert sum(row.parameter is not None for row in ROWS) > 60
    assert sum(bool(row.changed) for row in ROWS) > 10


def test_no_name_has_two_rows() -> None:
    seen = Counter((name, row.parameter, bool(row.changed)) for row in ROWS for name in row.names)
    assert [key for key, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_says_something_that_is_so(row: Replacement) -> None:
    assert row.use or row.note
    if row.use and row.parameter is None:
        assert API.ask(row.use, NEWEST).status in (Status.PRESENT, Status.DEPRECATED), row.use
    for name in row.names:
        histories = [history for one in asked(name) if (history := API.history(one))]
        statuses = {API.ask(one, NEWEST).status for one in asked(name)}
        assert any(one.present or one.unknown for one in histories) or name.startswith(KERAS_1), f"{name} never was"
        if row.changed:
            assert statuses & {Status.PRESENT, Status.DEPRECATED}, f"{name} is gone: that is no silent change"
        elif row.parameter:
            taken = {API.keyword(one, row.parameter, NEWEST).status for one in asked(name)}
            assert Status.PRESENT not in taken, f"{name}({row.parameter}=) is still taken"
            if row.use:
                assert API.keyword(name, row.use, NEWEST).status in (Status.PRESENT, Status.UNKNOWN)
        elif not name.endswith(".*"):
            assert API.ask(asked(name)[0], NEWEST).status is not Status.PRESENT, f"{name} is still there"


@pytest.mark.parametrize(
    ("name", "use", "written"),
    [
        ("keras.backend.dot", "keras.ops.matmul", True),
        ("tf.placeholder", "tensorflow.compat.v1.placeholder", True),
        ("tf.contrib.slim.fully_connected", None, True),
        ("tf.contrib.layers.l2_regularizer", "tensorflow.keras.regularizers.L2", True),
        # A row about keras speaks for tf.keras, and is put into its words where tf.keras has the name.
        ("tf.keras.backend.set_session", None, True),
        ("tf.keras.layers.experimental.preprocessing.Rescaling", "tensorflow.keras.layers.Rescaling", True),
        ("tf_keras.backend.dot", "keras.ops.matmul", True),
        ("keras.engine.topology.Layer", "keras.layers.Layer", True),
        # What the history tells itself: another name of the object, its name in compat.v1, a public name.
        ("tf.igamma", "tensorflow.math.igamma", False),
        ("tf.nn.fused_batch_norm", "tensorflow.compat.v1.nn.fused_batch_norm", False),
        ("keras.layers.rnn.gru.GRU", "keras.layers.GRU", False),
        ("keras.layers.core.Dense", "keras.layers.Dense", True),
    ],
)
def test_what_to_write_instead(name: str, use: str | None, written: bool) -> None:
    history = API.history(name)
    assert history is not None
    advice = REPLACEMENTS.advice(history, NEWEST)
    assert advice is not None
    assert (advice.use, advice.written) == (use, written)
    assert advice.sources


def test_nothing_is_made_up() -> None:
    history = API.history("keras.nosuch.Thing")
    assert history is not None
    assert REPLACEMENTS.advice(history, NEWEST) is None


def test_a_keyword() -> None:
    history = API.history("tf.keras.optimizers.Adam")
    assert history is not None
    row = REPLACEMENTS.written(history, "lr")
    assert row is not None
    assert row.use == "learning_rate"
    changed = REPLACEMENTS.written(history, changed=True)
    assert changed is not None
    assert "keras" in changed.changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- names: [keras.x]\n  use: keras.y\n", "known is missing"),
        ("- names: [keras.x]\n  known: guessed\n  source: [a]\n  checked: 2026-01-01\n", "known: "),
        ("# one\n- names: [K.x]\n  known: measured\n  source: [a]\n  checked: 2026-01-01\n", "a.yaml:2: names"),
        ("- names: [keras.x\n", "no YAML"),
    ],
)
def test_damaged_rows_are_said_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    with pytest.raises(EnvcheckError, match="envcheck's own data is damaged") as caught:
        list(Replacements(tmp_path, API).rows())
    assert said in str(caught.value)


def test_every_row_is_found_by_its_names() -> None:
    for row in ROWS:
        for name in row.names:
            if name.endswith(".*"):
                found = REPLACEMENTS.row_above(f"{name[:-2]}.x")
            else:
                found = REPLACEMENTS.row(name, row.parameter, changed=bool(row.changed))
            assert found is not None, f"{where(row)}: {name}"
            assert name in found.names
