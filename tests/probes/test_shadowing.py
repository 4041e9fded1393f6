"""The shadowing probe: local files that Python would import instead."""

from __future__ import annotations

from pathlib import Path

from literals import distribution, packages, python

from envcheck.host import Host
from envcheck.probes import shadowing


def names(folder: Path) -> dict[str, str]:
    facts = shadowing.collect(Host(cwd=folder), python(), packages(distribution("keras", "3.0.0")))
    assert facts.folder == str(folder)
    return {shadow.module: shadow.hides for shadow in facts.shadows}


def test_files_and_regular_packages_hide_others_do_not(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    (tmp_path / "random").mkdir()
    (tmp_path / "random/__init__.py").write_text("")
    (tmp_path / "json").mkdir()  # without __init__.py a folder loses against the real module
    (tmp_path / "train.py").write_text("")
    (tmp_path / "os.py").write_text("")  # loaded before any script
    (tmp_path / "sys.py").write_text("")  # built in
    assert names(tmp_path) == {"keras": "keras", "random": "standard library"}


def test_a_folder_that_pythonpath_names_hides_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    facts = shadowing.collect(
        Host(cwd=tmp_path), python(sys_path=(str(tmp_path),)), packages(distribution("keras", "3.0.0"))
    )
    assert [shadow.module for shadow in facts.shadows] == ["keras"]
    at_home = packages(distribution("keras", "3.0.0", str(tmp_path)))
    assert shadowing.collect(Host(cwd=tmp_path), python(), at_home).shadows == ()


def test_folders_of_pythonpath_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/random.py").write_text("")
    host = Host(cwd=tmp_path, environ={"PYTHONPATH": "lib:/nowhere"})
    assert [shadow.path for shadow in shadowing.collect(host, python(), packages()).shadows] == [
        f"{tmp_path}/lib/random.py"
    ]


def test_an_empty_folder_hides_nothing(tmp_path: Path) -> None:
    assert names(tmp_path) == {}
