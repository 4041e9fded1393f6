"""The packages probe on folders as installers, and accidents, leave them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from site_packages import install, read

from envcheck.host import Host

TENSORFLOW = {"tensorflow/__init__.py": "", "tensorflow/python/x.py": "x = 1\n"}


def test_name_version_installer_tags_and_modules_are_read(tmp_path: Path) -> None:
    install(tmp_path, "ml-dtypes", "0.5.1", installer="uv", tags=("cp312-cp312-manylinux_2_27_x86_64",))
    facts = read(tmp_path)
    (dist,) = facts.distributions
    assert (dist.name, dist.key, dist.version, dist.installer) == ("ml-dtypes", "ml-dtypes", "0.5.1", "uv")
    assert dist.wheel_tags == ("cp312-cp312-manylinux_2_27_x86_64",)
    assert dist.modules == ("ml_dtypes",)
    assert facts.find("ML_Dtypes") == dist
    assert str(facts.version("ml.dtypes")) == "0.5.1"
    assert facts.version("absent") is None
    assert facts.providers("ml_dtypes") == (dist,)
    assert not any([facts.unread, facts.unmet, facts.damaged, facts.leftovers, facts.shadowed])


def test_the_first_folder_wins_and_further_copies_are_shadowed(tmp_path: Path) -> None:
    install(tmp_path / "a", "numpy", "1.26.4")
    install(tmp_path / "b", "numpy", "2.1.0")
    facts = read(tmp_path / "a", tmp_path / "b", tmp_path / "a")
    assert [dist.version for dist in facts.distributions] == ["1.26.4"]
    assert [(dist.version, dist.location) for dist in facts.shadowed] == [("2.1.0", str(tmp_path / "b"))]


def test_tensorflow_is_known_by_what_brings_it(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow-cpu", "2.15.1", files=TENSORFLOW)
    assert str(read(tmp_path).versions()["tensorflow"]) == "2.15.1"


def test_unmet_requirements_respect_markers_and_extras(tmp_path: Path) -> None:
    install(
        tmp_path,
        "tensorflow",
        "2.15.1",
        files=TENSORFLOW,
        requires=(
            "numpy<2",
            "absl-py>=1.0.0",
            'colorama; sys_platform == "win32"',
            'nvidia-cudnn-cu12; extra == "and-cuda"',
            "six (>=1.12) ; python_version < 3 and nonsense",
        ),
    )
    install(tmp_path, "numpy", "2.2.6")
    facts = read(tmp_path)
    assert [(unmet.requirement, unmet.found) for unmet in facts.unmet] == [
        ("numpy<2", "2.2.6"),
        ("absl-py>=1.0.0", None),
    ]
    assert facts.family == ("absl-py", "numpy", "tensorflow")


def test_a_pre_release_meets_a_range(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files=TENSORFLOW, requires=("keras>=2.15",))
    install(tmp_path, "keras", "2.16.0rc0")
    assert read(tmp_path).unmet == ()


def test_missing_and_altered_files_of_the_family_are_counted(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files={**TENSORFLOW, "tensorflow/data.txt": "kept out of the count"})
    (tmp_path / "tensorflow/__init__.py").unlink()
    (tmp_path / "tensorflow/python/x.py").write_text("x = 12345\n")
    (tmp_path / "tensorflow/data.txt").unlink()
    (damage,) = read(tmp_path).damaged
    assert (damage.checked, damage.missing, damage.altered) == (2, 1, 1)
    assert damage.examples == ("tensorflow/__init__.py", "tensorflow/python/x.py")


def test_files_of_strangers_are_not_looked_at(tmp_path: Path) -> None:
    install(tmp_path, "requests", "2.0")
    (tmp_path / "requests/__init__.py").unlink()
    assert read(tmp_path).damaged == ()


def test_what_an_interrupted_removal_leaves(tmp_path: Path) -> None:
    install(tmp_path, "numpy", "1.26.4")
    (tmp_path / "~ensorflow").mkdir()
    (tmp_path / "~ensorflow-2.15.1.dist-info").mkdir()
    (leftover,) = read(tmp_path).leftovers
    assert (leftover.path, leftover.kind) == (f"{tmp_path}/~ensorflow", "interrupted")


@pytest.mark.parametrize("with_init", [True, False])
def test_an_import_package_that_nobody_owns(tmp_path: Path, with_init: bool) -> None:
    install(tmp_path, "numpy", "1.26.4")
    (tmp_path / "keras").mkdir()
    if with_init:
        (tmp_path / "keras/__init__.py").write_text("")
    (leftover,) = read(tmp_path).leftovers
    assert (leftover.kind, leftover.module, leftover.importable) == ("unowned", "keras", with_init)


def test_a_source_checkout_on_the_path_is_no_leftover(tmp_path: Path) -> None:
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/__init__.py").write_text("")
    assert read(tmp_path).leftovers == ()


@pytest.mark.parametrize(
    "text", ["", "Version: 1\n", "Name: numpy\n", "Name: numpy\nVersion: not a version\n", "\0\0\0"]
)
def test_damaged_metadata_is_said_and_the_rest_goes_on(tmp_path: Path, text: str) -> None:
    install(tmp_path, "keras", "3.0.0")
    (install(tmp_path, "numpy", "2.0.0") / "METADATA").write_text(text)
    facts = read(tmp_path)
    assert [dist.name for dist in facts.distributions] == ["keras"]
    (unread,) = facts.unread
    assert unread.path == f"{tmp_path}/numpy-2.0.0.dist-info"
    assert "\n" not in unread.reason


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    facts = read(tmp_path / "absent", tmp_path / "python312.zip")
    assert not any([facts.distributions, facts.unread])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_is_said(tmp_path: Path) -> None:
    install(tmp_path / "closed", "numpy", "2.0.0")
    (tmp_path / "closed").chmod(0)
    try:
        (unread,) = read(tmp_path / "closed").unread
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert unread.path == str(tmp_path / "closed")


def test_a_name_too_long_for_a_folder_is_said() -> None:
    (unread,) = read(Path("/" + "x" * 5000)).unread
    assert "long" in unread.reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    metadata=st.binary(max_size=200),
    record=st.binary(max_size=200),
    requires=st.lists(st.text(max_size=30).filter(lambda text: "\r" not in text and "\n" not in text), max_size=3),
)
def test_no_bytes_in_metadata_make_it_raise(
    tmp_path_factory: pytest.TempPathFactory, metadata: bytes, record: bytes, requires: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("site")
    info = install(folder, "tensorflow", "2.15.1", files=TENSORFLOW)
    (info / "RECORD").write_bytes(b"tensorflow/__init__.py,,\n" + record)
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires).encode("utf-8", "surrogatepass")
    (info / "METADATA").write_bytes(b"Metadata-Version: 2.1\nName: tensorflow\nVersion: 2.15.1\n" + needs + metadata)
    facts = read(folder)
    assert len(facts.distributions) + len(facts.unread) == 1


def test_one_latin_1_letter_does_not_hide_a_distribution(tmp_path: Path) -> None:
    info = install(tmp_path, "tensorflow", "2.15.1", files=TENSORFLOW)
    with (info / "METADATA").open("ab") as file:
        file.write(b"\nMade by Andr\xe9\n")
    facts = read(tmp_path)
    assert [dist.name for dist in facts.distributions] == ["tensorflow"]
    assert not any([facts.unread, facts.leftovers])


def test_metadata_that_cannot_be_read_may_own_what_lies_beside_it(tmp_path: Path) -> None:
    install(tmp_path, "numpy", "2.0.0")
    (install(tmp_path, "tensorflow", "2.15.1", files=TENSORFLOW) / "METADATA").write_text("")
    facts = read(tmp_path)
    assert [each.path for each in facts.unread] == [f"{tmp_path}/tensorflow-2.15.1.dist-info"]
    assert facts.leftovers == ()


@pytest.mark.parametrize(("stale", "real"), [("2.14.0", "2.15.0"), ("3.10.0", "3.5.0")])
def test_of_two_metadata_folders_the_one_whose_files_are_there_counts(tmp_path: Path, stale: str, real: str) -> None:
    install(tmp_path, "keras", stale, files={"keras/__init__.py": "", "keras/old.py": "x = 'a file of the old one'\n"})
    (tmp_path / "keras/old.py").unlink()
    install(tmp_path, "keras", real, files={"keras/__init__.py": "", "keras/new.py": "y = 1\n"})
    facts = read(tmp_path)
    assert [dist.version for dist in facts.distributions] == [real]
    assert [dist.version for dist in facts.shadowed] == [stale]


def test_deleted_test_suites_are_no_damage(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files={**TENSORFLOW, "tensorflow/tests/test_x.py": ""})
    (tmp_path / "tensorflow/tests/test_x.py").unlink()
    assert read(tmp_path).damaged == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_pipe_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    info = install(tmp_path, "keras", "3.0.0")
    (info / "RECORD").unlink()
    os.mkfifo(info / "RECORD.pipe")
    (tmp_path / "keras.json").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "keras.json")
    assert Host().read(tmp_path / "keras.json") is None
    assert [dist.name for dist in read(tmp_path).distributions] == ["keras"]


def test_the_big_libraries_are_compared_too(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files={**TENSORFLOW, "tensorflow/libtensorflow_cc.so.2": "ELF"})
    (tmp_path / "tensorflow/libtensorflow_cc.so.2").unlink()
    (damage,) = read(tmp_path).damaged
    assert damage.examples == ("tensorflow/libtensorflow_cc.so.2",)


@pytest.mark.parametrize("record", [b"", b"\0" * 400, b"\n\n"])
def test_an_emptied_record_does_not_make_a_leftover(tmp_path: Path, record: bytes) -> None:
    info = install(tmp_path, "numpy", "1.26.4")
    (info / "RECORD").write_bytes(record)
    facts = read(tmp_path)
    assert facts.leftovers == ()
    assert [dist.name for dist in facts.providers("numpy")] == ["numpy"]


def test_an_emptied_library_is_missing(tmp_path: Path) -> None:
    install(tmp_path, "tensorflow", "2.15.1", files={**TENSORFLOW, "tensorflow/libtensorflow_cc.so.2": "ELF"})
    (tmp_path / "tensorflow/libtensorflow_cc.so.2").write_text("")
    (damage,) = read(tmp_path).damaged
    assert (damage.missing, damage.altered) == (1, 0)
