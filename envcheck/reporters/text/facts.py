"""What a section says of the facts before it says what was found: a line or two, for a person who knows the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from envcheck.inventory import Inventory, Unavailable
from envcheck.reporters.text.gpus import gpus, numbered
from envcheck.reporters.text.sizes import size

if TYPE_CHECKING:
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.host import HostFacts
    from envcheck.probes.keras import KerasFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


def described(prefix: str, inventory: Inventory) -> list[str]:
    """The lines that open the section of the codes starting with ``prefix``."""
    lines: list[str] = []
    for name, describe in _DESCRIBED.get(prefix, ()):
        fact = inventory.facts.get(name)
        if isinstance(fact, Unavailable):
            lines += [fact.reason] * (name in _SAID_WHEN_MISSING)
        elif fact is not None:
            lines.extend(describe(fact))
    return [*lines, *numbered(inventory)] if prefix == "GPU" else lines


def _host(host: HostFacts) -> Iterator[str]:
    parts = [f"{host.os_name or host.system} ({host.system} {host.release}, {host.machine})"]
    if host.libc:
        parts.append(f"{host.libc} {host.libc_version}".strip())
    if host.cpu_count:
        widest = [name for name in ("avx512f", "avx2", "avx") if name in (host.instruction_sets or ())][:1]
        parts.append(f"{host.cpu_count} CPUs" + "".join(f" with {name.upper()}" for name in widest))
    if host.memory_total:
        limit = f", limited to {size(host.memory_limit)}" if host.memory_limit else ""
        parts.append(f"{size(host.memory_total)} of memory{limit}")
    if host.container:
        parts.append("in a container" if host.container == "container" else f"in a container ({host.container})")
    if host.wsl:
        parts.append(f"on WSL {host.wsl}")
    elif host.virtual_machine:
        parts.append(
            "on a virtual machine" + (f" ({host.virtual_machine})" if host.virtual_machine != "unknown" else "")
        )
    yield ", ".join(parts)


def _python(python: PythonFacts) -> Iterator[str]:
    made = {"uv": "virtual environment made by uv", "venv": "virtual environment", "conda": "conda environment"}
    words = made.get(python.manager, f"{python.manager} installation")
    yield f"Python {python.version} ({python.implementation}, {words}): {python.executable}"


def _packages(packages: PackagesFacts) -> Iterator[str]:
    count = len(packages.distributions)
    family = f"{len(packages.family)} of them TensorFlow, Keras and what they require"
    yield f"{count} distribution{'' if count == 1 else 's'}, {family}"


def _tensorflow(tensorflow: TensorFlowFacts) -> Iterator[str]:
    build = tensorflow.build
    if build.is_cuda:
        made = f"built for CUDA {build.cuda or '?'}, cuDNN {build.cudnn or '?'}"
        if build.sass:
            made += f", compute capabilities {', '.join(build.sass)}"
    elif build.is_cuda is False:
        made = "built for ROCm" if build.is_rocm else "built without CUDA: CPU only"
    else:
        made = "its build says nothing about CUDA"
    yield f"TensorFlow {tensorflow.version} ({tensorflow.distribution}, {tensorflow.vendor}), {made}"


def _keras(keras: KerasFacts) -> Iterator[str]:
    if keras.tf_keras_is == "none" and keras.keras is None:
        return
    parts = []
    if keras.keras:
        backend = f" (backend {keras.backend})" if keras.keras.major >= 3 else ""
        parts.append(f"import keras → Keras {keras.keras.version}{backend}")
    means = {
        "bundled": "TensorFlow's own Keras",
        "keras": "the same Keras" if keras.keras else "keras, which is not installed",
        "tf_keras": f"tf_keras {keras.tf_keras.version}" if keras.tf_keras else "tf_keras, which is not installed",
    }
    if keras.tf_keras_is in means:
        flag = f" (TF_USE_LEGACY_KERAS={keras.legacy_flag})" if keras.legacy else ""
        parts.append(f"tf.keras → {means[keras.tf_keras_is]}{flag}")
    if keras.tf_keras and keras.tf_keras_is != "tf_keras":
        parts.append(f"import tf_keras → tf_keras {keras.tf_keras.version}")
    yield "; ".join(parts)


def _driver(driver: DriverFacts) -> Iterator[str]:
    if driver.driver_version:
        supports = f", serves CUDA up to {driver.cuda_version}" if driver.cuda_version else ""
        yield f"NVIDIA driver {driver.driver_version}{supports}"


_SAID_WHEN_MISSING = ("tensorflow", "gpu")
_DESCRIBED: dict[str, tuple[tuple[str, Callable[[Any], Iterator[str]]], ...]] = {
    "ENV1": (("host", _host), ("python", _python)),
    "ENV2": (("packages", _packages),),
    "ENV3": (("tensorflow", _tensorflow), ("keras", _keras)),
    "GPU": (("driver", _driver), ("gpu", gpus)),
}
