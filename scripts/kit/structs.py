# SPDX-License-Identifier: GPL-2.0-only
"""Sizes of kernel structures with the series and without it, in the same configuration."""

import pathlib
import re
import shlex
import tempfile
from typing import Dict, List

from . import base, common, git, kernel_env, series

PROBE = common.ROOT / "kmod/struct_sizes.c"
LIKE = "block/bio.o"


def measure(objects: pathlib.Path, folder: pathlib.Path = common.PATCHES) -> str:
    """A line `name series-bytes base-bytes` for each structure of the probe.

    `objects` is the output of a finished kernel build. The base is measured with the same
    command, with the headers that the series touches taken from the base.
    """
    with tempfile.TemporaryDirectory(prefix="blkcopy-sizes-") as name:
        top = pathlib.Path(name)
        ours = _sizes(objects, top / "ours.o", [])
        _base_headers(base.cached(), top / "include", folder)
        theirs = _sizes(objects, top / "theirs.o", [f"-I{top / 'include'}"])
    return "".join(f"{what} {ours[what]} {theirs[what]}\n" for what in sorted(ours))


def growth(text: str) -> List[str]:
    """The structures that the series makes bigger, as sentences."""
    found = []
    for line in text.splitlines():
        what, ours, theirs = line.split()
        if int(ours) > int(theirs):
            found.append(f"struct {what} has {ours} bytes with the series, {theirs} without it")
    return found


def _base_headers(source: git.Repo, target: pathlib.Path, folder: pathlib.Path) -> None:
    target.mkdir()
    for name in series.touched_files(series.patch_files(folder)):
        if name.startswith("include/") and source.ok("cat-file", "-e", f"base:{name}"):
            path = target / pathlib.Path(name).relative_to("include")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.run("show", f"base:{name}").stdout)


def compile_command(objects: pathlib.Path, like: str = LIKE) -> List[str]:
    """The words with which the kernel build compiled an object, up to its input and output."""
    path = objects / like
    saved = path.with_name(f".{path.name}.cmd").read_text().splitlines()[0]
    command = saved.partition(":=")[2].split(" ; ")[0]
    words = [word for word in shlex.split(command) if not word.startswith("-Wp,-MMD")]
    return words[: words.index("-o")]


def _sizes(objects: pathlib.Path, output: pathlib.Path, first: List[str]) -> Dict[str, int]:
    words = compile_command(objects)
    # In front of the kernel's own folders, or the base's headers are not seen.
    place = next(number for number, word in enumerate(words) if word.startswith("-I"))
    command = words[:place] + first + words[place:] + ["-o", str(output), str(PROBE)]
    common.run(command, cwd=objects, env=kernel_env.make_env())
    symbols = common.run(["nm", "-S", "--defined-only", output]).stdout
    found = re.findall(r"^[0-9a-f]+ ([0-9a-f]+) \w size_of_(\w+)$", symbols, re.MULTILINE)
    if not found:
        common.die(f"{PROBE.name} has no sizes:\n{symbols}")
    return {name: int(size, 16) for size, name in found}
