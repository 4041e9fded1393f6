"""GPUs by name and by compute capability, and the tables around them."""

from __future__ import annotations

import pytest
from packaging.version import Version

from envcheck.knowledge.gpus import product
from envcheck.knowledge.matrix import load_matrix
from envcheck.versions import numbers

MATRIX = load_matrix()


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA GeForce RTX 3090", "8.6"),
        ("NVIDIA GeForce RTX 3090 Ti", "8.6"),
        ("RTX 3090", "8.6"),
        ("NVIDIA A100-SXM4-80GB", "8.0"),
        ("NVIDIA A100 80GB PCIe", "8.0"),
        ("NVIDIA A10", "8.6"),
        ("NVIDIA A10G", "8.6"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("Tesla T4", "7.5"),
        ("Tesla K80", "3.7"),
        ("Tesla P100-PCIE-16GB", "6.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("NVIDIA H200", "9.0"),
        ("NVIDIA GH200 480GB", "9.0"),
        ("NVIDIA L4", "8.9"),
        ("NVIDIA L40S", "8.9"),
        ("NVIDIA RTX A6000", "8.6"),
        ("NVIDIA RTX 6000 Ada Generation", "8.9"),
        ("Quadro RTX 6000", "7.5"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"),
        ("NVIDIA GeForce RTX 5090", "12.0"),
        ("NVIDIA B200", "10.0"),
        ("NVIDIA GeForce GTX 1080 Ti", "6.1"),
        ("GeForce GTX 970", "5.2"),
        ("NVIDIA TITAN V", "7.0"),
        ("AMD Radeon RX 7900", None),
        ("Voodoo 2", None),
        ("", None),
        ("NVIDIA", None),
        ("RTX", None),
    ],
)
def test_a_product_is_found_by_the_name_that_nvml_says(name: str, capability: str | None) -> None:
    found = MATRIX.product(name)
    assert (found and found.capability) == capability


def test_the_longest_name_decides() -> None:
    rows = [row for row in MATRIX.products if "A40" in row.names or "L40" in row.names]
    found = product(rows, "NVIDIA L40")
    assert found is not None
    assert found.capability == "8.9"


def test_every_product_finds_itself_and_has_an_architecture() -> None:
    for row in MATRIX.products:
        assert MATRIX.architecture(row.capability) is not None
        for name in row.names:
            found = MATRIX.product(name)
            assert found is not None
            assert found.capability == row.capability, name


def test_architectures_end_after_they_begin() -> None:
    order = [numbers(row.capability) for row in MATRIX.architectures]
    assert order == sorted(set(order))
    for row in MATRIX.architectures:
        assert row.last_cuda is None or numbers(row.first_cuda) <= numbers(row.last_cuda)
        if row.first_driver and row.last_driver:
            assert int(row.first_driver) < int(row.last_driver)
    assert MATRIX.architecture("1.0") is None


def test_every_capability_of_a_series_is_known() -> None:
    for row in MATRIX.rows:
        for capability in (*(row.sass or ()), *(row.ptx or ())):
            assert MATRIX.architecture(capability) is not None, (row.series, capability)


def test_newer_branches_run_newer_cuda() -> None:
    by_age = sorted(MATRIX.branches, key=lambda row: int(row.branch))
    assert [numbers(row.cuda) for row in by_age] == sorted(numbers(row.cuda) for row in by_age)


def test_extras_are_told_by_the_releases() -> None:
    assert MATRIX.has_extra(Version("2.14"), "and-cuda", "3.10")
    assert not MATRIX.has_extra(Version("2.14"), "and-cuda", "3.11")  # its TensorRT has no wheel for it
    assert MATRIX.has_extra(Version("2.15"), "and-cuda", "3.11")  # 2.15.1 asks for none
    assert MATRIX.has_extra(Version("2.21.0"), "and-cuda", "3.13")
    assert not MATRIX.has_extra(Version("2.13.1"), "and-cuda", "3.10")
    assert not MATRIX.has_extra(Version("2.99.0"), "and-cuda", "3.12")


def test_each_cudnn_version_is_in_one_row() -> None:
    for version in ("7.6.5", "8.0.3", "8.1.0", "8.6.0", "8.9.7", "9.3.0", "9.10.2", "9.11.0", "9.28.0"):
        assert len([row for row in MATRIX.cudnn if row.holds(version)]) == 1, version


def test_limits_of_platforms_and_needs_of_backends_can_be_read() -> None:
    windows = next(row for row in MATRIX.platforms if row.id == "windows-gpu")
    assert windows.holds("2.11.0")
    assert not windows.holds("2.10.1")
    assert {row.distribution for row in MATRIX.backends} == {"jax", "torch"}
    assert MATRIX.forward_compatibility[0].systems == ("Linux",)
