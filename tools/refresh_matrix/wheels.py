"""What one wheel tells of itself: its METADATA, and for TensorFlow what it was compiled with."""

from __future__ import annotations

import ast
import dataclasses
import email.parser
import re
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from tools.refresh_matrix.index import Members, Unreadable

LIBRARIES = {
    "cudart": "CUDART",
    "cublas": "CUBLAS",
    "cublasLt": "CUBLAS",
    "cufft": "CUFFT",
    "curand": "CURAND",
    "cusolver": "CUSOLVER",
    "cusparse": "CUSPARSE",
    "cupti": "CUPTI",
    "cudnn": "CUDNN",
    "nccl": "NCCL",
}
"""Each library that TensorFlow opens, and how cuda_config.h spells its version: ``TF_CUDART_VERSION``."""


@dataclass(frozen=True, slots=True)
class WheelFacts:
    """What is recorded of one wheel; the fields are those of a record."""

    requires: tuple[str, ...]
    extras: dict[str, tuple[str, ...]] = field(default_factory=dict)
    python: str | None = None
    built: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    rocm: str | None = None
    capabilities: tuple[str, ...] | None = None
    sonames: dict[str, str] | None = None


def wanted(name: str) -> bool:
    """Whether a member of a wheel tells something that is recorded."""
    ends = (".dist-info/METADATA", "/platform/build_info.py", "/cuda_config.h", "/nccl_config.h")
    return name.endswith(ends) and name.count(".dist-info/") <= 1


def facts(members: Members) -> WheelFacts:
    """What the members of a wheel tell.

    Raises:
        Unreadable: it has no METADATA, or build facts of a form never seen.
    """
    metadata = [text for name, text in members.texts.items() if name.endswith(".dist-info/METADATA")]
    if not metadata:
        raise Unreadable("the wheel has no METADATA")
    message = email.parser.BytesParser().parsebytes(metadata[0], headersonly=True)
    requires, extras = _requirements([str(line) for line in message.get_all("Requires-Dist", [])])
    python = message.get("Requires-Python")
    plain = WheelFacts(requires, extras, None if python is None else str(python), members.built)
    return dataclasses.replace(plain, **_build(members))


def _requirements(lines: list[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The requirements without an extra, and those of each extra without the marker that names it; sorted."""
    plain: set[str] = set()
    extras: dict[str, set[str]] = {}
    for line in lines:
        try:
            text = str(Requirement(line))
        except InvalidRequirement:
            text = line.strip()
        names = re.findall(r"""extra == ["']([^"']+)["']""", text)
        head, _, marker = text.partition(";")
        marker = re.sub(r"""(\s+and\s+)?\(?\bextra == ["'][^"']+["']\)?(\s+and\s+)?""", "", marker).strip()
        text = f"{head.strip()}; {marker}" if marker else head.strip()
        for name in names:
            extras.setdefault(name.lower().replace("_", "-"), set()).add(text)
        if not names:
            plain.add(text)
    return tuple(sorted(plain)), {name: tuple(sorted(extras[name])) for name in sorted(extras)}


def _build(members: Members) -> dict[str, Any]:
    """The build facts: from build_info.py (a dict from 2.3 on), and the exact library versions from cuda_config.h."""
    info: dict[str, object] = {}
    defines: dict[str, str] = {}
    for name in sorted(members.texts):
        text = members.texts[name].decode("utf-8", "replace")
        if name.endswith("/build_info.py"):
            info.update(_literals(text))
        elif not name.endswith("METADATA"):
            for key, value in re.findall(r"#define TF_(\w+)\s+([^\r\n]*)", text):
                defines[key] = value.strip().strip('"') if value.count('"') <= 2 else value
    if info.get("is_rocm_build") is True:
        return {"rocm": str(info.get("rocm_version") or "yes")}
    cuda = _number(info.get("cuda_version") or defines.get("CUDA_VERSION"))
    if info.get("is_cuda_build") is not True or not cuda:
        return {}
    listed = info.get("cuda_compute_capabilities")
    windows = "cudart_dll_name" in info
    found: dict[str, Any] = {
        "cuda": cuda,
        "cudnn": _number(info.get("cudnn_version") or defines.get("CUDNN_VERSION")),
        "capabilities": tuple(map(str, listed)) if isinstance(listed, list) else _capabilities(defines),
        "sonames": _dlls(info) if windows else _sonames(cuda, defines),
    }
    return found


def _literals(source: str) -> dict[str, object]:
    """The literal assignments of build_info.py, and the pairs of its ``build_info``; nothing is executed."""
    found: dict[str, object] = {}
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise Unreadable(f"build_info.py does not parse: {error}") from None
    for node in body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        value: ast.expr = node.value
        if isinstance(value, ast.Call) and value.args:  # OrderedDict([…])
            value = value.args[0]
        try:
            literal = ast.literal_eval(value)
        except ValueError:
            continue
        if node.targets[0].id == "build_info":
            found.update(dict(literal))
        else:
            found[node.targets[0].id] = literal
    return found


def _number(spelled: object) -> str | None:
    """``11.2`` for "11.2" and for what Windows writes, "64_112"; ``8`` for "64_8"."""
    text = str(spelled or "")
    digits = text.removeprefix("64_")
    if digits != text and len(digits) > 1:
        return f"{digits[:-1]}.{digits[-1]}"
    return digits or None


def _capabilities(defines: dict[str, str]) -> tuple[str, ...] | None:
    """As cuda_config.h lists them, without saying which are SASS and which PTX: ``3.5``."""
    listed = re.findall(r"\d+\.\d+", defines.get("CUDA_CAPABILITIES", ""))
    return tuple(listed) or None


def _sonames(cuda: str, defines: dict[str, str]) -> dict[str, str]:
    """A library without a version of its own has that of CUDA, as all had up to 10.0."""
    major, minor = (*cuda.split("."), "0")[:2]
    found = {}
    for library, spelled in LIBRARIES.items():
        version = defines.get(f"{spelled}_VERSION")
        if version is None and library in ("nccl", "cudnn"):
            continue
        if library == "cublasLt" and int(major) < 11:
            continue
        found[library] = f"lib{library}.so.{version or f'{major}.{minor}'}"
    return found


def _dlls(info: dict[str, object]) -> dict[str, str]:
    return {key.removesuffix("_dll_name"): str(info[key]) for key in sorted(info) if key.endswith("_dll_name")}
