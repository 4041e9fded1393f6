"""The chain from facts and outcomes alone: what each link says, and where none can be told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import gpu_literals as given
import jsonschema
import literals
import pytest
from hypothesis import given as given_property
from hypothesis import strategies as st
from machines.workshop import first_broken, judged, libraries, sound

from envcheck.chain import chain
from envcheck.codec import report_schema
from envcheck.findings import Finding, Outcome, Report, Severity, Status
from envcheck.inventory import Inventory, Unavailable
from envcheck.links import Link, LinkState, Standing
from envcheck.probes.cuda import CudaFacts, CudaState
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.others import OtherGpu, OthersFacts
from envcheck.reporters import Style
from envcheck.reporters.json import render as render_json
from envcheck.reporters.text import render
from envcheck.reporters.text.links import linked

NO_GPU = Unavailable("no NVIDIA GPU or driver here", absent=True)
NO_LIBCUDA = CudaFacts(CudaState("no library", call="dlopen", detail="libcuda.so.1: No such file or directory"))


def facts(**changes: Any) -> dict[str, object]:
    return {
        **sound(),
        "driver": given.driver(),
        "gpu": given.gpu(),
        "cuda": given.cuda(),
        "others": OthersFacts(),
        "host": literals.host(),
        "environment": literals.environment(),
        **changes,
    }


def failed(code: str, link: Link, severity: Severity = Severity.ERROR, caused_by: str | None = None) -> Outcome:
    finding = (Finding(f"{code} is wrong"),)
    return Outcome(code, "t", severity, Status.FAILED, findings=finding, caused_by=caused_by, link=link)


def standing(states: tuple[LinkState, ...]) -> dict[str, str]:
    return {each.link.value: each.standing.value for each in states}


def test_nobody_asked() -> None:
    assert chain({}, ()) == ()
    assert chain({"driver": Unavailable("not wanted: --device cpu", absent=True)}, ()) == ()


def test_a_probe_that_failed_is_unknown() -> None:
    broken = Unavailable("envcheck's own driver probe failed: ValueError", broken=True)
    (state,) = chain({"driver": broken}, ())
    assert (state.link, state.standing, state.words) == (Link.PCI, Standing.UNKNOWN, broken.reason)


def test_a_system_that_is_not_covered_names_what_is_there() -> None:
    driver = DriverFacts(NvmlState("not covered", detail="on Darwin: envcheck looks at NVIDIA GPUs only"))
    apple = OthersFacts((OtherGpu("Apple", "part of the processor"),))
    (state,) = chain({"driver": driver, "others": apple}, ())
    assert state.standing is Standing.UNKNOWN
    assert state.words.endswith("an Apple GPU (part of the processor) is there")


def test_no_gpu_and_one_of_another_maker() -> None:
    amd = OthersFacts((OtherGpu("AMD", "PCI 0000:03:00.0"),))
    nothing = {"driver": given.nothing(), "gpu": NO_GPU, "cuda": NO_LIBCUDA, "others": amd}
    (state,) = chain(nothing, ())
    assert state.standing is Standing.ABSENT
    assert state.words == (
        "no NVIDIA GPU on this machine; an AMD GPU (PCI 0000:03:00.0) is there, which envcheck does not judge"
    )


def test_what_fails_on_the_cpu_is_no_broken_chain() -> None:
    nothing = {"driver": given.nothing(), "gpu": NO_GPU, "cuda": NO_LIBCUDA, "smoke": given.smoke("CPU:0")}
    (state,) = chain(nothing, (failed("SMK103", Link.OPERATION), failed("GPU207", Link.CUDA_LIBRARIES)))
    assert state.standing is Standing.ABSENT


def test_a_required_gpu_that_is_not_there_is_the_first_broken_link() -> None:
    found = judged(
        facts(driver=given.nothing(), gpu=NO_GPU, cuda=NO_LIBCUDA, smoke=given.smoke("CPU:0")), required=True
    )
    assert first_broken(found.chain) == ("pci", "GPU102")


def test_what_lies_in_the_packages_is_broken_whatever_the_hardware_does() -> None:
    nothing = facts(driver=given.nothing(), gpu=NO_GPU, cuda=NO_LIBCUDA, gpu_libraries=libraries("cudnn"))
    found = judged({**nothing, "smoke": Unavailable("--no-smoke")}, required=True)
    assert {code for code in found.roots if found.roots[code].worst is Severity.ERROR} == {"GPU102", "GPU207"}
    told = standing(found.chain)
    assert (told["pci"], told["cuda_libraries"], told["capability"]) == ("broken", "broken", "not reached")


def test_wsl_has_other_nodes() -> None:
    wsl = given.driver(nodes=(), kernel_version=None, pci=(), dxg=True, wsl_library=True)
    states = chain(facts(driver=wsl), ())
    assert [each.words for each in states[:3]] == [
        "/dev/dxg, which WSL has in place of a PCI device",
        "the driver of Windows",
        "/dev/dxg",
    ]
    assert set(standing(states[:6]).values()) == {"ok"}


def test_windows_and_jetson() -> None:
    windows = chain(facts(driver=given.driver(linux=False, pci=None, nodes=(), kernel_version=None)), ())
    assert [each.words for each in windows[:3]] == ["looked at on Linux only"] * 3
    assert windows[5].standing is Standing.OK
    jetson = chain(facts(driver=given.nothing(tegra=True)), ())
    assert jetson[0].words == "a Jetson: its GPU is part of the processor"


def test_what_a_later_link_proves_is_not_broken() -> None:
    """A warning stands in the report; the chain does not break where something further along works."""
    warned = failed("GPU103", Link.DEVICE_NODES, Severity.WARNING)
    bare = given.driver(nodes=(), pci=None, kernel_version=None)
    states = chain(facts(driver=bare), (warned,))
    assert first_broken(states) is None
    assert standing(states)["device_nodes"] == "unknown"
    alone = {"driver": given.driver(nodes=(), nvml=NvmlState("no library"), usable_devices=None), "cuda": NO_LIBCUDA}
    assert first_broken(chain(alone, (warned,))) == ("device_nodes", "GPU103")


def test_an_error_breaks_the_chain_and_a_consequence_does_not() -> None:
    root, follows = failed("GPU110", Link.CUINIT), failed("SMK102", Link.DEVICES, caused_by="GPU110")
    states = chain(facts(), (root, follows))
    assert first_broken(states) == ("cuinit", "GPU110")
    assert [each.words for each in states if each.code] == ["GPU110 is wrong"]
    assert standing(states)["devices"] == "not reached"
    elsewhere = failed("SMK102", Link.DEVICES, caused_by="ENV301")
    assert first_broken(chain(facts(smoke=Unavailable("x")), (elsewhere,))) is None


def test_an_inventory_from_before_there_were_cuda_facts() -> None:
    old = {name: fact for name, fact in facts().items() if name != "cuda"}
    states = chain({**old, "cuda": Unavailable("this inventory holds no cuda facts")}, ())
    assert states[Link.CUINIT.place] == LinkState(Link.CUINIT, Standing.UNKNOWN, "this inventory holds no cuda facts")
    assert states[Link.DRIVER_LIBRARY.place].words == "the library of NVML loads; that of CUDA was not asked for"


@pytest.mark.parametrize("name", ["cuda", "gpu", "gpu_libraries", "smoke", "others", "tensorflow", "keras"])
def test_a_fact_that_is_not_there_raises_nothing(name: str) -> None:
    found = judged(facts(**{name: Unavailable("not looked at")}), required=True)
    assert len(found.chain) == len(Link)
    assert first_broken(found.chain) is None


# --- as text


def report(states: tuple[LinkState, ...]) -> Report:
    return Report("0.1.0", Inventory(), (), 0, chain=states)


def test_one_line_per_link_up_to_the_first_broken_one() -> None:
    states = chain(facts(), (failed("GPU110", Link.CUINIT),))
    assert [line for line, _ in linked(report(states), everything=False)] == [
        "PCI bus               ok       1 NVIDIA device at 0000:01:00.0",
        "kernel module         ok       nvidia 550.54.14 (closed)",
        "device nodes          ok       /dev/nvidiactl, /dev/nvidia0",
        "driver library        ok       /usr/lib/x86_64-linux-gnu/libcuda.so.1",
        "NVML                  ok       driver 550.54.14, 1 usable GPU",
        "cuInit                broken   GPU110, see below",
        "not reached: CUDA libraries, compute capability, framework's devices, operation on the GPU",
    ]


def test_a_machine_without_a_gpu_is_told_to_who_asks() -> None:
    absent = (LinkState(Link.PCI, Standing.ABSENT, "no NVIDIA GPU on this machine"),)
    assert list(linked(report(absent), everything=False)) == []
    ((line, _),) = linked(report(absent), everything=True)
    assert line == "PCI bus               absent   no NVIDIA GPU on this machine"


def test_the_verdict_names_the_first_broken_link() -> None:
    root = failed("GPU110", Link.CUINIT)
    states = chain(facts(), (root,))
    broken = replace(report(states), outcomes=(root,), exit_code=1)
    assert render(broken, Style(width=200)).count("The chain to the GPU breaks first at: cuInit (GPU110).") == 1
    assert "breaks first" not in render(replace(broken, chain=()), Style())


def test_the_text_report_has_the_chain_in_its_gpu_section() -> None:
    root = failed("GPU110", Link.CUINIT)
    lines = render(replace(report(chain(facts(), (root,))), outcomes=(root,), exit_code=1), Style()).splitlines()
    assert lines[0] == "GPU"
    assert lines[1] == "    PCI bus               ok       1 NVIDIA device at 0000:01:00.0"
    assert lines[6] == "    cuInit                broken   GPU110, see below"
    assert lines[7].startswith("    not reached: CUDA libraries, compute capability")


def test_json_has_the_chain_as_its_schema_says() -> None:
    root = failed("GPU110", Link.CUINIT)
    written = json.loads(render_json(replace(report(chain(facts(), (root,))), outcomes=(root,), exit_code=1), Style()))
    jsonschema.validate(written, report_schema({}))
    assert [each["standing"] for each in written["chain"]] == ["ok"] * 5 + ["broken"] + ["not reached"] * 4
    assert written["chain"][5] == {
        "link": "cuinit", "standing": "broken", "words": "GPU110 is wrong", "code": "GPU110",
    }  # fmt: skip
    assert written["outcomes"][0]["link"] == "cuinit"
    assert "link" not in written["outcomes"][0]["findings"][0]


def test_a_virtual_gpu_is_called_one() -> None:
    states = chain(facts(gpu=given.gpu(given.device(virtualization="vGPU"))), ())
    assert states[Link.NVML.place].words == "driver 550.54.14, 1 usable vGPU"


@given_property(
    st.lists(st.tuples(st.sampled_from(list(Link)), st.sampled_from(list(Severity)), st.booleans()), max_size=12),
    st.sampled_from(["driver", "cuda", "gpu", "gpu_libraries", "smoke", "others"]),
)
def test_whatever_fails_at_most_one_link_reached_by_the_hardware_is_broken(
    what: list[tuple[Link, Severity, bool]], away: str
) -> None:
    outcomes = tuple(
        failed(f"GPU{100 + number}", link, severity, "ENV301" if caused else None)
        for number, (link, severity, caused) in enumerate(what)
    )
    states = chain(facts(**{away: Unavailable("not looked at")}), outcomes)
    assert [each.link for each in states] == list(Link)[: len(states)]
    broken = [each for each in states if each.standing is Standing.BROKEN]
    assert sum(not each.link.stands_alone for each in broken) <= 1
    assert all(each.code for each in broken)
    seen = [each.standing for each in states]
    if Standing.BROKEN in seen:
        assert Standing.OK not in seen[seen.index(Standing.BROKEN) :]
