"""Builds a ``site-packages`` on disk: metadata folders, files and RECORDs, as an installer leaves them."""

from __future__ import annotations

from pathlib import Path

from literals import python

from envcheck.host import Host
from envcheck.probes import packages
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.python import PythonFacts


def install(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
    installer: str = "pip",
    tags: tuple[str, ...] = ("py3-none-any",),
) -> Path:
    """Install a distribution; its files default to an import package of its name. Returns its metadata folder."""
    files = {f"{name.replace('-', '_')}/__init__.py": f"__version__ = {version!r}\n"} if files is None else files
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nA description.\n"
    )
    (info / "INSTALLER").write_text(f"{installer}\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))
    record = [f"{path},sha256=x,{len(text)}" for path, text in files.items()]
    (info / "RECORD").write_text("\n".join([*record, f"{info.name}/RECORD,,"]) + "\n")
    return info


def target(*folders: Path) -> PythonFacts:
    """An interpreter that searches these folders."""
    return python(sys_path=tuple(str(folder) for folder in folders))


def read(*folders: Path) -> PackagesFacts:
    """What the packages probe sees in these folders."""
    return packages.collect(Host(), target(*folders))
