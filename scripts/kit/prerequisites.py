# SPDX-License-Identifier: GPL-2.0-only
"""Patches that a tree needs before the series, because it is older than what they are for."""

import pathlib
import re
from typing import List, NamedTuple

from . import common, git

TABLE = pathlib.PurePath("prerequisites/needed.txt")  # beside the patches of the series
ROW = re.compile(r"(\S+\.patch) (\S+) (\w+): (\S.*)")


class Prerequisite(NamedTuple):
    """A patch, and the word that the file of a tree has if it can do without."""

    patch: pathlib.Path
    file: str
    word: str
    why: str

    def told(self) -> str:
        """What the user is to know, as a line."""
        return f"{self.patch.name}, because {self.file} has no {self.word}: {self.why}"


def rows(folder: pathlib.Path) -> List[Prerequisite]:
    """The table of this series, which may have none; a KitError for what it cannot mean."""
    table = folder / TABLE
    found = []
    for number, line in enumerate(table.read_text().splitlines() if table.exists() else [], 1):
        if line.startswith("#") or not line.strip():
            continue
        match = ROW.fullmatch(line)
        if not match or not (table.parent / match.group(1)).is_file():
            common.die(f"{common.shown(table)}:{number}: must be PATCH FILE WORD: WHY")
        patch, file, word, why = match.groups()
        found.append(Prerequisite(table.parent / patch, file, word, why))
    return found


def needed(repo: git.Repo, start: str, folder: pathlib.Path) -> List[Prerequisite]:
    """Those that the tree at `start` needs; a file that is not there has no word."""
    return [
        row
        for row in rows(folder)
        if not re.search(
            rf"\b{row.word}\b", repo.run("show", f"{start}:{row.file}", check=False).stdout
        )
    ]
