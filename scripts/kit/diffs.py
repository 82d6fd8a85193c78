# SPDX-License-Identifier: GPL-2.0-only
"""The text of a patch, taken apart into files and hunks; put together again it is the same."""

import re
from typing import Dict, List, NamedTuple, Tuple

START = re.compile(r"^(?=diff --git a/)", re.MULTILINE)
HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@ ?(.*)\n", re.MULTILINE)


class Hunk(NamedTuple):
    """A hunk; `heading` is what its @@ line says of the place: most often a function."""

    heading: str
    text: str

    def lines(self) -> List[str]:
        """What comes after the @@ line."""
        return self.text.splitlines(keepends=True)[1:]


class Change(NamedTuple):
    """What a patch does to one file: the lines before the hunks, these, and what follows them."""

    path: str
    head: str
    hunks: List[Hunk]
    tail: str

    def text(self) -> str:
        return self.head + "".join(hunk.text for hunk in self.hunks) + self.tail


def split(text: str) -> Tuple[str, List[Change]]:
    """What comes before the first file, and the files."""
    message, *changes = START.split(text)
    return message, [_change(each) for each in changes]


def join(message: str, changes: List[Change]) -> str:
    return message + "".join(change.text() for change in changes)


def _change(text: str) -> Change:
    path = text.split(maxsplit=3)[2].partition("/")[2]
    found = HUNK.search(text)
    at = found.start() if found else len(text)
    head, hunks = text[:at], []
    while (found := HUNK.match(text, at)) is not None:
        end = _end(text, found.end(), int(found.group(1) or 1), int(found.group(2) or 1))
        hunks.append(Hunk(found.group(3), text[at:end]))
        at = end
    return Change(path, head, hunks, text[at:])


def _end(text: str, at: int, old: int, new: int) -> int:
    """Where the hunk ends that has so many lines of the old file and of the new one."""
    while at < len(text) and (old > 0 or new > 0 or text[at] == "\\"):
        old -= text[at] not in "+\\"
        new -= text[at] not in "-\\"
        at = text.find("\n", at) + 1 or len(text)
    return at


def lines_changed(changes: List[Change]) -> Dict[str, List[str]]:
    """The lines that go and come, by file: the same for a patch that was merged among others.

    They are sorted: beside other lines, git may see the begin of the same change elsewhere.
    """
    return {
        change.path: sorted(
            line for hunk in change.hunks for line in hunk.lines() if line[0] in "+-"
        )
        for change in changes
    }
