# SPDX-License-Identifier: GPL-2.0-only
"""Builds the kernel of a flavour into build/kernel/FLAVOUR, or takes it from the cache.

A built kernel is known by a key: base version, series, configuration fragments, compiler and this
recipe. The same key on the same machine is never built twice; ccache helps where the key differs.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
from typing import Iterator, List, Optional

from . import base, common, kconfig, kernel_env, modules, mutations, series, structs, tree
from .progress import Progress

RECIPE = "4"  # Raise when the same inputs would give another result.
KEPT = 12  # Kernels in the cache; about 30 MB each.
EXPECTED_STEPS = dict.fromkeys(kconfig.FLAVOURS, 1500)
RESULTS = (
    "bzImage",
    "System.map",
    "config",
    "headers",
    "kselftest",
    "struct-sizes",
    modules.ARCHIVE,
)
# What selftests are compiled with, so that a cached kernel needs no source tree.
KSELFTEST_HEADERS = ("kselftest.h", "kselftest_harness.h")


def directory(flavour: str) -> pathlib.Path:
    return common.BUILD / "kernel" / flavour


def compiler() -> str:
    return common.run(["gcc", "--version"]).stdout.splitlines()[0]


def key_of(flavour: str, folder: pathlib.Path) -> str:
    total = hashlib.sha256()
    parts = [RECIPE, base.version(), compiler()]
    parts.append("none" if flavour == "unpatched" else series.digest(folder))
    if flavour == "mutants":
        parts.append(mutations.text_of())
    parts += [path.read_text() for path in kconfig.fragments(flavour)]
    for part in parts:
        total.update(part.encode() + b"\0")
    return total.hexdigest()[:32]


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    """One build of a flavour at a time; the second one finds the first one's result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            common.say("Waiting for another kernel build ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(flavour: str, jobs: int, verbose: bool, work: bool) -> pathlib.Path:
    """build/kernel/FLAVOUR/bzImage, up to date. With `work`, of the developer's tree as it is."""
    kconfig.fragments(flavour)
    out = directory(flavour)
    with locked(out / ".lock"):
        if work:
            _build(flavour, tree.work_repo().path, out / "obj-work", jobs, verbose)
            (out / "key").write_text("work tree\n")
            return out / "bzImage"
        key = key_of(flavour, common.PATCHES)
        stored = common.CACHE / "kernels" / key
        if _is_current(out, key):
            common.say(f"Kernel ({flavour}): {common.shown(out / 'bzImage')} is up to date.")
        elif (stored / "bzImage").exists():
            _install(stored, out, key)
            os.utime(stored)
            common.say(f"Kernel ({flavour}): {common.shown(out / 'bzImage')}, from the cache.")
        else:
            # All flavours are built from one tree; nobody may change it under a compiler.
            with locked(common.BUILD / ".kernel-tree.lock"):
                _build(flavour, _source(flavour), out / "obj", jobs, verbose)
            (out / "key").write_text(key + "\n")
            _store(out, stored)
        return out / "bzImage"


def ensure_tree(flavour: str, kdir: pathlib.Path, jobs: int, verbose: bool) -> pathlib.Path:
    """build/kernel/FLAVOUR/bzImage from a kernel tree of the user's, which has the series."""
    fragments = kconfig.fragments(flavour)
    complaints = tree.unfit(kdir)
    if complaints:
        common.die("\n".join(complaints), common.EXIT_USAGE)
    found = tree.version_of(kdir)
    if not found.startswith(common.BASE + "."):
        common.warn(
            f"Note: {kdir} is Linux {found}; series, {fragments[0].name} and tests are made for "
            f"{common.BASE}. What does not match shows as a symbol that does not take, or as an "
            "error of the compiler or of a test."
        )
    out = directory(flavour)
    with locked(out / ".lock"):
        key = (
            f"{kdir} {tree.state_of(kdir)} {compiler()} "
            + hashlib.sha256(b"".join(path.read_bytes() for path in fragments)).hexdigest()
        )
        if _is_current(out, key):
            common.say(f"Kernel ({flavour}) of {kdir}: up to date.")
        else:
            _build(flavour, kdir, out / "obj-kdir", jobs, verbose)
            (out / "key").write_text(key + "\n")
        return out / "bzImage"


def build_modules(flavour: str, jobs: int, verbose: bool) -> List[pathlib.Path]:
    """Builds kmod/ for the kernel in build/kernel/FLAVOUR, into build/kmod/FLAVOUR."""
    out = directory(flavour)
    with locked(out / ".lock"):
        kdir = modules.unpack(out)
        return modules.build(kdir, common.BUILD / "kmod" / flavour, jobs, verbose)


def _source(flavour: str) -> pathlib.Path:
    if flavour == "mutants":
        return mutations.source()
    return tree.source_of_base() if flavour == "unpatched" else tree.source_of_series()


def _is_current(out: pathlib.Path, key: str) -> bool:
    mark = out / "key"
    return (
        mark.exists()
        and mark.read_text().strip() == key
        and all((out / name).exists() for name in RESULTS)
    )


def _install(source: pathlib.Path, out: pathlib.Path, key: str) -> None:
    (out / "key").unlink(missing_ok=True)
    for name in RESULTS:
        if (source / name).is_dir():
            shutil.rmtree(out / name, ignore_errors=True)
            shutil.copytree(source / name, out / name)
        else:
            # A new file, not new content: a guest may be running the old one.
            shutil.copy2(source / name, out / f".{name}")
            (out / f".{name}").rename(out / name)
    (out / "key").write_text(key + "\n")


def _store(out: pathlib.Path, stored: pathlib.Path) -> None:
    part = stored.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in RESULTS:
        copy = shutil.copytree if (out / name).is_dir() else shutil.copy2
        copy(out / name, part / name)
    shutil.rmtree(stored, ignore_errors=True)
    part.rename(stored)
    entries = sorted(stored.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in entries[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _build(
    flavour: str, source: pathlib.Path, objects: pathlib.Path, jobs: int, verbose: bool
) -> None:
    out = directory(flavour)
    for name in RESULTS + ("key",):
        path = out / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (common.CACHE / "ccache").mkdir(parents=True, exist_ok=True)
    common.say(f"Building the {flavour} kernel from {common.shown(source)} (-j{jobs}) ...")
    kconfig.configure(source, objects, kconfig.fragments(flavour), kernel_env.make_words())
    command = ["make", "-C", str(source), f"O={objects}", f"-j{jobs}", *kernel_env.make_words()]
    log = out / "build.log"
    log.unlink(missing_ok=True)
    run_logged(command + ["bzImage", "modules"], log, _progress(flavour), verbose)
    headers = [f"INSTALL_HDR_PATH={out / 'headers'}", "headers_install"]
    run_logged(command + headers, log, None, verbose)
    (out / "kselftest").mkdir()
    for name in KSELFTEST_HEADERS:
        shutil.copy2(source / "tools/testing/selftests" / name, out / "kselftest" / name)
    (out / "struct-sizes").write_text(structs.measure(objects))
    run_logged(command + modules.collect_words(source, objects), log, None, verbose)
    modules.pack(objects, out / modules.ARCHIVE)
    shutil.copy2(objects / "System.map", out / "System.map")
    shutil.copy2(objects / ".config", out / "config")
    shutil.copy2(objects / "arch/x86/boot/bzImage", out / "bzImage")


def _steps_file(flavour: str) -> pathlib.Path:
    return common.CACHE / f"steps-{flavour}"


def _progress(flavour: str) -> Progress:
    try:
        expected = int(_steps_file(flavour).read_text())
    except (OSError, ValueError):
        expected = EXPECTED_STEPS[flavour]
    return Progress(f"{flavour} kernel", expected)


def run_logged(
    command: List[str], log: pathlib.Path, progress: Optional[Progress], verbose: bool
) -> None:
    """Runs make with all output in `log`; counts steps; on failure shows the errors."""
    with open(log, "a", encoding="utf-8", errors="replace") as sink, common.start(
        command, env=kernel_env.make_env()
    ) as child, common.stopped_with_us(child):
        assert child.stdout is not None
        for line in child.stdout:
            sink.write(line)
            if verbose:
                print(line, end="", flush=True)
            elif progress and re.match(r"  [A-Z][A-Z0-9_]* +\S", line):
                progress.step(line.strip())
    if child.returncode == 0:
        if progress and not verbose:
            progress.done("built")
            # A full build tells the next one what to expect; an incremental one does not.
            if progress.steps > 500:
                _steps_file(progress.title.split()[0]).write_text(str(progress.steps))
        return
    if progress and not verbose:
        progress.done("FAILED")
    lines = log.read_text(errors="replace").splitlines()
    marks = [
        n for n, line in enumerate(lines) if re.search(r"error:|\*\*\*|undefined reference", line)
    ]
    first = max(marks[0] - 3, 0) if marks else max(len(lines) - 30, 0)
    common.die(f"the build failed ({common.shown(log)}):\n" + "\n".join(lines[first : first + 30]))
