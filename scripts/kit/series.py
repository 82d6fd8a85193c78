# SPDX-License-Identifier: GPL-2.0-only
"""The series: patches in a folder <-> commits in git, byte-identical both ways."""

import contextlib
import hashlib
import pathlib
import re
import shutil
import tempfile
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from . import common, git

COVER = "0000-cover-letter.patch"
# Made from selftests/ at each export, see selftests.py.
MADE = re.compile(r"^\d+-selftests-block_copy-")
# What no kernel is compiled from, by the beginning of the name.
NOT_COMPILED = (
    "Documentation/",
    "MAINTAINERS",
    "tools/testing/selftests/Makefile",
    "tools/testing/selftests/block_copy/",
)
COMMITTER = {"GIT_COMMITTER_NAME": "linux-source", "GIT_COMMITTER_EMAIL": "linux-source@localhost"}

# What is to be applied in place of a patch that does not apply to this tree; None if nothing.
Smaller = Callable[[git.Repo, pathlib.Path], Optional[str]]


class ApplyError(common.KitError):
    """A patch does not apply."""

    def __init__(self, patch: pathlib.Path, number: int, total: int, reason: str):
        super().__init__(f"patch {number} of {total} does not apply: {patch.name}\n{reason}")
        self.patch = patch
        self.number = number
        self.total = total
        self.reason = reason

    def lacks_files(self) -> bool:
        """Whether git could not even try to merge, because it has not got what to merge with."""
        return "could not build fake ancestor" in self.reason


def patch_files(folder: pathlib.Path) -> List[pathlib.Path]:
    """The patches in order, without the cover letter."""
    return sorted(path for path in folder.glob("[0-9]*.patch") if path.name != COVER)


def code_files(folder: pathlib.Path) -> List[pathlib.Path]:
    """The patches that the developer's tree has as commits: all but the one of the selftests."""
    return [path for path in patch_files(folder) if not MADE.match(path.name)]


def digest(folder: pathlib.Path) -> str:
    """Changes when what is compiled changes; not with words, documentation or selftests."""
    total = hashlib.sha256()
    for path in code_files(folder):
        text = re.sub(r"\n+base-commit: [0-9a-f]{40}\n*$", "", _text(path))
        for change in re.split(r"^(?=diff --git a/)", text, flags=re.MULTILINE)[1:]:
            name = change.split(maxsplit=3)[2].partition("/")[2]
            if not name.startswith(NOT_COMPILED):
                total.update(change.rstrip("\n").encode(errors="surrogateescape") + b"\0")
    return total.hexdigest()


def _text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def subject(patch: pathlib.Path) -> str:
    """The subject of a patch without its [PATCH n/m] mark."""
    head = patch.read_text(errors="surrogateescape").partition("\n\n")[0]
    match = re.search(r"^Subject: (.*(?:\n[ \t].*)*)", head, re.MULTILINE)
    text = re.sub(r"\n[ \t]+", " ", match.group(1)) if match else patch.name
    return re.sub(r"^\[[^]]*\]\s*", "", text)


def touched_files(patches: Sequence[pathlib.Path]) -> List[str]:
    """Every path that the patches read or write, old names and new."""
    names = set()
    for patch in patches:
        text = patch.read_text(errors="surrogateescape")
        for old, new in re.findall(r"^diff --git a/(\S+) b/(\S+)$", text, re.MULTILINE):
            names.update((old, new))
    return sorted(names)


def recorded_base(folder: pathlib.Path) -> Optional[str]:
    """The commit that the exported patches say they were made on."""
    for name in [COVER] + [path.name for path in patch_files(folder)[:1]]:
        path = folder / name
        if path.exists():
            match = re.search(
                r"^base-commit: ([0-9a-f]{40})$", path.read_text(errors="replace"), re.M
            )
            if match:
                return match.group(1)
    return None


@contextlib.contextmanager
def scratch_worktree(
    repo: git.Repo, start: str, files: Sequence[str], lender: Optional[git.Repo] = None
) -> Iterator[git.Repo]:
    """A linked work tree of `repo` at `start` that holds only `files`; gone afterwards.

    git am needs no more than the files that the patches touch, so this takes a second where a
    checkout of the kernel takes twenty, and whatever goes wrong stays in here.
    """
    top = pathlib.Path(tempfile.mkdtemp(prefix="blkcopy-am-"))
    tree = git.Repo(top / "tree", lender)
    try:
        repo.run("worktree", "add", "-q", "--detach", "--no-checkout", tree.path, start)
        tree.run("read-tree", "HEAD")
        present = tree.run("ls-files", "-z", "--", *files).stdout if files else ""
        if present:
            tree.run("checkout-index", "-q", "-z", "--stdin", text_in=present)
        yield tree
    finally:
        repo.run("worktree", "remove", "--force", "--force", tree.path, check=False)
        shutil.rmtree(top, ignore_errors=True)
        repo.run("worktree", "prune", check=False)


def import_onto(
    repo: git.Repo,
    start: str,
    patches: Sequence[pathlib.Path],
    committer: Optional[Dict[str, str]] = None,
    lender: Optional[git.Repo] = None,
    smaller: Optional[Smaller] = None,
) -> str:
    """Applies the patches on top of `start` without touching the work tree; the new commit's id.

    Without a committer, one is made up that gives the same ids on every machine. A lender has the
    files that the patches were made for: with it git can merge where the context differs. `smaller`
    is asked for less of a patch that does not apply.
    """
    with scratch_worktree(repo, start, touched_files(patches), lender) as tree:
        for number, patch in enumerate(patches, 1):
            reason = _am(tree, patch, committer)
            less = smaller(tree, patch) if smaller and reason is not None else None
            if less is not None:
                tree.run("am", "--abort", env=COMMITTER)
                part = tree.path.parent / patch.name
                part.write_text(less, encoding="utf-8", errors="surrogateescape")
                reason = _am(tree, part, committer)
            if reason is not None:
                raise ApplyError(patch, number, len(patches), reason)
        head = tree.commit_id("HEAD")
        assert head is not None
        if lender:
            # git did not write what the lender has already, and the lender does not stay.
            tree.copy_objects(repo, start, head)
        return head


def _am(tree: git.Repo, patch: pathlib.Path, committer: Optional[Dict[str, str]]) -> Optional[str]:
    """git am of one patch; why it does not apply, or None."""
    words = ["am", "-q", "--3way", "--keep-non-patch", "--whitespace=nowarn", "--no-gpg-sign"]
    if committer is None:
        words.append("--committer-date-is-author-date")
    env = COMMITTER if committer is None else committer
    done = tree.run(*words, patch.resolve(), check=False, env=env)
    return None if done.returncode == 0 else _reason(tree, done.stdout + done.stderr)


def _reason(tree: git.Repo, text: str) -> str:
    """What git said, reduced to the lines that name files, and the files in conflict."""
    lines = [
        line
        for line in text.splitlines()
        if line.startswith(("error:", "CONFLICT", "fatal:")) and "Failed to merge in" not in line
    ]
    for name in tree.out("diff", "--name-only", "--diff-filter=U").splitlines():
        diff = tree.run("diff", "--", name).stdout
        lines.append(f"in {name}, what is in the tree against what the patch wants:")
        lines += ["    " + line for line in diff.splitlines()[4:44]]
    return "\n".join(lines) or text


def export(
    repo: git.Repo,
    base: str,
    head: str,
    old: pathlib.Path,
    new: pathlib.Path,
    letter: Optional[str] = None,
) -> None:
    """Writes base..head as patches into the empty folder `new`.

    The cover letter keeps sender, date, subject and text of `letter` or else of the one in `old`,
    if any; git makes its list of patches, statistics and base anew.
    """
    words = ["format-patch", "-q", "--zero-commit", "--no-signature", f"--base={base}", "-o", new]
    if letter is None and (old / COVER).exists():
        letter = (old / COVER).read_text()
    if letter is not None:
        words += ["--cover-letter", "--cover-from-description=none"]
    repo.run(*words, f"{base}..{head}", env=COMMITTER)
    if letter is not None and (new / COVER).exists():
        (new / COVER).write_text(_merge_cover(letter, (new / COVER).read_text()))


def _split_cover(text: str) -> Tuple[List[str], str, str]:
    """Headers, the author's text, and git's part from the list of patches on."""
    head, _, body = text.partition("\n\n")
    match = re.search(r"^[^\n]+ \(\d+\):\n(?=  \S)", body, re.MULTILINE)
    start = match.start() if match else len(body)
    return head.splitlines(), body[:start], body[start:]


def _merge_cover(old: str, new: str) -> str:
    """The person's words from the old cover letter in the frame of the new one."""
    old_head, blurb, _ = _split_cover(old)
    new_head, _, rest = _split_cover(new)
    title = next((line for line in old_head if line.startswith("Subject:")), "Subject: [PATCH]")
    words = re.sub(r"^Subject: \[[^]]*\]\s*", "", title)
    count = next(line for line in new_head if line.startswith("Subject:"))
    mark = re.match(r"Subject: (\[[^]]*\])", count)
    assert mark is not None
    kept = []
    for line in old_head:
        kept.append(f"Subject: {mark.group(1)} {words}" if line.startswith("Subject:") else line)
    return "\n".join(kept) + "\n\n" + blurb + rest


def same_files(left: pathlib.Path, right: pathlib.Path) -> List[str]:
    """The names of patches that differ between two folders, or exist in one only."""
    names = {path.name for folder in (left, right) for path in folder.glob("*.patch")}

    def content(path: pathlib.Path) -> Optional[bytes]:
        return path.read_bytes() if path.exists() else None

    return sorted(name for name in names if content(left / name) != content(right / name))


def patch_ids(repo: git.Repo, text: str) -> List[str]:
    """git's ids of the changes in a text of several patches: same change, same id."""
    done = repo.run("patch-id", "--stable", text_in=text)
    return [line.split()[0] for line in done.stdout.splitlines()]
