"""The matrix itself: what each TensorFlow series was built for and needs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from packaging.specifiers import SpecifierSet

from envcheck.knowledge.rows import Dotted, Minor, Source

Some = msgspec.Meta(min_length=1)


class Series(msgspec.Struct, frozen=True):
    """One TensorFlow series (``2.15``); the YAML file says what each column means. None: not told, or there is none.

    Raises:
        ValueError: ``keras``, ``tf_keras``, ``numpy`` or ``protobuf`` is no version specifier.
    """

    series: Minor
    python: Annotated[tuple[Minor, ...], Some]
    keras: str | None
    tf_keras: str | None
    cuda: Dotted | None
    cudnn: Dotted | None
    sass: Annotated[tuple[Dotted, ...], Some] | None
    ptx: Annotated[tuple[Dotted, ...], Some] | None
    glibc: Dotted
    source: Source
    numpy: str | None = None
    protobuf: str | None = None
    platforms: tuple[
        Literal["linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-arm64", "windows-x86_64"], ...
    ] = ()

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        for wanted in (self.keras, self.tf_keras, self.numpy, self.protobuf):
            if wanted is not None:
                SpecifierSet(wanted)
