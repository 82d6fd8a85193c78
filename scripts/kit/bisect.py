# SPDX-License-Identifier: GPL-2.0-only
"""Builds and boots the kernel of every patch: whoever bisects must find a kernel that works."""

import pathlib
import time
from typing import List, Tuple

from . import base, check, common, kconfig, kernel, kernel_env, series, testing

FOLDER = common.BUILD / "check" / "bisect"
OBJECTS = FOLDER / "plain" / "obj"
# Patches that do not offer copies yet have to leave reads and writes alone, and to refuse copies.
EVERY = ["no-copy/blkcopy_guest_test"]
LAST = ["default/*", *EVERY]


def bisect(jobs: int, verbose: bool, only: str = "") -> None:
    """The base and each patch in turn; with `only`, numbers of patches: `3` or `3-5`."""
    patches = series.code_files(common.PATCHES)
    if not patches:
        common.die(f"{common.shown(common.PATCHES)} has no patches")
    numbers = _chosen(only, len(patches))
    FOLDER.mkdir(parents=True, exist_ok=True)
    testing.build(FOLDER / "build.log", jobs, verbose, "harness", "tools", "selftests")
    source = base.cached()
    commits = check.commits_of(source, series.import_onto(source, "base", patches))
    repo = check.prepare(source, commits)
    rows: List[Tuple[str, str, bool]] = []
    for number in numbers:
        name = patches[number - 1].name[:-6] if number else "0000-base"
        repo.run("checkout", "-q", "-f", "--detach", commits[number])
        started = time.monotonic()
        builds, says = _build(name, jobs, verbose)
        seconds = f"{time.monotonic() - started:5.0f} s"
        good = builds and (number == 0 or _works(name, number == len(patches)))
        if builds:
            says = "builds, boots, passes" if good else f"FAILED, see {common.shown(FOLDER / name)}"
        rows.append((f"  {seconds}  {name}", says, good))
        common.say(f"  {name}: {says}")
    width = max(len(row[0]) for row in rows)
    common.say("")
    for left, right, _ in rows:
        common.say(f"{left:{width}}  {right}")
    bad = sum(1 for row in rows if not row[2])
    common.say(f"\n{len(rows) - bad} passed, {bad} failed")
    if bad:
        common.die(f"{bad} of {len(rows)} kernels do not build or do not work")


def _chosen(text: str, most: int) -> List[int]:
    """Numbers of patches; 0 is the base, which is built to compare with and not booted."""
    if not text:
        return list(range(most + 1))
    first, _, last = text.partition("-")
    try:
        numbers = list(range(int(first), int(last or first) + 1))
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 0 or numbers[-1] > most:
        common.die(f"no such patches: {text}; there are 1-{most}", common.EXIT_USAGE)
    return numbers


def _build(name: str, jobs: int, verbose: bool) -> Tuple[bool, str]:
    log = FOLDER / f"{name}.log"
    log.unlink(missing_ok=True)
    command = ["make", "-C", str(check.TREE), f"O={OBJECTS}", f"-j{jobs}"]
    command += [*kernel_env.make_words(), "bzImage"]
    try:
        kconfig.configure(check.TREE, OBJECTS, kconfig.fragments("plain"), kernel_env.make_words())
        kernel.run_logged(command, log, None, verbose)
    except common.KitError as error:
        return False, f"FAILED to build: {str(error).splitlines()[0]}"
    return True, ""


def _works(name: str, last: bool) -> bool:
    """Boots to user space, and passes the tests that this patch can run."""
    image = f"--kernel={OBJECTS / 'arch/x86/boot/bzImage'}"
    folder = FOLDER / name
    code, _ = testing.run_logged(
        [str(testing.VM), "exec", image, "--machine", "default", "--", "/bin/true"],
        FOLDER / f"{name}.boot.log",
        False,
    )
    if code != 0:
        return False
    filters = [f"--filter={each}" for each in (LAST if last else EVERY)]
    code, _ = testing.run_logged(
        [str(testing.VM), "run", image, f"--results={folder}", *filters],
        pathlib.Path(f"{folder}.test.log"),
        False,
    )
    return code == 0
