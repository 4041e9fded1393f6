"""Are there GPUs of makers that envcheck does not judge?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.others import OthersFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.smoke import SmokeFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

PLUGINS = {
    "Apple": ("tensorflow-metal",),
    "AMD": ("tensorflow-rocm",),
    "Intel": ("intel-extension-for-tensorflow",),
}
"""The distributions by which TensorFlow uses a maker's GPUs."""
PAGES = {
    "Apple": "https://developer.apple.com/metal/tensorflow-plugin/",
    "AMD": "https://rocm.docs.amd.com/projects/install-on-linux/en/latest/install/3rd-party/tensorflow-install.html",
    "Intel": "https://intel.github.io/intel-extension-for-tensorflow/",
}


@check("GPU112", "No GPU is there that TensorFlow leaves unused for want of its maker's package", Severity.NOTE)
def other_makers(
    others: OthersFacts,
    driver: DriverFacts,
    packages: PackagesFacts,
    tensorflow: TensorFlowFacts | Unavailable,
    smoke: SmokeFacts | Unavailable,
) -> Iterator[Finding]:
    """There is a GPU of AMD, Intel or Apple and none of NVIDIA, and no package by which TensorFlow could use it.

    Cause: TensorFlow's own wheels use NVIDIA's GPUs only. AMD brings a build of its own (tensorflow-rocm), Apple and Intel
    plug-ins (tensorflow-metal, intel-extension-for-tensorflow), each for certain releases of TensorFlow. envcheck does not
    look at their drivers and libraries: with such a package installed, the smoke run alone shows whether it works.

    How to fix: install the maker's package together with a TensorFlow that it names; or leave it at the CPU, which is fine
    where that is meant.

    Source: the pages of the makers: https://developer.apple.com/metal/tensorflow-plugin/, https://rocm.docs.amd.com,
    https://intel.github.io/intel-extension-for-tensorflow/
    """
    if not others.gpus:
        raise Skip("no GPU of another maker was seen")
    if driver.hardware or driver.nvml.ok:
        raise Skip("there is an NVIDIA GPU beside it")
    if not isinstance(smoke, Unavailable) and any(
        step.status == "ok" and step.device and not step.device.upper().startswith("CPU") for step in smoke.steps
    ):
        return
    rocm = not isinstance(tensorflow, Unavailable) and bool(tensorflow.build.is_rocm)
    for gpu in others.gpus:
        wanted = PLUGINS[gpu.maker]
        if (gpu.maker == "AMD" and rocm) or any(packages.find(name) for name in wanted):
            raise Skip(f"{others.words}, and a package for it is installed: not covered", unknown=True)
    gpu = others.gpus[0]
    yield Finding(
        f"{others.words}, and TensorFlow's own wheels cannot use it: training runs on the CPU",
        Fix(f"where the GPU is meant, install {PLUGINS[gpu.maker][0]} with the TensorFlow that its page names"),
        evidence={"gpus": [f"{each.maker}: {each.seen}" for each in others.gpus], "rocm": others.rocm},
        url=PAGES[gpu.maker],
    )
