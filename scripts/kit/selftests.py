# SPDX-License-Identifier: GPL-2.0-only
"""The last patch of the series: selftests/block_copy, as the kernel's tree is to have it.

It is made at each export. So a test has one source, and is edited there.
"""

import pathlib
import re
import tempfile
from typing import Dict, List

from . import common, git

SOURCES = common.ROOT / "selftests" / "block_copy"
MESSAGE = common.ROOT / "docs" / "selftests-patch.md"
TARGET = "tools/testing/selftests/block_copy"
LIST = "tools/testing/selftests/Makefile"
MAINTAINERS = "MAINTAINERS"
ENTRY = "BLOCK LAYER COPY OFFLOAD"


def names() -> List[str]:
    """The files that belong into the kernel: those that git knows but for the kit's own."""
    listed = git.Repo(SOURCES).run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    present = {name for name in listed.stdout.split("\0") if name and (SOURCES / name).is_file()}
    kit = set(common.run(["make", "-s", "-C", SOURCES, "kit-files"]).stdout.split())
    return sorted(present - kit)


def commit(repo: git.Repo, head: str) -> str:
    """The selftests as a commit on top of `head`, which no branch has; `head` if there are none.

    The same files on the same commit give the same id: author and date are those of `head`.
    """
    if not SOURCES.is_dir():
        return head
    blobs: Dict[str, str] = {
        LIST: _blob(repo, _with_target(repo.run("show", f"{head}:{LIST}").stdout)),
        MAINTAINERS: _blob(repo, _with_files(repo.run("show", f"{head}:{MAINTAINERS}").stdout)),
    }
    for name in names():
        path = SOURCES / name
        blobs[f"{TARGET}/{name}"] = repo.out("hash-object", "-w", "--no-filters", path.resolve())
    lines = "".join(f"100644 {blob}\t{name}\n" for name, blob in sorted(blobs.items()))
    who, mail, date = repo.out("log", "-1", "--format=%an%n%ae%n%aI", head).splitlines()
    with tempfile.TemporaryDirectory(prefix="blkcopy-index-") as folder:
        index = {"GIT_INDEX_FILE": str(pathlib.Path(folder) / "index")}
        repo.run("read-tree", head, env=index)
        repo.run("update-index", "--add", "--index-info", env=index, text_in=lines)
        tree = repo.run("write-tree", env=index).stdout.strip()
    identity = {"GIT_AUTHOR_NAME": who, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": date}
    identity.update({key.replace("AUTHOR", "COMMITTER"): value for key, value in identity.items()})
    message = f"{_message()}\nSigned-off-by: {who} <{mail}>\n"
    made = repo.run("commit-tree", "-p", head, "-F", "-", tree, env=identity, text_in=message)
    return made.stdout.strip()


def _blob(repo: git.Repo, text: str) -> str:
    return repo.run("hash-object", "-w", "--stdin", text_in=text).stdout.strip()


def _message() -> str:
    title, _, body = MESSAGE.read_text().partition("\n")
    return f"{title.lstrip('# ')}\n\n{body.strip()}\n"


def _with_target(text: str) -> str:
    """The list of targets with ours in its place of the alphabet."""
    ours = f"TARGETS += {pathlib.PurePosixPath(TARGET).name}\n"
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("TARGETS += ") and line > ours:
            return "".join(lines[:number] + [ours] + lines[number:])
    common.die(f"{LIST} has no list of targets to put block_copy into")


def _with_files(text: str) -> str:
    """MAINTAINERS with our folder among the files of our entry."""
    ours = f"F:\t{TARGET}/\n"
    match = re.search(rf"^{ENTRY}\n(?:[A-Z]:\t.*\n)+", text, re.MULTILINE)
    if match is None:
        common.die(f"{MAINTAINERS} has no entry {ENTRY} to put block_copy into")
    lines = match.group(0).splitlines(keepends=True)
    files = sorted([line for line in lines if line.startswith("F:")] + [ours])
    entry = "".join([line for line in lines if not line.startswith("F:")] + files)
    return text[: match.start()] + entry + text[match.end() :]
