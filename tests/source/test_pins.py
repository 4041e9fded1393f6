"""What a project's own files ask of TensorFlow and Keras; bad files give one line each and no traceback."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcheck.source.pins import LARGEST, MOST, Pin, pins


def told(folder: Path, files: dict[str, str | bytes]) -> tuple[list[str], list[str]]:
    """Pins as "file:line name range [group] marker", and what was not read as "file: reason"."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    found, unread = pins(folder)
    return [shown(pin, folder) for pin in found], [f"{inside(each.path, folder)}: {each.reason}" for each in unread]


def shown(pin: Pin, folder: Path) -> str:
    group = f"[{pin.group}]" if pin.group else ""
    words = (f"{inside(pin.path, folder)}:{pin.line}", pin.distribution, pin.specifier, group, pin.marker)
    return " ".join(filter(None, words))


def inside(path: str, folder: Path) -> str:
    return path.removeprefix(f"{folder.as_posix()}/")


def lines(folder: Path, name: str, text: str) -> list[str]:
    """The pins of one file that has nothing unreadable, without its name."""
    found, unread = told(folder, {name: text})
    assert unread == []
    return [each.removeprefix(f"{name}:") for each in found]


# --- requirements files


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tensorflow==2.4.1", "tensorflow ==2.4.1"),
        ("TensorFlow_GPU >= 2.4, < 2.9  # not newer", "tensorflow-gpu <2.9,>=2.4"),
        ("tensorflow[and-cuda]~=2.15.0 --hash=sha256:00", "tensorflow ~=2.15.0"),
        ('keras<3; python_version < "3.9"', 'keras <3 python_version < "3.9"'),
        ("tf_keras", "tf-keras"),
        ("tensorflow==2.4.1 --no-binary :all:", "tensorflow ==2.4.1"),
        ("tensorflow=2.4.1=pypi_0", "tensorflow ==2.4.1"),
        (
            "keras @ https://example.org/w/keras-2.3.1-py2.py3-none-any.whl ; os_name == 'nt'",
            "keras ==2.3.1 os_name == 'nt'",
        ),
        (
            "https://example.org/tensorflow/linux/cpu/tensorflow-0.12.0rc0-cp27-none-linux_x86_64.whl",
            "tensorflow ==0.12.0rc0",
        ),
        ("https://example.org/p/Keras-2.1.6.tar.gz#sha256=00", "keras ==2.1.6"),
        ("./wheels/tensorflow-2.4.1+nv20.12-cp38-cp38-linux_x86_64.whl", "tensorflow ==2.4.1+nv20.12"),
    ],
)
def test_a_requirement(tmp_path: Path, line: str, said: str) -> None:
    assert lines(tmp_path, "requirements.txt", f"numpy\n{line}\n") == [f"2 {said}"]


@pytest.mark.parametrize(
    "line",
    [
        "# tensorflow==2.4.1",
        "tf-nightly==2.5.0.dev20210101",
        "tensorflow-text==2.4",
        "keras-cv",
        "--find-links https://example.org/tensorflow",
        "git+https://example.org/tensorflow/models.git",
        "https://example.org/tensorflow/tensorflow_text-2.4-cp38-cp38-any.whl",
        "numpy=1.19",
        "",
    ],
)
def test_what_asks_for_neither(tmp_path: Path, line: str) -> None:
    assert lines(tmp_path, "requirements.txt", line) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tensorflow=2.4", "line 1: this is no requirement: tensorflow=2.4"),
        ("tensorflow>=2.*", "line 1: this is no requirement: tensorflow>=2.*"),
        (
            "git+https://example.org/keras-team/keras.git@v2#egg=Keras",
            "line 1: its address does not tell which version",
        ),
        ("-e git+ssh://git@example.org/x/tf-keras.git", "line 1: its address does not tell which version"),
        ("https://example.org/keras-team/keras/archive/master.zip", "line 1: its address does not tell which version"),
        (f"tensorflow=={'9' * 5000}", "line 1: a requirement of more than 2000 characters"),
        (f"tensorflow; {'(' * 1000}", "line 1: "),
        (f"keras=={'1' * 1900}", None),
    ],
)
def test_what_cannot_be_told(tmp_path: Path, line: str, said: str | None) -> None:
    found, unread = told(tmp_path, {"requirements.txt": line})
    if said is not None:
        assert found == []
        assert [each[: len(said) + 18] for each in unread] == [f"requirements.txt: {said}"]
    assert all("\n" not in each and len(each) < 300 for each in unread)


def test_continued_lines_and_hashes(tmp_path: Path) -> None:
    text = "numpy \\\n  ==1.19\ntensorflow \\\n    >=2.4 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nkeras"
    assert lines(tmp_path, "requirements.txt", text) == ["3 tensorflow >=2.4", "7 keras"]


def test_files_that_name_others(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a/requirements.txt": "-r more/gpu.txt\n--requirement=../outside.txt\n-cpins.txt\n-r gone.txt\n-r requirements.txt\n",
        "a/more/gpu.txt": "tensorflow-gpu==1.15.5\n-r ../requirements.txt\n",
        "a/pins.txt": "keras==2.2.4\n",
        "outside.txt": "tf-keras\n-r https://example.org/r.txt\n",
    }
    told(tmp_path, files)
    found, unread = told(tmp_path / "a", {})
    assert found == [
        "more/gpu.txt:1 tensorflow-gpu ==1.15.5",
        "pins.txt:1 keras ==2.2.4",
        f"{tmp_path.as_posix()}/outside.txt:1 tf-keras",
    ]
    assert unread == [
        "gone.txt: cannot be read: No such file or directory",
        f"{tmp_path.as_posix()}/outside.txt: line 2: 'https://example.org/r.txt' is not followed: it is no file here",
    ]


def test_names_of_files(tmp_path: Path) -> None:
    taken = [
        "requirements.txt",
        "requirements-gpu.txt",
        "requirements.dev.txt",
        "requirements2.txt",
        "dev-requirements.txt",
    ]
    taken += [
        "requirements/base.txt",
        "requirements/base.in",
        "constraints.txt",
        "requirements.in",
        "docker/requirements.txt",
    ]
    passed = ["myrequirements.txt", "requirements.md", "readme.txt", "requirementsx.txt", "docs/requirements.txt"]
    found, unread = told(tmp_path, dict.fromkeys([*taken, *passed], "keras"))
    assert found == sorted(f"{name}:1 keras" for name in taken)
    assert unread == []


def test_encodings(tmp_path: Path) -> None:
    text = "tensorflow==2.4.1\r\nkeras\r\n"
    files: dict[str, str | bytes] = {
        "requirements-a.txt": text.encode("utf-16"),
        "requirements-b.txt": text.encode("utf-8-sig"),
        "requirements-c.txt": b"# \xe9\r\n" + text.encode(),
    }
    found, unread = told(tmp_path, files)
    assert found == [
        "requirements-a.txt:1 tensorflow ==2.4.1",
        "requirements-a.txt:2 keras",
        "requirements-b.txt:1 tensorflow ==2.4.1",
        "requirements-b.txt:2 keras",
        "requirements-c.txt:2 tensorflow ==2.4.1",
        "requirements-c.txt:3 keras",
    ]
    assert unread == []


# --- pyproject.toml and Pipfile


def test_the_standard_s_tables(tmp_path: Path) -> None:
    text = """[project]
dependencies = ["numpy",
    "tensorflow>=2.4,<2.16; sys_platform != 'darwin'",
    "tensorflow-macos", "keras"]
[project.optional-dependencies]
old = ["keras"]
[dependency-groups]
test = ["tf-keras", {include-group = "docs"}]
docs = ["keras~=2.4"]
"""
    assert lines(tmp_path, "pyproject.toml", text) == [
        '3 tensorflow <2.16,>=2.4 sys_platform != "darwin"',
        "4 keras",
        "4 tensorflow-macos",
        "6 keras [old]",
        "8 tf-keras [test]",
        "9 keras ~=2.4 [docs]",
    ]


def test_the_tables_of_tools(tmp_path: Path) -> None:
    text = """[tool.pdm.dev-dependencies]
test = ["tensorflow==2.8.4"]
[tool.uv]
dev-dependencies = ["keras==2.8.0"]
constraint-dependencies = ["tensorflow<2.9"]
[tool.hatch.envs.gpu]
dependencies = ["tensorflow-gpu"]
"""
    assert lines(tmp_path, "pyproject.toml", text) == [
        "2 tensorflow ==2.8.4 [test]",
        "4 keras ==2.8.0 [dev]",
        "5 tensorflow <2.9",
        "7 tensorflow-gpu [gpu]",
    ]


@pytest.mark.parametrize(
    ("range_", "said"),
    [
        ('"^2.4"', ">=2.4,<3"),
        ('"^2.4.1"', ">=2.4.1,<3"),
        ('"^0.12.1"', ">=0.12.1,<0.13"),
        ('"^0.0.3"', ">=0.0.3,<0.0.4"),
        ('"^0.0"', ">=0.0,<0.1"),
        ('"^0"', ">=0,<1"),
        ('"~2.4.1"', ">=2.4.1,<2.5"),
        ('"~2.4"', ">=2.4,<2.5"),
        ('"~2"', ">=2,<3"),
        ('"~=2.4.1"', "~=2.4.1"),
        ('"2.4.1"', "==2.4.1"),
        ('"2.*"', "==2.*"),
        ('"*"', ""),
        ('">=2.4 <2.9"', ">=2.4,<2.9"),
        ('"^2.4, !=2.5.0"', ">=2.4,<3,!=2.5.0"),
        ('{version = "^2.4", optional = true, python = "<3.9"}', ">=2.4,<3 python <3.9"),
        (
            '{version = "2.4.1", markers = "os_name == \'nt\'", platform = "win32"}',
            "==2.4.1 os_name == 'nt' and platform win32",
        ),
    ],
)
def test_ranges_of_poetry(tmp_path: Path, range_: str, said: str) -> None:
    text = f'[tool.poetry.dependencies]\npython = "^3.8"\ntensorflow-probability = "^0.1"\nTensorFlow = {range_}\n'
    (found,), unread = told(tmp_path, {"pyproject.toml": text})
    assert unread == []
    words = found.removeprefix("pyproject.toml:4 tensorflow").strip().split(" ", 1)
    wanted = said.split(" ", 1)
    assert set(words[0].split(",")) == set(wanted[0].split(","))
    assert words[1:] == wanted[1:]


def test_tables_of_poetry(tmp_path: Path) -> None:
    text = """[tool.poetry.dev-dependencies]
keras = "2.4.3"
[tool.poetry.group.gpu.dependencies]
keras = [{version = "2.4.3", python = "<3.9"}, {version = "^3.0", python = ">=3.9"}]
[tool.poetry.dependencies.tensorflow]
version = "^2.4"
"""
    assert lines(tmp_path, "pyproject.toml", text) == [
        "2 keras ==2.4.3 [dev]",
        "4 keras <4,>=3.0 [gpu] python >=3.9",
        "4 keras ==2.4.3 [gpu] python <3.9",
        "5 tensorflow <3,>=2.4",
    ]


def test_requirements_that_setuptools_reads(tmp_path: Path) -> None:
    text = '[tool.setuptools.dynamic]\ndependencies = {file = ["deps.txt"]}\noptional-dependencies.gpu = {file = "gpu.txt"}\n'
    found, unread = told(tmp_path, {"pyproject.toml": text, "deps.txt": "keras", "gpu.txt": "tensorflow"})
    assert (found, unread) == (["deps.txt:1 keras", "gpu.txt:1 tensorflow"], [])


def test_a_pipfile(tmp_path: Path) -> None:
    text = """[packages]
tensorflow = "==2.4.1"
keras = {version = "*", sys_platform = "== 'linux'"}
[dev-packages]
tf-keras = "~=2.16"
"""
    assert lines(tmp_path, "Pipfile", text) == [
        "2 tensorflow ==2.4.1",
        "3 keras sys_platform == 'linux'",
        "5 tf-keras ~=2.16 [dev]",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# keras\n[project\n", "this is no TOML that can be read: line 2: "),
        ("keras = " + "[" * 100_000, "this is no TOML that can be read: nested too deep"),
        (
            "keras" + ".a" * 100_000 + " = 1",
            "this is no TOML that can be read: line 1: a dotted key of more than 50 parts",
        ),
        ("project.dependencies = 'keras'", "project.dependencies is no list of requirements"),
        ("tool.poetry.dependencies = ['keras']", "tool.poetry.dependencies is no table of requirements"),
        ("[project]\ndependencies = [1, 'keras>>1']", "line 2: this is no requirement: keras>>1"),
        ("[tool.poetry.dependencies]\nkeras = '^2 || ^3'", "line 2: keras: these versions are not one range: ^2 || ^3"),
        ("[tool.poetry.dependencies]\nkeras = '^x'", "line 2: keras: this is no range of versions: ^x"),
        ("[tool.poetry.dependencies]\nkeras = 3", "line 2: keras: this is neither a range of versions nor a table"),
        (
            "[tool.poetry.dependencies]\nkeras = {git = 'x'}",
            "line 2: keras: it comes from a git, which does not tell the version",
        ),
        ("[tool.poetry.dependencies]\nkeras = {optional = true}", "line 2: keras: no version is given"),
    ],
)
def test_what_is_wrong_with_a_pyproject(tmp_path: Path, text: str, said: str) -> None:
    found, unread = told(tmp_path, {"pyproject.toml": text})
    assert found == []
    assert [each[: len(said) + 16] for each in unread] == [f"pyproject.toml: {said}"]


@pytest.mark.parametrize(
    "text", ["tool = 3", "project = 'keras'", "[project]\nname = 'keras'", "[tool.poetry.group]\nkeras = 3"]
)
def test_odd_shapes_that_ask_for_nothing(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, {"pyproject.toml": text}) == ([], [])


# --- setup.cfg and setup.py


def test_setup_cfg(tmp_path: Path) -> None:
    text = """[metadata]
name = keras
[options]
install_requires =
    numpy
    tensorflow>=2.4; python_version < "3.9"
    # keras
    keras==2.4.3  # old
[options.extras_require]
gpu = tensorflow-gpu; keras
"""
    assert lines(tmp_path, "setup.cfg", text) == [
        '6 tensorflow >=2.4 python_version < "3.9"',
        "8 keras ==2.4.3",
        "10 keras [gpu]",
        "10 tensorflow-gpu [gpu]",
    ]


def test_setup_cfg_that_names_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"setup.cfg": "[options]\ninstall_requires = file: a.txt, b.txt\n"}
    assert told(tmp_path, files | {"a.txt": "keras", "b.txt": "tensorflow"})[0] == [
        "a.txt:1 keras",
        "b.txt:1 tensorflow",
    ]


def test_a_damaged_setup_cfg(tmp_path: Path) -> None:
    (said,) = told(tmp_path, {"setup.cfg": "keras\n"})[1]
    assert said.startswith("setup.cfg: this is no setup.cfg that can be read: File contains no section headers.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("setup(install_requires=['tensorflow>=1.4', 'numpy'])", ["1 tensorflow >=1.4"]),
        (
            "import setuptools\nsetuptools.setup(install_requires='''\ntensorflow\nkeras<3\n''')",
            ["3 tensorflow", "4 keras <3"],
        ),
        (
            "R = ['keras']\nR += ['tensorflow']\nsetup(install_requires=R + ['tf-keras'])",
            ["1 keras", "2 tensorflow", "3 tf-keras"],
        ),
        (
            "V = '2.4'\nsetup(install_requires=[f'tensorflow>={V}', 'keras==' + V])",
            ["2 keras ==2.4", "2 tensorflow >=2.4"],
        ),
        ("E = {'gpu': ['tensorflow-gpu']}\nsetup(extras_require=E)", ["1 tensorflow-gpu [gpu]"]),
        ("setup(extras_require={\"gpu:os_name == 'nt'\": ['keras']})", ["1 keras [gpu] os_name == 'nt'"]),
        ("A = dict(install_requires=['keras'])\nsetup(**A)", ["1 keras"]),
        (
            "if x:\n    name = 'tensorflow'\nelse:\n    name = 'tensorflow-gpu'\nsetup(install_requires=[name])",
            ["2 tensorflow", "4 tensorflow-gpu"],
        ),
        ("R = R + ['keras']\nsetup(install_requires=[*R])", ["1 keras"]),
        ("print 'keras'\nsetup(install_requires=['keras'])", ["2 keras"]),
        ("setup(keywords='tensorflow keras')", []),
    ],
)
def test_setup_py(tmp_path: Path, text: str, said: list[str]) -> None:
    assert lines(tmp_path, "setup.py", text) == said


@pytest.mark.parametrize(
    ("text", "found", "line"),
    [
        ("# keras\nsetup(install_requires=open('r').read())", [], 2),
        ("setup(install_requires=['keras', tensorflow])", ["1 keras"], 1),
        ("setup(extras_require={'a': ['keras'], b: ['keras']})", ["1 keras [a]"], 1),
        ("setup(extras_require=keras)", [], 1),
        ("setup(**keras)", [], 1),
        (
            "a = b + b\nb = c + c\n"
            + "\n".join(f"{x} = {y} + {y}" for x, y in zip("cdefghijklmnop", "defghijklmnopq", strict=True))
            + "\nq = ['keras']\nsetup(install_requires=a)",
            None,
            None,
        ),
    ],
)
def test_a_setup_py_that_computes(tmp_path: Path, text: str, found: list[str] | None, line: int | None) -> None:
    pinned, unread = told(tmp_path, {"setup.py": text})
    computed = "what setup() is given here is computed when it runs, and was not read"
    if found is not None:
        assert pinned == [f"setup.py:{each}" for each in found]
        assert unread == [f"setup.py: line {line}: {computed}"]
    else:
        assert any(computed in each for each in unread)


def test_a_setup_py_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    told(tmp_path, {"setup.py": f"open({str(mark)!r}, 'w')\nsetup(install_requires=['keras'])"})
    assert not mark.exists()


def test_a_deep_setup_py(tmp_path: Path) -> None:
    chain = "\n".join(f"a{number} = a{number + 1}" for number in range(5000))
    assert told(tmp_path, {"setup.py": f"{chain}\nsetup(install_requires=a0)  # keras"}) == (
        [],
        ["setup.py: nested too deep"],
    )


# --- conda


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("tensorflow", ""),
        ("tensorflow=2.10", " ==2.10.*"),
        ("tensorflow=2.10.*", " ==2.10.*"),
        ("tensorflow=2.10.0", " ==2.10.0"),
        ("tensorflow==2.10.0", " ==2.10.0"),
        ("tensorflow=2.10.0=gpu_py39h", " ==2.10.0"),
        ("tensorflow=2.10.*=gpu*", " ==2.10.*"),
        ("tensorflow 2.10.0", " ==2.10.0"),
        ("tensorflow 2.10.* mkl*", " ==2.10.*"),
        ("tensorflow>=2.4,<2.9", " <2.9,>=2.4"),
        ("tensorflow >=2.4, <2.9  # why", " <2.9,>=2.4"),
        ("conda-forge::tensorflow=2.4.*", " ==2.4.*"),
        ("conda-forge/linux-64::tensorflow-mkl>=2.4.*", " >=2.4"),
        ("tensorflow[version='>=2.4,<3']", " <3,>=2.4"),
        ("tensorflow[build=gpu*]", ""),
        ("tensorflow=2", " ==2.*"),
    ],
)
def test_specs_of_conda(tmp_path: Path, spec: str, said: str) -> None:
    text = f"name: lab\nchannels: [keras]\ndependencies:\n  - python=3.9\n  - {spec!r}\n"
    spelled = lines(tmp_path, "environment.yml", text.replace("\\'", "''"))
    assert spelled == [f"5 tensorflow{said} [lab]"]


def test_an_environment_with_pip(tmp_path: Path) -> None:
    text = """dependencies:
- keras-gpu=2.4.3
- pip:
  - tensorflow==2.4.1
  - -r more.txt
- pip
name: lab
prefix: /home/keras
"""
    found, unread = told(tmp_path, {"conda-gpu.yaml": text, "more.txt": "tf-keras"})
    assert found == [
        "conda-gpu.yaml:2 keras ==2.4.3 [lab]",
        "conda-gpu.yaml:4 tensorflow ==2.4.1 [lab]",
        "more.txt:1 tf-keras",
    ]
    assert unread == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dependencies: [keras\n", "line 2: this is no YAML that can be read: did not find expected ',' or ']'"),
        ("keras: " + "[" * 100_000, "this is no YAML that can be read: nested deeper than 50 levels"),
        ("dependencies: ['keras=2|3']\n", "line 1: these versions are not one range: keras=2|3"),
        ("dependencies: ['keras=>2']\n", "line 1: this is no range of versions: =>2"),
        ("keras: \0", "this is no YAML that can be read: "),
    ],
)
def test_what_is_wrong_with_an_environment(tmp_path: Path, text: str, said: str) -> None:
    _, unread = told(tmp_path, {"environment.yml": text})
    assert [each[: len(said) + 17] for each in unread] == [f"environment.yml: {said}"]


@pytest.mark.parametrize(
    "text",
    [
        "- keras\n",
        "keras",
        "dependencies: keras=2\n? [dependencies]\n: [keras]\n",
        "a: &a [keras, *a]\nb: [*a, *a]\n",
        "dependencies: !!python/object/apply:os.system [keras=x]\n"[:0]
        + "x: !!python/object/apply:os.system [keras]\n",
    ],
)
def test_yaml_that_is_no_environment(tmp_path: Path, text: str) -> None:
    found, unread = told(tmp_path, {"environment.yml": text})
    assert unread == []
    assert found in ([], ["environment.yml:1 keras ==2.*"])


# --- lock files


def test_lock_files_of_toml(tmp_path: Path) -> None:
    uv = """version = 1
[[package]]
name = "app"
version = "1"
source = { editable = "." }
dependencies = [{ name = "keras" }]
[[package]]
name = "keras"
version = "2.15.0"
source = { registry = "https://example.org" }
resolution-markers = ["os_name == 'nt'", "os_name == 'posix'"]
[[package]]
name = "tensorflow"
version = "2.15.1"
[package.metadata]
name = "x"
"""
    poetry = """[[package]]
category = "main"
description = "keras"
name = "tensorflow"
version = "2.4.1"
groups = ["main", "dev"]

[[package]]
name = "tf-keras"
version = "2.16.0"
groups = ["dev"]
markers = 'sys_platform == "linux"'
[metadata]
content-hash = "00"
"""
    own = '[[packages]]\nname = "keras"\nversion = "3.0"\ndirectory = { path = "." }\nsource = { directory = "." }\n'
    found, unread = told(tmp_path, {"uv.lock": uv, "poetry.lock": poetry, "pylock.dev.toml": own})
    assert found == [
        "poetry.lock:4 tensorflow ==2.4.1",
        'poetry.lock:9 tf-keras ==2.16.0 [dev] sys_platform == "linux"',
        "uv.lock:8 keras ==2.15.0 os_name == 'nt' or os_name == 'posix'",
        "uv.lock:13 tensorflow ==2.15.1",
    ]
    assert unread == []


def test_a_pipfile_lock(tmp_path: Path) -> None:
    text = """{"default": {
 "tensorflow": {"hashes": [], "version": "==2.4.1", "markers": "os_name == 'nt'"}},
 "develop": {
 "keras": {"version": "==2.4.3"}}}
"""
    assert lines(tmp_path, "Pipfile.lock", text) == ["2 tensorflow ==2.4.1 os_name == 'nt'", "4 keras ==2.4.3 [dev]"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Pipfile.lock", '{"keras"', ["this is no JSON that can be read"]),
        ("Pipfile.lock", '{"keras":' + "[" * 100_000, ["this is no JSON that can be read"]),
        ("Pipfile.lock", '["keras"]', []),
        ("Pipfile.lock", '{"default": {"keras": 3}}', ["line 1: keras is locked without a version"]),
        ("Pipfile.lock", '{"default": {"keras": {"version": "2"}}}', ["line 1: this is no range of versions: 2"]),
        ("uv.lock", '[[package]]\nname = "keras"\n', ["line 2: keras is locked without a version"]),
        ("uv.lock", '[[package]]\nname = "keras"\nversion = "x y"\n', ["line 2: this is no range of versions: ==x y"]),
        (
            "uv.lock",
            '[[package]]\nname = "keras"\nversion = \n',
            ["line 2: this is no TOML that can be read: Invalid value"],
        ),
    ],
)
def test_damaged_lock_files(tmp_path: Path, name: str, text: str, said: list[str]) -> None:
    assert told(tmp_path, {name: text}) == ([], [f"{name}: {each}" for each in said])


# --- Dockerfiles


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM tensorflow/tensorflow:2.4.1-gpu-jupyter AS base\n", ["1 tensorflow ==2.4.1"]),
        (
            "\nfrom --platform=linux/amd64 docker.io/tensorflow/tensorflow:1.15.0-py3@sha256:00\n",
            ["2 tensorflow ==1.15.0"],
        ),
        ("ARG TF=2.4.0\nFROM tensorflow/tensorflow:${TF}rc1\n", ["2 tensorflow ==2.4.0rc1"]),
        ("FROM tensorflow/tensorflow:${TF:-2.5.0}-gpu\n", ["1 tensorflow ==2.5.0"]),
        ("FROM tensorflow/tensorflow:latest-gpu\n", []),
        ("FROM tensorflow/tensorflow\n", []),
        ("FROM me/tensorflow/tensorflow:2.4.1-x\n", ["1 tensorflow ==2.4.1"]),
        ("FROM tensorflow/serving:2.4.1\n", []),
        (
            "ENV V=2.4.1 W=2\nRUN apt-get x && pip3 install -U \\\n# why\n  numpy 'keras>=2, <3' \\\n  tensorflow==$V; keras\n",
            ["4 keras <3,>=2", "5 tensorflow ==2.4.1"],
        ),
        ("ARG P='tensorflow==2.4.1 keras'\nRUN pip install $P", ["2 keras", "2 tensorflow ==2.4.1"]),
    ],
)
def test_dockerfiles(tmp_path: Path, text: str, said: list[str]) -> None:
    assert lines(tmp_path, "Dockerfile", text) == said


def test_names_of_dockerfiles(tmp_path: Path) -> None:
    taken = ["Dockerfile", "Dockerfile.gpu", "gpu.Dockerfile", "docker/Containerfile", "docker/gpu.dockerfile"]
    found, _ = told(tmp_path, dict.fromkeys([*taken, "Dockerfiles"], "FROM tensorflow/tensorflow:2.4.1"))
    assert found == [f"{name}:1 tensorflow ==2.4.1" for name in sorted(taken)]


# --- any project


@pytest.mark.parametrize(
    ("specifier", "exact"),
    [("==2.4.1", True), ("===2.4.1", True), ("==2.4.*", False), (">=2.4", False), ("", False), ("!=1,==2.4.1", False)],
)
def test_which_pins_are_exact(specifier: str, exact: bool) -> None:
    assert Pin("tf-keras", specifier, "r.txt", 1).exact is exact
    assert Pin("tf-keras", specifier, "r.txt", 1).package == "tf_keras"


def test_a_folder_without_such_files(tmp_path: Path) -> None:
    assert pins(tmp_path) == ((), ())
    assert pins(tmp_path / "gone") == ((), ())


def test_paths_are_as_the_folder_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("keras\n-r ../more.txt")
    (tmp_path / "more.txt").write_text("tf-keras")
    monkeypatch.chdir(tmp_path)
    assert [pin.path for pin in pins(Path())[0]] == ["more.txt", "requirements/base.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes and no such rights")
def test_what_is_no_file_that_may_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    (tmp_path / "Pipfile").symlink_to("Pipfile")
    (tmp_path / "setup.py").symlink_to("/dev/zero")
    (tmp_path / "uv.lock").mkdir()
    (tmp_path / "pyproject.toml").write_bytes(b"# keras\n" * LARGEST)
    found, unread = told(tmp_path, {})
    assert found == []
    assert unread == [
        "Pipfile: cannot be read: Too many levels of symbolic links",
        "pyproject.toml: larger than the limit of 1 MB",
        "requirements.txt: this is a named pipe, not a file",
        "setup.py: this is a device, not a file",
        "uv.lock: this is a folder, not a file",
    ]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="everything may be read here")
def test_a_folder_that_may_not_be_entered(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir(mode=0)
    assert told(tmp_path, {}) == ([], ["requirements: cannot be read: Permission denied"])


def test_a_file_of_endless_entries(tmp_path: Path) -> None:
    text = "".join(f"tensorflow=={number}\n" for number in range(MOST + 5))
    found, unread = told(tmp_path, {"requirements.txt": text})
    assert len(found) == MOST
    assert unread == [f"requirements.txt: more than {MOST} entries: the rest was not read"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "tensorflow \\\n" * 70_000),
        ("requirements.txt", "tensorflow/a-1-" * 60_000 + ".whl"),
        ("requirements.txt", "git+https://keras/" + "/a-1" * 200_000),
        ("pyproject.toml", "[project]\ndependencies = [" + '"keras",' * 100_000 + "]"),
        ("pyproject.toml", "[tool.poetry.dependencies]\nkeras = [" + "'1'," * 200_000 + "]"),
        ("pyproject.toml", "[a]\nb = 'keras'" + " , " * 300_000),
        ("setup.cfg", "[options]\ninstall_requires =\n" + "  keras\n" * 100_000),
        ("setup.py", "setup(install_requires=['keras'" + " + 'keras'" * 2000 + "])"),
        ("setup.py", "x = 'keras'\n" + "x += x\n" * 50_000 + "setup(install_requires=x)"),
        ("environment.yml", "dependencies:\n" + "- keras=1\n" * 90_000),
        ("environment.yml", "dependencies: " + "- " * 400_000 + "keras"),
        ("uv.lock", '[[package]]\nname = "keras"\n' * 400_000),
        ("Pipfile.lock", '{"default": {' + ",".join(f'"keras{"-" * n}": {{}}' for n in range(1200)) + "}}"),
        ("Dockerfile", "RUN pip install " + "keras " * 150_000),
        ("Dockerfile", "ARG A=" + "x" * 1000 + "\nRUN pip install keras " + "$A" * 400_000),
        ("Dockerfile", "RUN pip install keras \\\n" * 40_000),
    ],
    ids=lambda value: value[:14] if "\n" not in value[:14] else "text",
)
def test_hostile_files_take_no_longer_than_others(tmp_path: Path, name: str, text: str) -> None:
    start = time.process_time()
    found, unread = told(tmp_path, {name: text})
    assert time.process_time() - start < 10
    assert all("\n" not in each and len(each) < 400 for each in [*found, *unread])


NAMES = [
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "setup.cfg",
    "setup.py",
    "environment.yml",
    "uv.lock",
    "Pipfile.lock",
    "Dockerfile",
]
WORDS = """tensorflow keras == >=2.4 ^2 [ ] { } " ' = , ; : # $A -r git+https://x/keras ( \0 é pip:"""
PIECES = [
    *WORDS.split(),
    *("\n", " ", "- ", "\\\n", "dependencies:\n- ", "[project]\ndependencies = ", "[options]\ninstall_requires =\n "),
    *(
        '[[package]]\nname = "keras"\nversion = ',
        "setup(install_requires=",
        "FROM tensorflow/tensorflow:",
        "RUN pip install ",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map(lambda pieces: "".join(pieces).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.one_of(TEXTS, st.binary(max_size=200)))
def test_nothing_in_a_file_raises(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    try:
        found, unread = pins(tmp_path)
    finally:
        (tmp_path / name).unlink()
    assert all(pin.line >= 1 for pin in found)
    assert all("\n" not in each.reason for each in unread)
