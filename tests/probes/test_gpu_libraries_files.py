"""What the GPU library probe reads byte by byte: ELF files, ld.so.cache, glibc's own words; and the loader on a fake root."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from cuda_wheels import Compiler, compiler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcheck.host import Host
from envcheck.probes.gpu_libraries import ldcache
from envcheck.probes.gpu_libraries.asking import nccl, runtime, understood
from envcheck.probes.gpu_libraries.elf import Elf, NotLoadable, exported, read
from envcheck.probes.gpu_libraries.loader import Caller, Loader, Process
from envcheck.probes.gpu_libraries.trace import tried
from envcheck.probes.gpu_libraries.xla import data_dir, ptxas_version
from envcheck.target.runner import Ending, Kind

__all__ = ["compiler"]  # a fixture

X86_64 = Elf(64, 62)


def loads(found: Elf | NotLoadable) -> Elf:
    assert isinstance(found, Elf), found
    return found


# --- ELF


def test_what_a_library_says_of_itself(compiler: Compiler) -> None:
    needed = compiler.library("libinner.so.1")
    path = compiler.library("libouter.so.2", needed=(needed,), runpath="$ORIGIN/../x:/y::/y")
    elf = loads(read(path))
    assert (elf.soname, elf.bits, elf.runpath, elf.rpath) == ("libouter.so.2", 64, ("$ORIGIN/../x", "/y", ""), ())
    assert elf.needed[0] == "libinner.so.1"
    elf = loads(read(compiler.library("libold.so.2", rpath="$ORIGIN")))
    assert (elf.runpath, elf.rpath) == (None, ("$ORIGIN",))


def test_what_a_library_exports(compiler: Compiler) -> None:
    path = compiler.wheel_library("cudnn")
    assert exported(path, ("cudnnGetProperty", "cudnnGetVersion")) == {"cudnnGetProperty"}
    assert exported(path.with_name("nothing"), ("cudnnGetProperty",)) == frozenset()


@pytest.mark.parametrize(
    ("content", "fatal", "words"),
    [
        (b"", True, "an empty file"),
        (b"\x7fELF", True, "too short"),
        (b"#!/bin/sh\n" * 20, True, "no ELF file"),
        (b"\x7fELF\x09\x01" + bytes(80), True, "damaged ELF header"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00\x3e\x00" + bytes(60), True, "no shared library"),
    ],
)
def test_files_that_are_no_libraries(tmp_path: Path, content: bytes, fatal: bool, words: str) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    found = read(path)
    assert isinstance(found, NotLoadable)
    assert (found.fatal, words in found.reason) == (fatal, True)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    found = {name: read(tmp_path / name) for name in ("pipe", "loop", "gone", ".", "nul\0")}
    assert all(isinstance(each, NotLoadable) for each in found.values())
    assert found["pipe"] == NotLoadable("no ordinary file", fatal=True)
    assert found["."] == NotLoadable("a folder", fatal=True)


def test_a_truncated_library(compiler: Compiler, tmp_path: Path) -> None:
    whole = compiler.wheel_library("cusolver").read_bytes()
    path = tmp_path / "lib.so"
    for length in range(0, len(whole), 397):
        path.write_bytes(whole[:length])
        found = read(path)
        assert isinstance(found, (Elf, NotLoadable))
        assert length > len(whole) - 8192 or isinstance(found, NotLoadable)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_no_bytes_break_the_reader(compiler: Compiler, tmp_path: Path, data: st.DataObject) -> None:
    """A whole library with some bytes changed, which gets farther than noise."""
    content = bytearray(compiler.wheel_library("cusolver").read_bytes())
    changes = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=40)
    for place, value in data.draw(changes):
        content[place] = value
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    assert isinstance(read(path), (Elf, NotLoadable))
    assert exported(path, ("cusolverGetProperty",)) <= {"cusolverGetProperty"}


# --- ld.so.cache


def new_cache(*entries: tuple[str, str, int, int]) -> bytes:
    """A cache in the new format: soname, path, flags, capabilities."""
    texts, place = b"", 48 + 24 * len(entries)
    rows = b""
    for soname, path, flags, capabilities in entries:
        key = place + len(texts)
        texts += soname.encode() + b"\0"
        rows += struct.pack("<iIIIQ", flags, key, place + len(texts), 0, capabilities)
        texts += path.encode() + b"\0"
    return struct.pack("<20sII20s", ldcache.NEW, len(entries), len(texts), bytes(20)) + rows + texts


ENTRIES = (
    ("libcuda.so.1", "/usr/lib/i386-linux-gnu/libcuda.so.1", 0x0003, 0),
    ("libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", 0x0303, 0),
    ("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1", 0x0303, 1 << 62),
)


def old_cache(count: int) -> bytes:
    """The old format with ``count`` entries of its own, which nobody reads any more, and the new one behind."""
    head = ldcache.OLD + b"\0" + struct.pack("<I", count) + bytes(12 * count)
    return head + bytes(-len(head) % 8) + new_cache(*ENTRIES)


@pytest.mark.parametrize("data", [new_cache(*ENTRIES), old_cache(0), old_cache(3)])
def test_the_two_formats(data: bytes) -> None:
    found = ldcache.parse(data)
    assert not isinstance(found, str)
    assert [(each.soname, each.path, each.flags, each.capabilities) for each in found] == list(ENTRIES)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "unknown format"),
        (b"glibc-ld.so.cache2.0" + bytes(100), "unknown format"),
        (ldcache.OLD + bytes(60), "unknown format"),
        (ldcache.OLD, "cut short"),
        (new_cache(*ENTRIES)[:100], "cut short"),
        (ldcache.NEW + b"\xff" * 60, "cut short"),
    ],
)
def test_a_cache_that_cannot_be_read(data: bytes, words: str) -> None:
    found = ldcache.parse(data)
    assert isinstance(found, str)
    assert words in found


@settings(max_examples=300)
@given(st.sampled_from([b"", ldcache.NEW, ldcache.OLD + b"\0", new_cache(*ENTRIES)[:60]]), st.binary(max_size=300))
def test_no_bytes_break_the_cache(start: bytes, rest: bytes) -> None:
    found = ldcache.parse(start + rest)
    assert isinstance(found, (str, tuple))


def test_the_cache_of_this_machine_is_read_as_ldconfig_prints_it() -> None:
    path, ldconfig = Path("/etc/ld.so.cache"), shutil.which("ldconfig") or "/sbin/ldconfig"
    if not path.is_file() or not Path(ldconfig).exists():
        pytest.skip("no ld.so.cache or no ldconfig here")
    found = ldcache.parse(path.read_bytes())
    assert not isinstance(found, str)
    printed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in printed.splitlines() if " => " in line]
    assert [(each.soname, each.path) for each in found] == [
        (line.split(" (")[0], line.rpartition(" => ")[2]) for line in lines
    ]


# --- the loader, on a fake root


def root_with(tmp_path: Path, library: Path, *places: str, cache: bytes | None = None) -> Host:
    for place in places:
        target = tmp_path / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    if cache is not None:
        (tmp_path / "etc").mkdir(exist_ok=True)
        (tmp_path / "etc/ld.so.cache").write_bytes(cache)
    return Host(root=tmp_path, environ={})


def loader_for(host: Host, elf: Elf, **variables: str) -> Loader:
    return Process(host, Caller(elf, "/app/tensorflow"), None, variables).loader()


def test_the_cache_comes_before_the_default_folders(compiler: Compiler, tmp_path: Path) -> None:
    library = compiler.library("libz97.so.1", link=("-nostdlib",))
    elf = loads(read(library))
    flags = ldcache.FLAGS[elf.bits, elf.machine]
    cache = new_cache(("libz97.so.1", "/opt/cached/libz97.so.1", flags, 0))
    host = root_with(tmp_path, library, "/opt/cached/libz97.so.1", "/lib64/libz97.so.1", cache=cache)
    found = loader_for(host, Elf(elf.bits, elf.machine, runpath=())).load("libz97.so.1")
    assert (found.loads, found.path) == (True, "/opt/cached/libz97.so.1")
    assert [place.how for place in found.places] == ["ld.so.cache"]


@pytest.mark.parametrize(
    ("cache", "words"),
    [(None, "there is none"), (b"another format", "unknown format"), (new_cache(), "does not list it")],
)
def test_a_cache_that_does_not_help_is_said(
    compiler: Compiler, tmp_path: Path, cache: bytes | None, words: str
) -> None:
    library = compiler.library("libz97.so.1", link=("-nostdlib",))
    host = root_with(tmp_path, library, "/lib64/libz97.so.1", cache=cache)
    found = loader_for(host, loads(read(library))).load("libz97.so.1")
    assert found.path == "/lib64/libz97.so.1"
    assert words in next(place.outcome for place in found.places if place.how == "ld.so.cache")


def test_names_in_run_paths_are_expanded(compiler: Compiler, tmp_path: Path) -> None:
    library = compiler.library("libz97.so.1", link=("-nostdlib",))
    host = root_with(tmp_path, library, "/app/lib64/libz97.so.1")
    elf = loads(read(library))
    caller = Elf(elf.bits, elf.machine, runpath=("$ORIGIN/nowhere", "${ORIGIN}/../$LIB"))
    found = loader_for(host, caller).load("libz97.so.1")
    assert found.path == "/app/lib64/libz97.so.1"
    assert [place.outcome for place in found.places] == ["no such folder", "found"]


def test_what_is_loaded_already_is_not_searched(compiler: Compiler, tmp_path: Path) -> None:
    library = compiler.library("libz97.so.1", link=("-nostdlib",))
    host = root_with(tmp_path, library, "/lib64/libz97.so.1")
    loader = loader_for(host, loads(read(library)))
    loader.load("libz97.so.1")
    (tmp_path / "lib64/libz97.so.1").unlink()
    assert [place.how for place in loader.load("libz97.so.1").places] == ["already loaded"]


def test_libraries_that_need_each_other(compiler: Compiler, tmp_path: Path) -> None:
    library = compiler.library("libring.so.1", needed=(compiler.library("libring.so.1"),), link=("-nostdlib",))
    host = root_with(tmp_path, library, "/lib64/libring.so.1")
    assert loader_for(host, loads(read(library))).load("libring.so.1").loads


# --- what the child and its tools say


def test_what_glibc_tried() -> None:
    text = (
        "      12:\tfind library=libcudnn.so.9 [0]; searching\n"
        "      12:\t search path=/a:/b\t\t(RUNPATH from file /x)\n"
        "      12:\t  trying file=/a/libcudnn.so.9\n"
        "      12:\t  trying file=/b c/libcudnn.so.9\n"
        "nonsense\n"
        "      12:\tfind library=libz.so.1 [0]; searching\n"
        "      12:\t search cache=/etc/ld.so.cache\n"
    )
    assert tried(text) == {"libcudnn.so.9": ("/a/libcudnn.so.9", "/b c/libcudnn.so.9"), "libz.so.1": ()}


@given(st.text())
def test_no_text_breaks_the_trace(text: str) -> None:
    assert isinstance(tried(text), dict)


def test_numbers_of_versions() -> None:
    assert (runtime(12090), runtime(11080), runtime(13000)) == ("12.9", "11.8", "13.0")
    assert (nccl(23203), nccl(2708)) == ("2.32.3", "2.7.8")


def test_nonsense_from_the_child_is_no_answer() -> None:
    records = (
        {"opened": True},
        {"library": "cudnn", "loaded": "yes", "path": 3, "version": ["9"], "number": True, "error": None},
        {"library": 7, "loaded": True},
        {"check": "maybe", "mapped": "x", "trace": 5, "ptxas": None},
    )
    proof = understood(Ending(Kind.ANSWERED, records))
    assert (proof.trouble, proof.check, proof.cudnn, proof.tried) == ("", None, (), {})
    assert proof.libraries["cudnn"].loaded is None
    assert proof.libraries["cudnn"].version is None


@pytest.mark.parametrize(
    ("flags", "folder"),
    [
        ("", None),
        ("--xla_gpu_cuda_data_dir=/opt/cuda", "/opt/cuda"),
        ("--a=b --xla_gpu_cuda_data_dir=/one --xla_gpu_cuda_data_dir='/two x'", "/two x"),
        ("--xla_gpu_cuda_data_dir /opt/cuda", "/opt/cuda"),
        ("--xla_gpu_cuda_data_dir", None),
        ("--xla_gpu_cuda_data_dir='/open", "'/open"),
    ],
)
def test_the_folder_in_xla_flags(flags: str, folder: str | None) -> None:
    assert data_dir(flags) == folder


def test_the_version_of_ptxas() -> None:
    text = "ptxas: NVIDIA (R) Ptx optimizing assembler\nCuda compilation tools, release 12.9, V12.9.86\nBuild cuda_12\n"
    assert ptxas_version(text) == "12.9.86"
    assert ptxas_version("Cuda compilation tools, release 11.2") == "11.2"
    assert ptxas_version("Segmentation fault") is None
