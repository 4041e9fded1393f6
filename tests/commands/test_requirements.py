"""What a project asks for: requirements.txt, pyproject.toml, or a folder with one of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envcheck.commands.requirements import LARGEST, requirements
from envcheck.errors import UsageError
from envcheck.knowledge.choice import PLATFORMS, Platform

LINUX = PLATFORMS["linux-x86_64"]


def read(path: Path, python: str = "3.12", platform: Platform = LINUX) -> tuple[dict[str, str], list[str]]:
    ranges, unread = requirements(path, python, platform)
    return {name: str(wanted) for name, wanted in ranges.items()}, list(unread)


def complaint(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        requirements(path, "3.12", LINUX)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(folder: Path, text: str, name: str = "requirements.txt") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_requirements(tmp_path: Path) -> None:
    text = (
        "# what we train with\n"
        "\n"
        "TensorFlow >= 2.15, < 2.17   # not newer\n"
        "Keras_CV==0.9.*\n"
        "numpy\n"
        'scipy>1; python_version < "3.10"\n'
        'pandas<2; sys_platform == "linux"\n'
        "protobuf \\\n"
        "    <5 \\\n"
        "    --hash=sha256:00 \\\n"
        "    --hash=sha256:11\n"
        "numpy<2\n"
        "tensorflow-text[tests]==2.16.*\n"
    )
    assert read(written(tmp_path, text)) == (
        {
            "tensorflow": "<2.17,>=2.15",
            "keras-cv": "==0.9.*",
            "numpy": "<2",
            "pandas": "<2",
            "protobuf": "<5",
            "tensorflow-text": "==2.16.*",
        },
        [],
    )


def test_every_tensorflow_is_tensorflow(tmp_path: Path) -> None:
    text = "tensorflow-cpu<2.16\ntensorflow>=2.12\ntensorflow_gpu!=2.13.0\n"
    assert read(written(tmp_path, text)) == ({"tensorflow": "!=2.13.0,<2.16,>=2.12"}, [])
    for name in ("tensorflow-macos", "tensorflow_intel", "tensorflow-cpu-aws"):
        assert read(written(tmp_path, f"{name}==2.15.0")) == ({"tensorflow": "==2.15.0"}, [])


def test_markers_are_those_of_the_machine_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, 'numpy<2; platform_system == "Darwin"\nkeras<3; python_version == "3.9"\n')
    assert read(path)[0] == {}
    assert read(path, platform=PLATFORMS["macos-arm64"])[0] == {"numpy": "<2"}
    assert read(path, "3.9")[0] == {"keras": "<3"}


def test_what_is_no_version_range_is_said_not_to_be_looked_at(tmp_path: Path) -> None:
    lines = ["-r other.txt", "-e .", "./local", "/srv/wheels/x.whl", "keras @ https://example.org/keras.zip", "--pre"]
    path = written(tmp_path, "\n".join(["numpy<2", *lines]))
    assert read(path) == ({"numpy": "<2"}, [f"{path}:{number}: {line}" for number, line in enumerate(lines, 2)])


@pytest.mark.parametrize(
    ("text", "number", "word"),
    [
        ("numpy<2\n\nnumpy=>2\n", 3, "numpy=>2"),
        ("numpy 2\n", 1, "numpy 2"),
        ("# first\n<2\n", 2, "<2"),
        ("numpy<2\nkeras \\\n  =3\n", 2, "keras"),
        ('numpy; python_versio < "3"\n', 1, "python_versio"),
        ("\x1b[31mnumpy\n", 1, "numpy"),
        ("numpy==2.x\n", 1, "numpy==2.x"),
        ("numpy==" + "9" * 5000, 1, "numpy==999"),
        ('numpy; sys_platform ~= "win32"', 1, "~="),
        ("é" * 300 + "\n", 1, "é"),
    ],
)
def test_a_line_that_is_no_requirement(tmp_path: Path, text: str, number: int, word: str) -> None:
    path = written(tmp_path, text)
    said = complaint(path)
    assert said.startswith(f"{path}:{number}: this is no requirement: ")
    assert word in said
    assert len(said) < 400 + len(str(path))


def test_an_empty_file_asks_for_nothing(tmp_path: Path) -> None:
    assert read(written(tmp_path, "")) == ({}, [])
    assert read(written(tmp_path, "# nothing\n   \n\\\n")) == ({}, [])


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"\xef\xbb\xbfnumpy<2\r\nkeras \\\r\n  >=3\r\n")
    assert read(path) == ({"numpy": "<2", "keras": ">=3"}, [])
    path.write_bytes(b"numpy<2 \\")  # the file ends where a line should go on
    assert read(path) == ({"numpy": "<2"}, [])


def test_a_pyproject(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "x"\ndependencies = [\n  "tensorflow>=2.15",\n  "numpy<2; python_version < \'3.12\'",\n]\n'
    )
    path = written(tmp_path, text, "pyproject.toml")
    assert read(path) == ({"tensorflow": ">=2.15"}, [])
    assert read(path, "3.11") == ({"tensorflow": ">=2.15", "numpy": "<2"}, [])
    assert read(written(tmp_path, "[tool.other]\n", "pyproject.toml")) == ({}, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[project]\ndependencies = [\n  "numpy",\n  "keras=>3",\n]\n', ":4: this is no requirement: keras=>3"),
        ("[project\n", ": this is no TOML: "),
        ("x = " + "[" * 100_000, ": this is no TOML: "),
        ("x = " + "1" * 5000, ": this is no TOML: "),
        ("[project]\ndependencies = 3\n", ": project.dependencies is no list of requirements"),
        ("[project]\ndependencies = [3]\n", ": project.dependencies is no list of requirements"),
        ("project = 3\n", ": project.dependencies is no list of requirements"),
    ],
)
def test_a_pyproject_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text, "pyproject.toml")
    assert f"{path}{words}" in complaint(path)


def test_a_folder(tmp_path: Path) -> None:
    assert "there is no requirements.txt and no pyproject.toml" in complaint(tmp_path)
    written(tmp_path, '[project]\ndependencies = ["keras"]\n', "pyproject.toml")
    assert read(tmp_path) == ({"keras": ""}, [])
    written(tmp_path, "numpy\n")
    assert read(tmp_path) == ({"numpy": ""}, [])


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert complaint(tmp_path / "gone.txt") == f"cannot read {tmp_path}/gone.txt: No such file or directory"
    assert "cannot read" in complaint(Path("x" * 5000))
    assert "cannot read" in complaint(Path("a\0b"))
    latin = tmp_path / "latin.txt"
    latin.write_bytes("numpy # größer\n".encode("latin-1"))
    assert complaint(latin) == f"{latin}: this is no UTF-8 text"
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"numpy\0<2\n")
    assert complaint(binary).startswith(f"{binary}:1: this is no requirement")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(100 << 20)
    assert complaint(huge) == f"{huge}: larger than {LARGEST >> 20} MiB, the most that is read"


@pytest.mark.skipif(sys.platform == "win32", reason="no FIFOs there")
def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert complaint(fifo) == f"{fifo}: this is no ordinary file"
    assert complaint(Path("/dev/null")) == "/dev/null: this is no ordinary file"
