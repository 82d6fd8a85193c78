# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configurations: tinyconfig plus fragments, every line of which must take."""

import pathlib
import re
from typing import Dict, List, Sequence

from . import common

FLAVOURS = {
    "plain": ["Kconfig.snippet"],
    "debug": ["Kconfig.snippet", "scripts/debug.config"],
    "unpatched": ["Kconfig.snippet"],
    "mutants": ["Kconfig.snippet"],
}


def fragments(flavour: str) -> List[pathlib.Path]:
    """The fragments of a flavour, the strongest last."""
    if flavour not in FLAVOURS:
        common.die(
            f"FLAVOUR={flavour} is unknown; choose one of {', '.join(FLAVOURS)}", common.EXIT_USAGE
        )
    return [common.ROOT / name for name in FLAVOURS[flavour]]


def settings(text: str) -> Dict[str, str]:
    """Symbol -> value of a .config or fragment; `n` for `is not set`. The last one wins."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"(CONFIG_\w+)=(.*)$", line) or re.match(
            r"# (CONFIG_\w+) is (not set)$", line
        )
        if match:
            found[match.group(1)] = "n" if match.group(2) == "not set" else match.group(2)
    return found


def untaken(config: str, wanted: Sequence[str]) -> List[str]:
    """The wanted symbols that the finished configuration does not have, as sentences."""
    have = settings(config)
    want: Dict[str, str] = {}
    for text in wanted:
        want.update(settings(text))
    return [
        f"{symbol} is {have.get(symbol, 'n')}, wanted {value}"
        for symbol, value in want.items()
        if have.get(symbol, "n") != value
    ]


def configure(
    source: pathlib.Path,
    out: pathlib.Path,
    files: Sequence[pathlib.Path],
    make: Sequence[str],
    start: str = "tinyconfig",
    strict: bool = True,
) -> None:
    """Makes out/.config from tinyconfig (or `start`) and the fragments.

    An unchanged result keeps its time stamp, or the build would start over. Without `strict`,
    symbols may be missing: those that another architecture does not have.
    """
    out.mkdir(parents=True, exist_ok=True)
    scratch = out / "config-new"
    scratch.mkdir(exist_ok=True)
    command = ["make", "-s", "-C", source, f"O={scratch}", *make]
    for path in files:
        if not path.exists():
            common.die(f"{common.shown(path)} is missing", common.EXIT_USAGE)
    common.run([*command, start])
    merge = source / "scripts/kconfig/merge_config.sh"
    if files:
        common.run([merge, "-m", "-Q", "-O", scratch, scratch / ".config", *files], cwd=source)
    common.run([*command, "olddefconfig"])
    text = (scratch / ".config").read_text()
    missing = untaken(text, [path.read_text() for path in files])
    if missing and strict:
        common.die(
            "these symbols did not take (a dependency is off, or the name is unknown to this "
            "kernel):\n  " + "\n  ".join(missing)
        )
    target = out / ".config"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)
