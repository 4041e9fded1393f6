"""What one release of Keras refuses and another one takes: told for the target, and for no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from model.test_failures import told
from packaging.version import Version

import envcheck
from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.refusals import Refusals
from envcheck.knowledge.rows import folder

PACKAGE = Path(envcheck.__file__).parent
REFUSALS = Refusals(folder())


def said(code: str, *targets: str) -> list[tuple[str, str]]:
    """Severity and message of each finding."""
    program = f"from tensorflow import keras\nfrom tensorflow.keras import layers\n{code}\n"
    return [
        (severity.value, each.message) for severity, each in told(program, [Target.parse(each) for each in targets])
    ]


def keras(release: str) -> str:
    """A target with this Keras."""
    return f"keras=={release}" if release.startswith("3") else f"tensorflow=={release},keras=={release}"


@pytest.mark.parametrize(
    ("code", "silent", "loud"),
    [
        ("layers.Conv2D(4, 2, strides=2, dilation_rate=2)", "2.11.0", "2.12.0"),
        ("layers.MaxPooling2D(0)", "2.6.0", "2.7.0"),
        ("x = layers.Softmax()(keras.Input(batch_shape=(None,)))", "2.13.0", "2.15.0"),
        ("layers.Discretization()", "3.8.0", "3.9.0"),
        ("layers.Conv2DTranspose(4, 2, output_padding=1)", "3.13.0", "3.14.0"),
        ("layers.ConvLSTM2D(4, 2, strides=2, dilation_rate=2)", "3.13.2", "3.14.1"),
    ],
)
def test_what_a_release_takes_is_no_mistake_there(code: str, silent: str, loud: str) -> None:
    assert said(code, keras(silent)) == []
    ((severity, _),) = said(code, keras(loud))
    assert severity == "error"
    both = [each for each, _ in said(code, keras(silent), keras(loud))]
    assert both == ["error"]


@pytest.mark.parametrize(
    ("code", "release", "severity", "words"),
    [
        ("layers.Conv2D(0, 3)", "2.8.0", "warning", "Keras 2.8.0 makes a tensor without channels; nothing raises here"),
        ("layers.LSTM(0)", "2.10.0", "warning", "Keras 2.10.0 makes a tensor without features; nothing raises here"),
        ("layers.Dense(0)", "3.12.0", "warning", "Keras 3.12.0 makes a tensor without features"),
        ("layers.Dense(-1)", "3.12.0", "warning", "above 0 is expected: Keras 3.12.0 raises when the layer is called"),
        ("layers.Dense(-1)", "3.13.0", "error", "above 0 is expected: Keras 3 raises when the layer is made"),
        (
            "x = layers.Conv2D(4, 3)(keras.Input((2, 8, 1)))",
            "3.3.3",
            "warning",
            "the input comes from Input (line 3): Keras 3.3.3 makes a tensor without elements; nothing raises here",
        ),
        (
            "x = layers.Conv2D(4, 3)(keras.Input((2, 8, 1)))",
            "3.14.0",
            "error",
            "Keras 3 raises when the model is built",
        ),
        (
            "a, b = keras.Input((4,)), keras.Input((4,))\nkeras.Model(a, layers.Dense(2)(b))",
            "3.5.0",
            "warning",
            "among the model's inputs: Keras 3.5.0 raises KeyError when the model is called",
        ),
    ],
)
def test_what_others_make_of_it_is_said(code: str, release: str, severity: str, words: str) -> None:
    ((found, message),) = said(code, keras(release))
    assert found == severity
    assert words in message


def test_two_targets_that_do_not_agree_have_a_finding_each() -> None:
    found = said("layers.Conv2D(0, 3)", keras("2.8.0"), keras("2.9.0"), keras("3.15.1"))
    assert sorted(severity for severity, _ in found) == ["error", "warning"]
    assert any("Keras 2 and Keras 3 raise when" in message for _, message in found)


def test_two_targets_that_take_it_are_told_together() -> None:
    ((severity, message),) = said("layers.Dense(0)", keras("3.3.3"), keras("3.5.0"))
    assert severity == "warning"
    assert "each of Keras 3.3.3 and Keras 3.5.0 makes a tensor without features" in message


def test_tf_keras_counts_as_the_last_keras_2() -> None:
    target = "tensorflow==2.16.2,keras==3.5.0,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1"
    assert [severity for severity, _ in said("layers.Conv2D(0, 3)", target)] == ["error"]


def texts(node: ast.expr) -> Iterator[str]:
    """What an expression may come to, where it is a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def named() -> Iterator[str]:
    """The rows that the rules and the verdicts name."""
    for layer in ("model/layers", "verdicts/models"):
        for path in sorted((PACKAGE / layer).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("refuse", "fault", "positive"):
                    given = [each.value for each in node.keywords if each.arg == "row"]
                    given += [] if getattr(node.func, "id", "") == "fault" else node.args[2:3]
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "row":
                    given = [node.value]
                else:
                    continue
                for each in given:
                    yield from texts(each)


def test_each_row_is_asked_for_and_each_that_is_asked_for_is_there() -> None:
    assert set(named()) == set(REFUSALS.rows)


def test_rows_name_both_sides() -> None:
    for row in REFUSALS.rows.values():
        releases = [Version(each) for each in ("2.6.0", "2.15.0", "3.0.0", "3.15.1")]
        told_apart = {row.holds(each) for each in releases}
        assert told_apart == {True, False}, row.id
        assert row.holds(Version("3.15.1")), f"{row.id}: the newest release refuses it"


def test_a_row_that_says_no_releases_is_damage(tmp_path: Path) -> None:
    (tmp_path / "refusals.yaml").write_text(
        "- id: a\n  mistake: b\n  refused: often\n  known: measured\n  source: [c]\n  checked: 2026-11-21\n"
    )
    with pytest.raises(EnvcheckError, match="often"):
        Refusals(tmp_path)
