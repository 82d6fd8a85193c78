# SPDX-License-Identifier: GPL-2.0-only
"""Modules built out of tree: what a kernel build leaves behind for them, and the building.

A kernel from the cache has neither sources nor objects. So each kernel comes with one archive of
what a distribution's headers package holds, made by the kernel's own script for those packages.
"""

import hashlib
import pathlib
import shutil
from typing import List

from . import common, kernel_env

ARCHIVE = "kdir.tar.zst"
SOURCES = common.ROOT / "kmod"


def collect_words(source: pathlib.Path, objects: pathlib.Path) -> List[str]:
    """What to tell make in a built tree, to have it collect the files of the archive."""
    script = source / "scripts/package/install-extmod-build"
    return ["run-command", f"KBUILD_RUN_COMMAND=rm -rf kdir && {script} {objects / 'kdir'}"]


def pack(objects: pathlib.Path, archive: pathlib.Path) -> None:
    """Makes the archive of what was collected. The same files give the same bytes, at any time."""
    common.run(
        ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=2000-01-01Z"]
        + ["-I", "zstd -9 -T0", "-C", objects, "-cf", archive, "kdir"]
    )
    shutil.rmtree(objects / "kdir")


def unpack(kernel: pathlib.Path) -> pathlib.Path:
    """The build tree of the kernel in this folder, as KDIR for modules; unpacked where it is new."""
    archive = kernel / ARCHIVE
    if not archive.exists():
        common.die(f"{common.shown(archive)} is missing: `make kernel` makes it")
    tree = kernel / "kdir"
    mark = tree / ".archive"
    known = hashlib.sha256(archive.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == known:
        return tree
    shutil.rmtree(tree, ignore_errors=True)
    common.run(["tar", "-I", "zstd", "-C", kernel, "-xf", archive])
    mark.write_text(known)
    return tree


def build(kdir: pathlib.Path, out: pathlib.Path, jobs: int, verbose: bool) -> List[pathlib.Path]:
    """Builds kmod/ against `kdir` into `out`; returns the modules."""
    if not (kdir / "include/generated/utsrelease.h").exists():
        common.die(
            f"{kdir} is no build tree of a kernel (it has no include/generated/utsrelease.h); "
            "`make modules_prepare` there, or build it",
            common.EXIT_USAGE,
        )
    _forget_other_kernel(kdir, out)
    words = ["make", "V=1" if verbose else "-s"]
    words += ["-C", str(SOURCES), f"KDIR={kdir}", f"O={out}", f"J={jobs}"]
    done = common.run(words + _compiler(kdir), env=kernel_env.make_env(), check=False)
    (out / "build.log").write_text(done.stdout + done.stderr)
    if verbose:
        common.say((done.stdout + done.stderr).rstrip())
    if done.returncode != 0:
        common.die(f"the modules do not build:\n{(done.stderr or done.stdout)[-4000:]}")
    return sorted(out.glob("*.ko"))


def _compiler(kdir: pathlib.Path) -> List[str]:
    """A kernel that was built with another compiler than ours keeps its own."""
    text = (kdir / "include/config/auto.conf").read_text()
    return [] if "CONFIG_CC_IS_GCC=y" not in text else kernel_env.make_words()[:1]


def _forget_other_kernel(kdir: pathlib.Path, out: pathlib.Path) -> None:
    """Objects of another kernel would look up to date: unpacked headers have old time stamps."""
    mark = out / ".kernel"
    archive = kdir / ".archive"
    release = kdir / "include/generated/utsrelease.h"
    known = f"{kdir}\n{(archive if archive.exists() else release).read_text()}"
    if not mark.exists() or mark.read_text() != known:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        mark.write_text(known)
