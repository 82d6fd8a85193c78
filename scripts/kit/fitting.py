# SPDX-License-Identifier: GPL-2.0-only
"""The series on a tree that may be another 6.12.y than the one that it was made for."""

import contextlib
import pathlib
from typing import Dict, List, NamedTuple, Optional

from . import base, common, git, optional, prerequisites, series


class Fitted(NamedTuple):
    """The commit with the series, what was left out on the way, and what was put in front."""

    commit: str
    left_out: List[str]
    in_front: List[str]


class Unfit(Exception):
    """A patch does not apply, even with this left out; `hint` says what might help."""

    def __init__(self, error: series.ApplyError, left_out: List[str]):
        super().__init__(str(error))
        self.error = error
        self.left_out = left_out
        self.hint = ""


def fit(repo: git.Repo, start: str, folder: pathlib.Path, committer: Dict[str, str]) -> Fitted:
    """The patches on top of `start`, merged with the files that they were made for.

    Where these are not in the cache, they are put there if a patch does not apply without.
    """
    lender = base.lender(series.recorded_base(folder))
    try:
        return _attempt(repo, start, folder, committer, lender)
    except Unfit as unfit:
        if lender or not unfit.error.lacks_files():
            raise
        lender = _source(unfit)
    return _attempt(repo, start, folder, committer, lender)


def _source(unfit: Unfit) -> git.Repo:
    """Debian's source, unpacked for this patch; where it is not installed, a hint says so."""
    try:
        base.version()
        common.say(
            f"{unfit.error.patch.name} does not apply as it is; "
            "git needs to see the source that it was made for."
        )
        return base.cached()
    except common.KitError as missing:
        unfit.hint = f"git could perhaps merge what differs if it had Debian's source: {missing}."
        raise unfit from missing


def _attempt(
    repo: git.Repo,
    start: str,
    folder: pathlib.Path,
    committer: Dict[str, str],
    lender: Optional[git.Repo],
) -> Fitted:
    patches = series.patch_files(folder)
    # Of other versions the lists say nothing.
    known = version(repo).startswith(f"{common.BASE}.")
    hunks = optional.Hunks(optional.rows(folder) if known else [])
    first = prerequisites.needed(repo, start, folder) if known else []
    if lender:
        # Files between two patches are wanted, too. A base of another date may not have them all.
        with contextlib.suppress(series.ApplyError):
            series.import_onto(lender, "base", patches)
    try:
        every = [row.patch for row in first] + patches
        commit = series.import_onto(repo, start, every, committer, lender, hunks.smaller)
    except series.ApplyError as error:
        raise Unfit(error, hunks.left_out) from error
    return Fitted(commit, hunks.left_out, [row.told() for row in first])


def version(repo: git.Repo) -> str:
    """VERSION.PATCHLEVEL.SUBLEVEL of the tree's Makefile, as committed."""
    found = {}
    for line in repo.run("show", "HEAD:Makefile", check=False).stdout.splitlines()[:8]:
        key, _, value = line.partition("=")
        found[key.strip()] = value.strip()
    return ".".join(found.get(k, "?") for k in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
