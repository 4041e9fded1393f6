"""The GPUs of a machine, and groups of them of which the same is to be said."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envcheck.findings import Skip
from envcheck.probes.gpu.device import NOT_SUPPORTED, CudaDevice, Device
from envcheck.probes.gpu.visible import Selection, select


@dataclass(frozen=True, slots=True)
class Group:
    """GPUs of which the same is to be said. ``every`` tells that they are all the GPUs of a machine with several."""

    devices: tuple[Device, ...]
    every: bool = False

    @property
    def label(self) -> str:
        """How a message names them: ``GPU 0–7 (NVIDIA H100)``."""
        names: dict[str | None, list[int]] = {}
        for device in self.devices:
            names.setdefault(device.name, []).append(device.index)
        return ", ".join(f"GPU {_ranges(indexes)}" + (f" ({name})" if name else "") for name, indexes in names.items())

    @property
    def indexes(self) -> list[int]:
        """NVML's numbers of them."""
        return [device.index for device in self.devices]

    def verb(self, one: str, many: str) -> str:
        """``one`` for a single GPU, ``many`` for several."""
        return one if len(self.devices) == 1 else many

    def commands(self, *templates: str) -> tuple[str, ...]:
        """Commands with ``-i {index}`` in them for these GPUs; nvidia-smi without ``-i`` means all of a machine."""
        if self.every:
            return tuple(template.replace(" -i {index}", "") for template in templates)
        found = (t.replace("{index}", str(index)) for t in templates for index in self.indexes)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """Every GPU asked, those included that do not answer. ``count`` is larger where NVML hung on the way.

    ``cuda_order`` are the UUIDs of the GPUs and MIG instances that CUDA_VISIBLE_DEVICES leaves, in the order in which CUDA
    counts them: the first is TensorFlow's ``GPU:0``. It is foretold, not asked of CUDA; None where it cannot be: CUDA
    puts different GPUs in an order of its own.
    """

    count: int
    devices: tuple[Device, ...]
    cuda_order: tuple[str | None, ...] | None = None

    @property
    def usable(self) -> tuple[Device, ...]:
        """Those that could be opened."""
        return tuple(device for device in self.devices if device.failure is None)

    def visible(self, variables: Mapping[str, str]) -> Selection:
        """What ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` leave, as the CUDA driver reads them.

        Source: see :func:`envcheck.probes.gpu.visible.select`.
        """
        return select(self.usable, self.count - len(self.devices), variables)

    def need_visible(self, variables: Mapping[str, str]) -> Selection:
        """What :meth:`visible` leaves, for a check that has nothing to say without.

        Raises:
            Skip: no GPU is left.
        """
        selection = self.visible(variables)
        if not selection.cuda:
            raise Skip("no GPU is visible")
        return selection

    def need_told(
        self, variables: Mapping[str, str], question: str, tell: Callable[[Device], object], words: str
    ) -> tuple[Device, ...]:
        """The visible GPUs of which ``tell`` has an answer, for a check that judges what NVML says to ``question``.

        Raises:
            Skip: no GPU is left, or the driver tells it of none: a thing unknown unless none of them has it.
        """
        devices = self.need_visible(variables).devices
        told = tuple(device for device in devices if tell(device) is not None)
        if not told:
            without = all(device.errors.get(question) == NOT_SUPPORTED for device in devices)
            raise Skip(words, unknown=not without)
        return told

    def named(self, places: Iterable[CudaDevice]) -> str:
        """How a message names several devices of CUDA: ``GPU 0–7 (NVIDIA H100)``."""
        places = tuple(places)
        whole = Group(tuple(each.device for each in places if each.instance is None)).label
        return ", ".join(filter(None, (whole, *(each.label for each in places if each.instance))))

    def grouped(self, devices: Iterable[Device], key: Callable[[Device], Hashable]) -> list[Group]:
        """The devices put together by ``key``, so that eight GPUs with one trouble make one finding."""
        found: dict[Hashable, list[Device]] = {}
        for device in devices:
            found.setdefault(key(device), []).append(device)
        return [Group(tuple(each), 1 < len(each) == self.count) for each in found.values()]


def _ranges(indexes: Sequence[int]) -> str:
    """``0–3, 6`` for 0, 1, 2, 3 and 6."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
