"""The refresh: what wheels tell becomes records; nothing is read twice; what cannot be read is said and changes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from envcheck.knowledge.rows import folder
from tools.refresh_matrix.__main__ import main
from tools.refresh_matrix.index import LARGEST_MEMBER, File, Members, Unreadable, chosen
from tools.refresh_matrix.wheels import facts, wanted

METADATA = "Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Python: >=3.9\n"
GPU = (
    "build_info = collections.OrderedDict([('cuda_compute_capabilities', ['sm_60', 'compute_90']), "
    "('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False)])"
)
CONFIG = """#define TF_CUDA_VERSION "12.5.1"
#define TF_CUDART_VERSION "12"
#define TF_CUBLAS_VERSION "12"
#define TF_CUDNN_VERSION "9"
"""


def wheel(members: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 5, 0, 0, 0)), text)
    return made.getvalue()


def metadata(*requires: str) -> dict[str, str]:
    return {"x-1.dist-info/METADATA": METADATA + "".join(f"Requires-Dist: {each}\n" for each in requires)}


class FakeIndex:
    """An index in memory; ``broken`` names files that cannot be read."""

    def __init__(self) -> None:
        self.read_bytes = 0
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self._files: dict[str, dict[str, tuple[File, bytes]]] = {}

    def add(self, name: str, content: bytes = b"", **more: Any) -> None:
        distribution, version = name.split("-")[:2]
        given = {"python": None, "yanked": None, "uploaded": None, **more}
        digest = hashlib.sha256(content + name.encode()).hexdigest()
        file = File(
            name, version.removesuffix(".tar.gz"), f"https://x/{name}", digest, wheel=name.endswith(".whl"), **given
        )
        self._files.setdefault(distribution.replace("_", "-"), {})[name] = file, content

    def files(self, distribution: str) -> tuple[File, ...]:
        if distribution in self.broken:
            raise Unreadable("ConnectionError: no answer")
        return tuple(file for file, _ in self._files.get(distribution, {}).values())

    def members(self, file: File, wanted: Callable[[str], bool]) -> Members:
        self.asked.append(file.name)
        if file.name in self.broken:
            raise Unreadable("BadZipFile: File is not a zip file")
        content = self._files[file.name.split("-")[0].replace("_", "-")][file.name][1]
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return chosen(archive, wanted)


@pytest.fixture
def index() -> FakeIndex:
    made = FakeIndex()
    gpu = {
        **metadata("keras>=3.12.0", "numpy>=1.26.0"),
        "tensorflow/python/platform/build_info.py": GPU,
        "a/cuda_config.h": CONFIG,
    }
    made.add("tensorflow-2.21.0-cp310-cp310-manylinux_2_27_x86_64.whl", wheel(gpu))
    made.add("tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl", wheel(gpu))
    made.add("tensorflow-2.21.0-cp312-cp312-win_amd64.whl", wheel(metadata("keras>=3.12.0", "numpy>=1.26.0")))
    made.add("tf_keras-2.21.0-py3-none-any.whl", wheel(metadata("tensorflow<2.22,>=2.21")))
    return made


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    """A matrix to refresh: three distributions and the committed series."""
    made = tmp_path / "compat_matrix"
    made.mkdir()
    for name in ("tensorflow.yaml", "refreshed.yaml"):
        shutil.copy(folder() / name, made)
    rows = yaml.safe_load((folder() / "distributions.yaml").read_text("utf-8"))
    some = [row for row in rows if row["name"] in ("tensorflow", "tf-keras", "transformers")]
    (made / "distributions.yaml").write_text(yaml.safe_dump(some), "utf-8")
    return made


def refresh(index: FakeIndex, matrix: Path, *more: str) -> int:
    return main(
        ["--cache", str(matrix.parent / "cache"), "--folder", str(matrix), "--as-of", "2026-11-22", *more], index
    )


def released(matrix: Path, name: str = "tensorflow") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((matrix / "releases" / f"{name}.json").read_bytes())
    return found


def test_a_release_is_one_line_and_equal_wheels_one_build(index: FakeIndex, matrix: Path) -> None:
    assert refresh(index, matrix) == 0
    text = (matrix / "releases" / "tensorflow.json").read_text("utf-8")
    assert text.count("\n") == 3
    (release,) = released(matrix)
    assert release["python"] == ">=3.9"
    assert release["built"] == "2026-03-05"
    assert release["requires"] == ["keras>=3.12.0", "numpy>=1.26.0"]
    linux, windows = release["builds"]
    assert linux["wheels"] == {"manylinux_2_27_x86_64": ["cp310", "cp312"]}
    assert (linux["cuda"], linux["cudnn"], linux["capabilities"]) == ("12.5.1", "9", ["sm_60", "compute_90"])
    assert linux["sonames"]["cublasLt"] == "libcublasLt.so.12"
    assert linux["sonames"]["cudnn"] == "libcudnn.so.9"
    assert windows == {"wheels": {"win_amd64": ["cp312"]}}
    # One wheel of each platform is read, the one for the newest Python.
    assert "tensorflow-2.21.0-cp310-cp310-manylinux_2_27_x86_64.whl" not in index.asked


def test_a_second_run_reads_no_wheel_and_changes_nothing(index: FakeIndex, matrix: Path) -> None:
    assert refresh(index, matrix) == 0
    before = {path: path.read_bytes() for path in matrix.rglob("*.*")}
    index.asked.clear()
    assert refresh(index, matrix) == 0
    assert refresh(index, matrix, "--check") == 0
    assert not index.asked
    assert {path: path.read_bytes() for path in matrix.rglob("*.*")} == before


def test_check_writes_nothing_and_fails_when_something_differs(index: FakeIndex, matrix: Path) -> None:
    assert refresh(index, matrix, "--check") == 1
    assert not (matrix / "releases").exists()


def test_a_new_release_and_its_series_are_picked_up(index: FakeIndex, matrix: Path) -> None:
    refresh(index, matrix)
    new = {
        **metadata(
            "keras<3.21,>=3.20.0", 'numpy>=2.1; python_version >= "3.13"', 'numpy>=1.26; python_version < "3.13"'
        )
    }
    index.add("tensorflow-2.99.0-cp313-cp313-manylinux_2_28_x86_64.whl", wheel(new))
    index.add("tensorflow-2.99.0-cp313-cp313t-manylinux_2_28_x86_64.whl", wheel(new))
    index.add("tensorflow-2.99.1rc0-cp313-cp313-manylinux_2_28_x86_64.whl", wheel(new))
    assert refresh(index, matrix) == 0
    assert [release["version"] for release in released(matrix)] == ["2.21.0", "2.99.0"]
    row = yaml.safe_load((matrix / "tensorflow.yaml").read_text("utf-8"))[0]
    assert row["series"] == "2.99"
    assert row["python"] == ["3.13"]
    assert row["keras"] == "==3.20.*"
    assert row["numpy"] == ">=1.26"
    assert row["glibc"] == "2.28"
    assert row["cuda"] is None
    assert released(matrix)[1]["builds"][0]["wheels"] == {"manylinux_2_28_x86_64": ["cp313", "cp313t"]}


def test_peoples_comments_and_columns_stay(index: FakeIndex, matrix: Path) -> None:
    path = matrix / "tensorflow.yaml"
    text = path.read_text("utf-8").replace("  sass:", "  # measured with care\n  sass:", 1).replace('"9.3"', '"9.9"', 1)
    path.write_text(text, "utf-8")
    refresh(index, matrix)
    after = path.read_text("utf-8")
    assert "# measured with care" in after
    assert yaml.safe_load(after)[0]["cudnn"] == "9.9"
    assert text.split("- series:")[0] == after.split("- series:")[0]


def test_a_conflict_between_people_and_wheel_is_said(
    index: FakeIndex, matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = matrix / "tensorflow.yaml"
    path.write_text(path.read_text("utf-8").replace('sass: ["6.0"', 'sass: ["5.0"', 1), "utf-8")
    refresh(index, matrix)
    assert 'conflict: tensorflow.yaml, series 2.21: sass: ["5.0"' in capsys.readouterr().err
    assert yaml.safe_load(path.read_text("utf-8"))[0]["sass"][0] == "5.0"


def test_yanked_releases_stay_and_say_why(index: FakeIndex, matrix: Path) -> None:
    index.add("tensorflow-2.20.0-cp312-cp312-manylinux_2_27_x86_64.whl", wheel(metadata()), yanked="broken")
    index.add("tensorflow-2.19.0-cp312-cp312-manylinux_2_27_x86_64.whl", wheel(metadata()), yanked="")
    index.add("tensorflow-2.19.1-cp312-cp312-manylinux_2_27_x86_64.whl", wheel(metadata()), yanked="old tag")
    index.add("tensorflow-2.19.1-cp312-cp312-win_amd64.whl", wheel(metadata()))
    refresh(index, matrix)
    told = {release["version"]: release.get("yanked") for release in released(matrix)}
    assert told == {"2.19.0": "", "2.19.1": None, "2.20.0": "broken", "2.21.0": None}


def test_a_wheel_that_cannot_be_read_is_named_and_the_others_go_on(
    index: FakeIndex, matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refresh(index, matrix)
    before = (matrix / "releases" / "tensorflow.json").read_bytes()
    bad = "tensorflow-2.22.0-cp312-cp312-manylinux_2_27_x86_64.whl"
    index.add(bad, b"")
    index.broken.add(bad)
    index.add("tf_keras-2.22.0-py3-none-any.whl", wheel(metadata("tensorflow<2.23,>=2.22")))
    assert refresh(index, matrix) == 1
    assert f"failed: tensorflow: {bad}: BadZipFile" in capsys.readouterr().err
    assert (matrix / "releases" / "tensorflow.json").read_bytes() == before
    assert len(released(matrix, "tf-keras")) == 2
    # Once it can be read, only what failed is read again.
    index.broken.clear()
    index.add(bad, wheel(metadata()))
    index.asked.clear()
    assert refresh(index, matrix) == 0
    assert index.asked == [bad]


def test_an_index_that_does_not_answer_is_named(
    index: FakeIndex, matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.broken.add("transformers")
    assert refresh(index, matrix) == 1
    assert "failed: transformers: ConnectionError" in capsys.readouterr().err
    assert released(matrix)


def test_dates_once_told_are_kept(index: FakeIndex, matrix: Path) -> None:
    content = wheel(metadata())
    index.add("tensorflow-2.20.0-cp312-cp312-manylinux_2_27_x86_64.whl", content, uploaded="2025-08-13")
    refresh(index, matrix)
    assert released(matrix)[0]["released"] == "2025-08-13"
    index.add("tensorflow-2.20.0-cp312-cp312-manylinux_2_27_x86_64.whl", content)
    refresh(index, matrix)
    assert released(matrix)[0]["released"] == "2025-08-13"


def test_extras_of_strangers_are_kept_only_where_they_name_what_is_recorded(index: FakeIndex, matrix: Path) -> None:
    lines = ('tf_keras>=2.15; extra == "tf"', 'scipy; extra == "all"', 'tensorflow<2.16,>2.9; extra == "tf"', "numpy")
    index.add("transformers-4.50.0-py3-none-any.whl", wheel(metadata(*lines)))
    refresh(index, matrix)
    (release,) = released(matrix, "transformers")
    assert release["extras"] == {"tf": ["tensorflow<2.16,>2.9", "tf_keras>=2.15"]}
    assert release["requires"] == ["numpy"]


# --- one wheel


def members(**texts: str) -> Members:
    named = {"METADATA": "x.dist-info/METADATA", "info": "t/python/platform/build_info.py", "config": "t/cuda_config.h"}
    return Members({named[key]: text.encode() for key, text in texts.items()}, None)


def test_windows_versions_are_spelled_apart() -> None:
    info = (
        "build_info = {'cuda_version': '64_112', 'cudnn_version': '64_8', 'is_cuda_build': True, "
        "'cudart_dll_name': 'cudart64_112.dll'}"
    )
    found = facts(members(METADATA=METADATA, info=info))
    assert (found.cuda, found.cudnn, found.sonames) == ("11.2", "8", {"cudart": "cudart64_112.dll"})


def test_before_2_3_the_header_tells() -> None:
    config = """#define TF_CUDA_CAPABILITIES CudaVersion("3.5"),CudaVersion("7.0")
#define TF_CUDA_VERSION "10.0"
#define TF_CUDNN_VERSION "7"
"""
    found = facts(members(METADATA=METADATA, info="is_cuda_build = True\n", config=config))
    assert (found.cuda, found.capabilities) == ("10.0", ("3.5", "7.0"))
    assert found.sonames is not None
    assert found.sonames["cudart"] == "libcudart.so.10.0"
    assert "cublasLt" not in found.sonames


def test_a_build_without_cuda_names_none_although_the_header_lists_capabilities() -> None:
    config = '#define TF_CUDA_CAPABILITIES CudaVersion("3.5")\n#define TF_CUDA_VERSION ""\n'
    found = facts(members(METADATA=METADATA, info="is_rocm_build = False\nis_cuda_build = False\n", config=config))
    assert (found.cuda, found.capabilities, found.sonames) == (None, None, None)


@pytest.mark.parametrize(
    ("lines", "plain", "extras"),
    [
        (("absl-py (>=1.0)",), ("absl-py>=1.0",), {}),
        (
            ("a>=1 ; (python_version < \"3.8\") and extra == 'And_CUDA'",),
            (),
            {"and-cuda": ('a>=1; python_version < "3.8"',)},
        ),
        (("a; extra == 'b'", "a; extra == 'b'"), (), {"b": ("a",)}),
        (("what is this?",), ("what is this?",), {}),
    ],
)
def test_requirements(lines: tuple[str, ...], plain: tuple[str, ...], extras: dict[str, tuple[str, ...]]) -> None:
    found = facts(members(METADATA=METADATA + "".join(f"Requires-Dist: {line}\n" for line in lines)))
    assert (found.requires, found.extras) == (plain, extras)


def test_nothing_of_a_wheel_is_executed() -> None:
    info = "import os\nbuild_info = {'cuda_version': os.system('false'), 'is_cuda_build': True}\n"
    assert facts(members(METADATA=METADATA, info=info)).cuda is None


@pytest.mark.parametrize(
    "texts", [{"info": GPU}, {"METADATA": METADATA, "info": "def ("}, {"METADATA": METADATA, "info": "\0"}]
)
def test_a_wheel_of_another_form_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        facts(members(**texts))


def test_a_member_of_absurd_size_is_not_unpacked() -> None:
    content = io.BytesIO(wheel({"x.dist-info/METADATA": " " * (LARGEST_MEMBER + 1)}))
    with zipfile.ZipFile(content) as archive, pytest.raises(Unreadable, match="bytes"):
        chosen(archive, wanted)
