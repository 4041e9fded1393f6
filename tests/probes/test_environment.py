"""Environment variables enter through an allow-list of names, whatever else is set."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envcheck.host import Host
from envcheck.probes.environment import NAMES, EnvironmentFacts, collect

SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "HF_TOKEN",
    "CUDA_API_KEY",
    "TF_PASSWORD",
    "KERAS_TOKEN",
    "XLA_FLAGS_SECRET",
    "PATH",
)
NAME = st.sampled_from(NAMES + SECRETS) | st.text(min_size=1)


@given(st.dictionaries(NAME, st.text()))
@example({"xla_flags": "lower case", "XLA_FLAGS ": "space", " XLA_FLAGS": "space", "HF_TOKEN": "hf_x"})
def test_nothing_but_the_allowed_names_gets_in(environ: dict[str, str]) -> None:
    found = collect(Host(environ=environ))
    assert set(found.variables) == set(environ) & set(NAMES)


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"]))))
def test_values_are_kept_as_they_are(environ: dict[str, str]) -> None:
    assert collect(Host(environ=environ)).variables == environ


def test_an_empty_value_is_a_value() -> None:
    found = collect(Host(environ={"CUDA_VISIBLE_DEVICES": ""}))
    assert found.get("CUDA_VISIBLE_DEVICES") == ""
    assert found.get("KERAS_BACKEND") is None


def test_bytes_that_are_no_utf_8_become_text_that_can_be_written() -> None:
    # This is how os.environ hands over PYTHONPATH=/caf\xe9.
    found = collect(Host(environ={"PYTHONPATH": "/caf\udce9"}))
    assert found.variables == {"PYTHONPATH": "/caf?"}
    assert msgspec.json.decode(msgspec.json.encode(found), type=EnvironmentFacts) == found


@pytest.mark.parametrize("word", ["TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"])
def test_no_allowed_name_is_one_of_a_secret(word: str) -> None:
    assert not [name for name in NAMES if word in name.split("_")]


def test_each_name_stands_once() -> None:
    assert len(NAMES) == len(set(NAMES))
