# SPDX-License-Identifier: GPL-2.0-only
"""The cover letter: its text from docs/, the rest from the series."""

import pathlib
import re
from typing import Optional

from . import common, git

TEXT = common.ROOT / "docs" / "cover-letter.md"
MOST = 75  # Columns; mail is quoted.


def letter(repo: git.Repo, head: str, text: Optional[pathlib.Path] = None) -> Optional[str]:
    """A cover letter by the author of the commit `head`, as of then; None where there is no text.

    The first line of the text is the subject. A line `{{NAME}}` stands for the file of that name
    beside the text, which other programs write.
    """
    path = text or TEXT
    if not path.exists():
        return None
    title, _, body = path.read_text().partition("\n")
    subject = title.lstrip("# ")
    body = re.sub(r"^\{\{(.+)\}\}\n", lambda found: _part(path, found.group(1)), body, flags=re.M)
    for number, line in enumerate(f"{subject}\n{body}".splitlines(), 1):
        if len(line) > MOST or not line.isascii() or "\t" in line:
            common.die(
                f"{common.shown(path)}, line {number} of the letter: a mail has plain lines of at "
                f"most {MOST} columns:\n  {line}"
            )
    who, when = repo.out("log", "-1", "--format=%an <%ae>%n%aD", head).splitlines()
    mark = f"From {'0' * 40} Mon Sep 17 00:00:00 2001"
    head = f"{mark}\nFrom: {who}\nDate: {when}\nSubject: [PATCH] {subject}"
    return f"{head}\n\n{body.strip()}\n\n"


def check_list(letter_text: str, patches: int) -> None:
    """The list of patches in the text, where there is one, has to end with the last patch."""
    section = re.search(r"^The patches\n=+\n(.*?)^=+$", letter_text, re.DOTALL | re.MULTILINE)
    listed = re.findall(r"^ (?:\d+-)?(\d+)  +\S", section.group(1), re.M) if section else []
    if listed and int(listed[-1]) != patches:
        common.die(
            f"{common.shown(TEXT)} lists {listed[-1]} patches, and the series has {patches}: "
            "say there what the others are"
        )


def _part(text: pathlib.Path, name: str) -> str:
    part = text.parent / name
    if not part.is_file():
        common.die(f"{common.shown(text)} includes {name}, which is not beside it")
    return part.read_text()
