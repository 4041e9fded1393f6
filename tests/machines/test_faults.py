"""Faults of machines that nobody has here: each names exactly one first broken link, by the right finding, with the fix."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from machines.faults import FAULTS
from machines.workshop import LOOKED_AT, SOUND, Fault, Judged, first_broken, judged, looked, made

from envcheck.codec import decode_inventory, encode_inventory, facts_type
from envcheck.findings import Severity, Status
from envcheck.inventory import Inventory
from envcheck.links import Link, Standing
from envcheck.registry import probes

Look = Callable[[Fault], Judged]
TYPES = {name: facts_type(probe.collect) for name, probe in probes().items()}


@pytest.fixture
def seen(tmp_path: Path, nvml_folder: Path, cuda_folder: Path, denying: Path) -> Look:
    """Looks at a machine and judges it."""

    def look(fault: Fault) -> Judged:
        host = made(fault, tmp_path, nvml_folder, cuda_folder, denying)
        return judged(looked(fault, host), required=fault.required)

    return look


def again(found: Judged, *, required: bool) -> Judged:
    """The same through JSON, as ``envcheck inventory`` writes it and ``doctor --from`` reads it."""
    text = json.dumps(encode_inventory(Inventory(found.facts, "2026-11-21T00:00:00Z", "0")))
    return judged(decode_inventory(text, TYPES, "a test").facts, required=required)


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 40
    assert max(Counter(fault.name for fault in FAULTS).values()) == 1
    assert {fault.link for fault in FAULTS} == {link.value for link in Link}
    assert all(fault.fix for fault in FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_chain_breaks_at_one_link(fault: Fault, seen: Look) -> None:
    found = seen(fault)
    assert not [each for each in found.outcomes if each.status is Status.BROKEN]
    assert first_broken(found.chain) == (fault.link, fault.code), [
        (each.link.value, each.standing.value, each.code, each.words) for each in found.chain
    ]
    root = found.roots[fault.code]
    fixes = [finding.fix.summary for finding in root.findings if finding.fix is not None]
    assert any(fault.fix in fix for fix in fixes), fixes
    # Every link before it was seen to hold, or could not be seen; none after it is called sound.
    place = Link(fault.link).place
    assert all(each.standing in (Standing.OK, Standing.UNKNOWN) for each in found.chain[:place])
    assert all(each.standing in (Standing.NOT_REACHED, Standing.BROKEN) for each in found.chain[place:])
    # What follows is told as a consequence: no other error stands alone but one of the installed packages.
    others = {code: each for code, each in found.roots.items() if each.worst is Severity.ERROR and code != fault.code}
    assert all(each.link is None or each.link.stands_alone for each in others.values()), sorted(others)
    same = again(found, required=fault.required)
    assert same.chain == found.chain
    assert {code: each.caused_by for code, each in same.roots.items()} == dict.fromkeys(found.roots)


def test_a_sound_machine_has_every_link(seen: Look) -> None:
    found = seen(Fault("sound", "", "", ""))
    assert [each.standing for each in found.chain] == [Standing.OK] * len(Link)
    words = {each.link: each.words for each in found.chain}
    assert words[Link.PCI] == "1 NVIDIA device at 0000:01:00.0"
    assert words[Link.KERNEL_MODULE] == "nvidia 550.54.14 (closed)"
    assert words[Link.DRIVER_LIBRARY].endswith("/libcuda.so.1")
    assert words[Link.NVML] == "driver 550.54.14, 1 usable GPU"
    assert words[Link.CUINIT] == "cuInit answers 0; CUDA counts 1 device"
    assert words[Link.CAPABILITY] == "TensorFlow has code for 9.0"
    assert words[Link.OPERATION] == "matmul, convolution, fit ran on GPU:0"
    assert not [code for code, each in found.roots.items() if each.worst is not Severity.NOTE]
    assert again(found, required=True).chain == found.chain


def test_nothing_asked_and_nothing_there(seen: Look) -> None:
    found = seen(Fault("none", "", "", "", files={}, nvml=None, cuda=None, required=False))
    assert [(each.link, each.standing) for each in found.chain] == [(Link.PCI, Standing.ABSENT)]
    assert found.chain[0].words == "no NVIDIA GPU on this machine (the PCI bus cannot be seen)"
    assert not [code for code in found.roots if code.startswith("GPU")]


def test_a_container_that_shows_neither_bus_nor_module_is_not_broken(seen: Look) -> None:
    nodes = {name: text for name, text in SOUND.items() if name.startswith("/dev/")}
    found = seen(Fault("bare container", "", "", "", files={**nodes, "/.dockerenv": ""}))
    assert first_broken(found.chain) is None
    unknown = [each.link for each in found.chain if each.standing is Standing.UNKNOWN]
    assert unknown == [Link.PCI, Link.KERNEL_MODULE]


def test_nvml_may_fail_where_cuda_works(seen: Look) -> None:
    found = seen(Fault("compute only", "", "", "", nvml="nvmlInitWithFlags=999"))
    assert first_broken(found.chain) is None
    assert found.roots["GPU101"].worst is Severity.WARNING
    assert "CUDA itself starts and counts 1 device(s)" in found.roots["GPU101"].findings[0].message


def test_the_probes_did_look(seen: Look) -> None:
    facts = seen(Fault("sound", "", "", "")).facts
    assert all(type(facts[name]).__name__.endswith("Facts") for name in LOOKED_AT)


@pytest.mark.parametrize("name", ["cgroup-lost-after-daemon-reload", "cuda-compat-in-a-container", "maxwell"])
def test_the_command_tells_the_same_of_a_saved_inventory(name: str, seen: Look, tmp_path: Path) -> None:
    fault = next(each for each in FAULTS if each.name == name)
    found = seen(fault)
    saved = json.dumps(encode_inventory(Inventory(found.facts, "2026-11-21T00:00:00Z", "0")))
    (tmp_path / "node.json").write_text(saved, "utf-8")
    command = [sys.executable, "-m", "envcheck", "doctor", "--from", "node.json", "--require-gpu", "-f", "json"]
    done = subprocess.run([*command, "--select", "GPU,SMK"], cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    told = [(each["link"], each["standing"], each["words"], each["code"]) for each in report["chain"]]
    assert told == [(each.link.value, each.standing.value, each.words, each.code) for each in found.chain]
    caused = {each["code"]: each["caused_by"] for each in report["outcomes"] if each["caused_by"]}
    assert caused == {each.code: each.caused_by for each in found.outcomes if each.caused_by}
