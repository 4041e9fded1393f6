"""Which strings releases take, and which arguments take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.book import Text
from envcheck.knowledge.api.identifiers import BOOKS, COMPILED, KINDS, Identifiers, Kind
from envcheck.knowledge.api.objects import Objects
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")
IDENTIFIERS = Identifiers(folder() / "api", API.shelf)
OBJECTS = Objects(folder() / "api", API.shelf)
OLD, LAST_2, NEW = (
    Target.parse(text)
    for text in ("tensorflow==1.15.5", "tensorflow==2.15.1,keras==2.15.0", "tensorflow==2.21.0,keras==3.15.1")
)
P, A, U = Status.PRESENT, Status.ABSENT, Status.UNKNOWN


@pytest.mark.parametrize("folder_name", ["identifiers", "objects"])
@pytest.mark.parametrize("title", BOOKS)
def test_the_measured_releases_are_those_of_the_history(title: str, folder_name: str) -> None:
    """Masks of one are asked of the other."""
    measured = Text(folder() / "api" / folder_name / f"{title}.txt")
    assert measured.labels == API.shelf.book(title).labels
    assert measured.versions == API.shelf.book(title).versions


@pytest.mark.parametrize("title", BOOKS)
def test_every_kind_is_there(title: str) -> None:
    assert set(Text(folder() / "api" / "identifiers" / f"{title}.txt").names) == {*KINDS, COMPILED}


@pytest.mark.parametrize(
    ("kind", "text", "root", "target", "status"),
    [
        ("optimizer", "adam", "keras", NEW, P),
        ("optimizer", "ADAM", "keras", NEW, P),
        ("optimizer", "adamw", "tensorflow.keras", NEW, P),
        ("optimizer", "adamw", "tensorflow.keras", Target.parse("tensorflow==2.8.4"), A),
        ("optimizer", "adamax_with_a_twist", "keras", NEW, None),
        ("loss", "mse", "keras", NEW, P),
        ("loss", "kullback_leibler_divergence", "tensorflow.keras", NEW, A),
        ("loss", "kullback_leibler_divergence", "tensorflow.keras", LAST_2, P),
        ("loss", "cosine_proximity", "tensorflow.keras", OLD, P),
        ("loss", "cosine_proximity", "tensorflow.keras", NEW, A),
        ("metric", "accuracy", "keras", NEW, P),
        ("metric", "acc", "tensorflow.keras", OLD, P),
        ("metric", "AUC", "keras", NEW, P),
        ("metric", "fmeasure", "keras", NEW, None),
        ("activation", "mish", "tensorflow.keras", NEW, P),
        ("activation", "mish", "tensorflow.keras", OLD, A),
        ("initializer", "glorot_uniform", "keras", NEW, P),
        ("regularizer", "l2", "keras", NEW, P),
        ("constraint", "non_neg", "keras", NEW, P),
        ("loss", "mse", "keras", OLD, U),  # no keras beside it is named
        ("loss", "mse", "tensorflow.keras", Target.parse("keras==3.15.1"), U),
        ("loss", "kullback_leibler_divergence", "tensorflow.keras", Target.parse("tensorflow==2.16.2,TF_USE_LEGACY_KERAS=1"), P),
        ("loss", "mse\nrelu", "keras", NEW, None),
        ("loss", "", "keras", NEW, None),
        ("loss", "#", "keras", NEW, None),
    ],
)  # fmt: skip
def test_what_is_taken(kind: Kind, text: str, root: str, target: Target, status: Status | None) -> None:
    assert IDENTIFIERS.accepts(kind, text, root, target) is status


@pytest.mark.parametrize(
    ("name", "parameter", "kind"),
    [
        ("tensorflow.keras.Model.compile", "optimizer", "optimizer"),
        ("keras.Model.compile", "loss", "loss"),
        ("keras.Model.compile", "metrics", "metric"),
        ("keras.layers.Dense", "activation", "activation"),
        ("tf_keras.layers.LSTM", "recurrent_activation", "activation"),
        ("keras.layers.LSTM", "recurrent_initializer", "initializer"),
        ("keras.layers.Conv2D", "kernel_regularizer", "regularizer"),
        ("keras.layers.Conv2D", "bias_constraint", "constraint"),
        ("keras.layers.Layer.add_weight", "initializer", "initializer"),
        ("keras.optimizers.get", "identifier", "optimizer"),
        ("keras.layers.Dense", "name", None),
        ("keras.layers.Dense", "units", None),
        ("numpy.array", "activation", None),
    ],
)
def test_which_arguments_take_identifiers(name: str, parameter: str, kind: Kind | None) -> None:
    assert IDENTIFIERS.kind(name, parameter) == kind


def test_positions() -> None:
    assert IDENTIFIERS.at("tensorflow.keras.Model.compile", 1) == ("loss", "loss")
    assert IDENTIFIERS.at("keras.layers.Dense", 1) == ("activation", "activation")
    assert IDENTIFIERS.at("keras.layers.Activation", 0) == ("activation", "activation")
    assert IDENTIFIERS.at("keras.Model.compile", 2) is None  # metrics in Keras 2, loss_weights in Keras 3
    assert IDENTIFIERS.at("keras.layers.Dense", 0) is None


def test_the_rows_agree_with_the_signatures() -> None:
    """A position holds in every release that has the name."""
    for row in IDENTIFIERS.rows.all():
        for name in row.names:
            for one in (name, f"tensorflow.{name}"):
                history = API.history(one)
                if name.endswith("*") or history is None:
                    continue
                calls = {
                    fact.text for found in history.found if found.entry for fact in found.entry.holding("(", found.mask)
                }
                words = [[word.rstrip("=") for word in call.split(" ")] for call in calls if call != "?"]
                assert words
                for parameter, position in row.positions.items():
                    starting = [each[position] for each in words if len(each) > position and each[0][:1] != "*"]
                    assert starting
                    assert set(starting) == {parameter}, name


def test_advice_is_taken_by_the_target() -> None:
    known = IDENTIFIERS.known("loss", "keras", NEW)
    assert "kl_divergence" in known
    assert "kullback_leibler_divergence" not in known
    assert all(IDENTIFIERS.accepts("loss", one, "keras", NEW) is P for one in known)


@pytest.mark.parametrize(
    ("name", "target", "has"),
    [
        ("tensorflow.keras.optimizers.SGD.lr", Target.parse("tensorflow==2.8.4"), True),
        ("tensorflow.keras.optimizers.Optimizer.lr", Target.parse("tensorflow==2.8.4"), True),
        ("tensorflow.keras.optimizers.SGD.lr", NEW, False),
        ("tensorflow.keras.Model.history", NEW, True),
        ("keras.Model.output_shape", NEW, True),
        ("keras.Sequential.predict_classes", NEW, False),
        ("tensorflow.Variable.read_value", NEW, False),
    ],
)
def test_what_objects_have_besides_their_classes(name: str, target: Target, has: bool) -> None:
    assert OBJECTS.has(name, target) is has
    assert bool(OBJECTS.releases(name)) or not has


def test_damage_is_said(tmp_path: Path) -> None:
    (tmp_path / "identifiers").mkdir()
    for title in BOOKS:
        (tmp_path / "identifiers" / f"{title}.txt").write_text("loss 2.0-\n 2.0- mse\n", "ascii")
    with pytest.raises(EnvcheckError, match=r"envcheck's own data is damaged: keras\.txt names no releases"):
        Identifiers(tmp_path, API.shelf).accepts("loss", "mse", "keras", NEW)
