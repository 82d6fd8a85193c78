# SPDX-License-Identifier: GPL-2.0-only
"""Puts the series onto a kernel tree of the user's: all of it, or nothing."""

import os
import pathlib
from typing import Dict, List, Optional

from . import base, common, diffs, fitting, git, optional, series


def apply(kdir: pathlib.Path, folder: pathlib.Path = common.PATCHES) -> str:
    """git am of the whole series onto the branch checked out in `kdir`; a sentence on success.

    The patches are applied in a scratch work tree and the branch is moved only when all of them
    are in, so a failure at any point leaves the user's tree exactly as it was.
    """
    patches = series.patch_files(folder)
    if not patches:
        common.die(f"{common.shown(folder)} has no patches", common.EXIT_USAGE)
    repo = _checked_tree(kdir)
    before = repo.commit_id("HEAD")
    assert before is not None
    if _already_there(repo, patches, optional.rows(folder)):
        return f"All {len(patches)} patches are on {_place(repo)} already; nothing to do."
    try:
        after, left_out, in_front = fitting.fit(repo, before, folder, _committer(kdir))
    except fitting.Unfit as unfit:
        raise common.KitError(_report(repo, unfit, folder)) from unfit
    # Only files of the user's that git does not track can be in the way now; ask before moving.
    moved = repo.run("read-tree", "-n", "-m", "-u", before, after, check=False)
    if moved.returncode == 0:
        moved = repo.run("merge", "-q", "--ff-only", "--no-verify", after, check=False)
    if moved.returncode != 0:
        common.die(
            f"the patches apply, but {repo.path} could not be moved to the result; it is as it "
            f"was:\n{moved.stderr or moved.stdout}"
        )
    return (
        f"Applied {len(patches)} patches to {_place(repo)}.\n"
        f"{_told('Left out of', left_out)}{_told('In front of them:', in_front)}"
        f"Undo with: git -C {repo.path} reset --keep {before[:12]}"
    )


def _told(what: str, texts: List[str]) -> str:
    return "".join(f"{what} {text}\n" for text in texts)


def _checked_tree(kdir: pathlib.Path) -> git.Repo:
    """The repository at `kdir`, when it is one that patches may be applied to."""
    if not kdir.is_dir():
        common.die(f"KDIR={kdir} is not a directory", common.EXIT_USAGE)
    repo = git.Repo(kdir)
    top = repo.run("rev-parse", "--show-toplevel", check=False)
    if top.returncode != 0:
        common.die(f"KDIR={kdir} is not a git work tree", common.EXIT_USAGE)
    repo = git.Repo(pathlib.Path(top.stdout.strip()))
    if repo.path.resolve() != kdir.resolve() or not (repo.path / "Kbuild").exists():
        common.die(f"KDIR={kdir} is not the top of a kernel tree", common.EXIT_USAGE)
    if repo.commit_id("HEAD") is None:
        common.die(f"KDIR={kdir} has no commit yet", common.EXIT_USAGE)
    if repo.in_progress():
        common.die(f"a {repo.in_progress()} is under way in {kdir}; finish or abort it first")
    if repo.is_dirty():
        changed = repo.out("status", "--porcelain", "--untracked-files=no").splitlines()
        common.die(
            f"{kdir} has changes that are not committed; commit or stash them first:\n"
            + "\n".join(changed[:10])
        )
    return repo


def _place(repo: git.Repo) -> str:
    branch = repo.run("symbolic-ref", "-q", "--short", "HEAD", check=False).stdout.strip()
    return f"branch {branch} of {repo.path}" if branch else f"the detached HEAD of {repo.path}"


def _committer(kdir: pathlib.Path) -> Dict[str, str]:
    """The user's own identity: these are commits in the user's tree."""
    name = common.run(["git", "-C", kdir, "config", "user.name"], check=False).stdout.strip()
    mail = common.run(["git", "-C", kdir, "config", "user.email"], check=False).stdout.strip()
    name = os.environ.get("GIT_COMMITTER_NAME", name)
    mail = os.environ.get("GIT_COMMITTER_EMAIL", mail)
    if not name or not mail:
        common.die(
            "git does not know who you are; set user.name and user.email (git config --global)",
            common.EXIT_USAGE,
        )
    return {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": mail}


def _already_there(repo: git.Repo, patches: List[pathlib.Path], listed: List[optional.Row]) -> bool:
    """Whether the last commits are the patches, as they are or as git merged them."""
    words = ["log", f"-{len(patches)}", "--reverse"]
    titles = repo.run(*words, "--format=%s").stdout.splitlines()
    if titles != [series.subject(patch) for patch in patches]:
        return False
    shown = repo.run(*words, "--format=%x00", "-p").stdout.split("\0")[1:]
    texts = [patch.read_text(encoding="utf-8", errors="surrogateescape") for patch in patches]
    return all(
        optional.is_without(ours, diffs.split(theirs)[1], listed)
        for ours, theirs in zip(texts, shown)
    )


def _report(repo: git.Repo, unfit: fitting.Unfit, folder: pathlib.Path) -> str:
    error = unfit.error
    start: Optional[str] = series.recorded_base(folder)
    source = base.lender(start)
    made_for = f"{source.out('log', '-1', '--format=%s', 'base')}, " if source else ""
    known = " (the tree does not have that commit)" if start and not repo.commit_id(start) else ""
    indented = "\n".join("  " + line for line in error.reason.splitlines())
    return (
        f"Patch {error.number} of {error.total} does not apply to {_place(repo)}:\n"
        f"  {error.patch.name}\n"
        f"  {series.subject(error.patch)}\n"
        f"{indented}\n"
        f"{_told('Left out of', unfit.left_out)}"
        f"{repo.path} is exactly as it was; none of the patches is in it.\n"
        f"The series is for Linux {common.BASE}, {made_for}base {start or 'unknown'}{known}; "
        f"this tree is {fitting.version(repo)}." + (f"\n{unfit.hint}" if unfit.hint else "")
    )
