# SPDX-License-Identifier: GPL-2.0-only
"""Style of everything in the repository but the patches, which have checks of their own."""

import pathlib
import re
from typing import Callable, Dict, List, Sequence

from . import common

MAX_LINES = 600
NEEDS_LICENCE = {".c", ".h", ".cc", ".py", ".sh", ".config", ".mk"}
# At the start of a comment; in the middle, TAP's directive of that name is meant.
UNFINISHED = re.compile(r"(?://|#|\*)\s*(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")

Files = Sequence[pathlib.Path]


def tracked() -> List[pathlib.Path]:
    """Every file that git knows, but not patches and golden logs, whose bytes are given."""
    names = common.run(["git", "-C", common.ROOT, "ls-files", "-z"]).stdout.split("\0")
    found = [pathlib.Path(name) for name in names if name and (common.ROOT / name).is_file()]
    return [path for path in found if path.suffix != ".patch" and "testdata" not in path.parts]


def text_of(path: pathlib.Path) -> str:
    return (common.ROOT / path).read_text(errors="replace")


def is_shell(path: pathlib.Path) -> bool:
    return path.suffix == ".sh" or bool(re.match(r"#!/bin/(?:ba)?sh", text_of(path)))


def tool(command: Sequence[str], files: Files) -> List[str]:
    if not files:
        return []
    done = common.run([*command, *files], cwd=common.ROOT, check=False)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()


def licences(files: Files) -> List[str]:
    return [
        f"{path}: no SPDX-License-Identifier in the first three lines"
        for path in files
        if (path.suffix in NEEDS_LICENCE or text_of(path).startswith("#!"))
        and "SPDX-License-Identifier: GPL-2.0" not in "".join(text_of(path).splitlines(True)[:3])
    ]


def lengths(files: Files) -> List[str]:
    return [
        f"{path}: more than {MAX_LINES} lines"
        for path in files
        if text_of(path).count("\n") > MAX_LINES
    ]


def unfinished(files: Files) -> List[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if UNFINISHED.search(line)
    ]


def whitespace(files: Files) -> List[str]:
    found = []
    for path in files:
        text = text_of(path)
        if text and not text.endswith("\n"):
            found.append(f"{path}: no newline at the end")
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                found.append(f"{path}:{number}: space at the end of the line")
    return found


def is_cxx(path: pathlib.Path) -> bool:
    # C keeps the kernel's style; checkpatch is asked about kmod/.
    c_only = path.parts[0] in ("selftests", "kmod", "docs")
    return path.suffix == ".cc" or (path.suffix == ".h" and not c_only)


def checks(files: Files) -> Dict[str, Callable[[], List[str]]]:
    """What takes seconds, by name; each returns what is wrong, a line or more for each problem."""
    pages = [path for path in files if path.suffix in (".2", ".8")]
    return {
        "licence lines": lambda: licences(files),
        "file length": lambda: lengths(files),
        "unfinished work": lambda: unfinished(files),
        "white space": lambda: whitespace(files),
        # "inflight" is a file of sysfs.
        "spelling": lambda: tool(["codespell", "-q", "3", "-L", "te,inflight"], files),
        "shellcheck": lambda: tool(["shellcheck"], [p for p in files if is_shell(p)]),
        "clang-format": lambda: tool(
            ["clang-format", "--dry-run", "-Werror"], [p for p in files if is_cxx(p)]
        ),
        "manual pages": lambda: tool(["mandoc", "-T", "lint", "-W", "warning"], pages),
    }
