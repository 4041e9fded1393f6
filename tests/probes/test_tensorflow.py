"""The tensorflow probe: which distribution, and the build facts in its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from literals import environment, python
from site_packages import install, read, target

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes import tensorflow
from envcheck.probes.tensorflow import TensorFlowFacts

# As released in TensorFlow 2.21.0 (cut to what is read).
BUILD_INFO = (
    '"""Auto-generated module providing information about the build."""\nimport collections\n\n'
    "build_info = collections.OrderedDict([('cpu_compiler', 'clang'), ('cuda_compute_capabilities', ['sm_60', 'sm_89', "
    "'compute_90']), ('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True), "
    "('is_rocm_build', False), ('is_tensorrt_build', False)])\n"
)
CUDA_CONFIG = '#define TF_CUDA_VERSION "12.5.1"\n#define TF_CUDART_VERSION "12"\n#define TF_CUSOLVER_VERSION "11"\n'
HEADER = "tensorflow/include/third_party/gpus/cuda/cuda_config.h"


def files(build_info: str = BUILD_INFO, folder: str = "tensorflow") -> dict[str, str]:
    return {
        "tensorflow/__init__.py": "raise SystemExit('nothing here may be imported')\n",
        f"{folder}/python/platform/build_info.py": build_info,
    }


def collect(*folders: Path, **variables: str) -> TensorFlowFacts | Unavailable:
    return tensorflow.collect(Host(), target(*folders), read(*folders), environment(**variables))


def found(*folders: Path, **variables: str) -> TensorFlowFacts:
    facts = collect(*folders, **variables)
    assert isinstance(facts, TensorFlowFacts)
    return facts


def test_build_facts_of_a_current_wheel(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.21.0", files={**files(), HEADER: CUDA_CONFIG})
    facts = found(tmp_path)
    assert (facts.distribution, facts.version, facts.vendor) == ("tensorflow", "2.21.0", "pypi")
    assert facts.build.is_cuda is True
    assert (facts.build.cuda, facts.build.cudnn, facts.build.tensorrt) == ("12.5.1", "9", False)
    assert facts.build.sass == ("6.0", "8.9", "9.0")
    assert facts.build.ptx == ("9.0",)
    assert facts.build.sonames == ("libcudart.so.12", "libcusolver.so.11")


def test_build_facts_of_release_1_15(tmp_path: Path) -> None:
    text = "from __future__ import absolute_import\n\nis_rocm_build = False\nis_cuda_build = False\n"
    install(tmp_path, "tensorflow", "1.15.5", files=files(text, "tensorflow_core"))
    facts = found(tmp_path)
    assert facts.folder == f"{tmp_path}/tensorflow_core"
    assert facts.build.is_cuda is False
    assert facts.build.cuda is None
    assert facts.build.sonames == ()


@pytest.mark.parametrize(
    "text", ["", "build_info = None\n", "build_info = dict(1)\n", "(" * 5000, "\0", "build_info = 1,\n"]
)
def test_strange_build_info_says_nothing(tmp_path: Path, text: str) -> None:
    install(tmp_path, "tensorflow", "2.21.0", files=files(text))
    assert found(tmp_path).build.is_cuda is None


def test_no_tensorflow_is_unavailable(tmp_path: Path) -> None:
    install(tmp_path, "numpy", "2.0.0")
    assert collect(tmp_path) == Unavailable("TensorFlow is not installed here", absent=True)


def test_of_two_in_one_folder_the_one_whose_files_are_there_is_used(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files={**files(), "tensorflow/a.py": "old"})
    install(tmp_path, "tensorflow-cpu", "2.16.2", files={**files(), "tensorflow/a.py": "newer"})
    facts = found(tmp_path)
    assert (facts.distribution, facts.version) == ("tensorflow-cpu", "2.16.2")
    assert sorted(copy.name for copy in facts.copies) == ["tensorflow", "tensorflow-cpu"]


def test_of_two_folders_the_first_on_the_path_is_used(tmp_path: Path) -> None:
    install(tmp_path / "b", "tensorflow", "2.15.1", files=files())
    install(tmp_path / "a", "tensorflow-cpu", "2.16.2", files=files())
    assert found(tmp_path / "b", tmp_path / "a").version == "2.15.1"


def test_ngc_and_conda_builds(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.17.0+nv25.2", files=files())
    assert found(tmp_path).vendor == "ngc"
    (tmp_path / "env/conda-meta").mkdir(parents=True)
    (tmp_path / "env/conda-meta/tensorflow-base-2.15.0-cpu_py311h1.json").write_text("{}")
    site = tmp_path / "env/site"
    install(site, "tensorflow", "2.15.0", files=files(), installer="conda")
    facts = tensorflow.collect(
        Host(), python(prefix=str(tmp_path / "env"), sys_path=(str(site),)), read(site), environment()
    )
    assert isinstance(facts, TensorFlowFacts)
    assert (facts.vendor, facts.conda) == ("conda", "tensorflow-base-2.15.0-cpu_py311h1")
