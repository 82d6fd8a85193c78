# SPDX-License-Identifier: GPL-2.0-only
"""Hunks that some 6.12.y can do without, because it does not have the function that they change.

Only what a list beside the patches names is ever left out, and what is, is told.
"""

import pathlib
import re
from typing import List, NamedTuple, Optional

from . import common, diffs, git

LIST = "optional-hunks.txt"


class Row(NamedTuple):
    """A function that not every tree has, and why one without it needs no hunk of it."""

    path: str
    function: str
    why: str


def rows(folder: pathlib.Path) -> List[Row]:
    """The list of this folder of patches; empty when it has none."""
    path, found = folder / LIST, []
    for line in path.read_text().splitlines() if path.exists() else []:
        match = re.match(r"(\S+) (\w+): (\S.*)$", line)
        if match:
            found.append(Row(*match.groups()))
        elif line and not line.startswith("#"):
            common.die(f"{common.shown(path)}: no file, function and reason in: {line}")
    return found


def without(text: str, row: Row) -> Optional[str]:
    """A patch without its hunks in the function of `row`; None if it has none, or nothing else."""
    message, changes = diffs.split(text)
    kept = []
    for change in changes:
        hunks = [hunk for hunk in change.hunks if not _is_of(hunk, change.path, row)]
        if hunks or hunks == change.hunks:
            kept.append(change._replace(hunks=hunks))
        elif change is changes[-1]:
            # The end of the mail.
            kept.append(change._replace(head="", hunks=[]))
    if kept == changes or not any(change.hunks for change in kept):
        return None
    return diffs.join(message, kept)


def _is_of(hunk: diffs.Hunk, path: str, row: Row) -> bool:
    """Whether all that the hunk changes is in this function, which began before the hunk."""
    if path != row.path or not re.search(rf"\b{row.function}\(", hunk.heading):
        return False
    lines = hunk.lines()
    last = max(number for number, line in enumerate(lines) if line[0] in "+-")
    return not any(line[1:2] == "}" for line in lines[: last + 1])


class Hunks:
    """What is left out of a series on its way onto one tree."""

    def __init__(self, listed: List[Row]):
        self._rows = listed
        self.left_out: List[str] = []

    def smaller(self, tree: git.Repo, patch: pathlib.Path) -> Optional[str]:
        """A patch that does not apply, without what the tree does not need; None if it needs all."""
        text: str = patch.read_text(encoding="utf-8", errors="surrogateescape")
        found = []
        for row in self._rows:
            less = without(text, row)
            if less is not None and _lacks(tree, row):
                text = less
                found.append(
                    f"{patch.name}: {row.function}() of {row.path}, "
                    f"which this tree does not have:\n  {row.why}"
                )
        self.left_out += found
        return text if found else None


def _lacks(tree: git.Repo, row: Row) -> bool:
    """The file is there, and neither it nor one beside it or below has the function's name."""
    folder = str(pathlib.PurePosixPath(row.path).parent)
    if not tree.ok("cat-file", "-e", f"HEAD:{row.path}"):
        return False
    done = tree.run("grep", "-q", "-w", "-F", row.function, "HEAD", "--", folder, check=False)
    return done.returncode == 1


def is_without(text: str, theirs: List[diffs.Change], listed: List[Row]) -> bool:
    """Whether a commit changes the lines that the patch does, but perhaps for optional hunks."""
    ours = diffs.lines_changed(diffs.split(text)[1])
    if ours == diffs.lines_changed(theirs):
        return True
    less = [each for each in (without(text, row) for row in listed) if each is not None]
    return any(is_without(each, theirs, listed) for each in less)
