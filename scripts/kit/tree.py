# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree in build/: made from the patches, exported back to them."""

import hashlib
import pathlib
import re
import shutil
import tempfile
from typing import Dict, List, Optional

from . import base, common, cover, git, selftests, series

WORK = common.BUILD / f"linux-{common.BASE}"
SERIES_ONLY = common.BUILD / f"series-{common.BASE}"
BRANCH = "copy-offload"
MUTATIONS = "mutations"  # on top of it, see mutations.py


def exists() -> bool:
    return (WORK / ".git").exists()


def work_repo() -> git.Repo:
    """The developer's tree. Must exist and have the tag `base`."""
    repo = git.Repo(WORK)
    if not exists():
        common.die(f"{common.shown(WORK)} does not exist; `make tree` makes it", common.EXIT_USAGE)
    if repo.commit_id("base") is None:
        common.die(
            f"{common.shown(WORK)} has no tag `base`, so where the series starts is unknown; "
            "tag the unpatched commit, or remove the folder and run `make tree`",
            common.EXIT_USAGE,
        )
    return repo


def is_on(repo: git.Repo, branch: str) -> bool:
    """Whether this branch is checked out."""
    done = repo.run("symbolic-ref", "-q", "--short", "HEAD", check=False)
    return done.stdout.strip() == branch


def series_head(repo: git.Repo) -> str:
    """Where the series ends: at HEAD, unless the mutations on top of it are checked out."""
    return BRANCH if is_on(repo, MUTATIONS) else "HEAD"


def create(folder: pathlib.Path = common.PATCHES) -> git.Repo:
    """The developer's tree, made from base and patches where it is missing, else as it is."""
    if exists():
        return work_repo()
    source = base.cached()
    head = series.import_onto(source, "base", series.code_files(folder))
    part = WORK.with_name(WORK.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    common.BUILD.mkdir(parents=True, exist_ok=True)
    common.say(f"Checking out {common.shown(WORK)} ...")
    clone(source, part, head)
    repo = git.Repo(part)
    repo.run("checkout", "-q", "-B", BRANCH, head)
    part.rename(WORK)
    return git.Repo(WORK)


def clone(source: git.Repo, target: pathlib.Path, head: str) -> None:
    """A clone that shares packs by hard link where it can; it knows base, main and `head`."""
    # A clone takes only what a ref names; the ref is gone right after.
    source.run("update-ref", "refs/heads/series", head)
    try:
        common.run(
            # Not --local, which fails where the cache is on another file system.
            ["git", "clone", "-q", "--no-checkout", source.path, target],
            env=git.neutral_env(),
        )
    finally:
        source.run("update-ref", "-d", "refs/heads/series")
    repo = git.Repo(target)
    repo.run("remote", "remove", "origin")


def unexported(repo: git.Repo, folder: pathlib.Path = common.PATCHES) -> List[str]:
    """What the tree has that the patches do not, as sentences; empty when they agree."""
    found = []
    if repo.in_progress():
        found.append(f"a {repo.in_progress()} is under way")
    if repo.is_dirty():
        found.append("files are changed and not committed")
    with tempfile.TemporaryDirectory(prefix="blkcopy-export-") as name:
        new = pathlib.Path(name)
        series.export(repo, "base", series_head(repo), folder, new)
        found += _differences(folder, new)
    return found


def _differences(folder: pathlib.Path, new: pathlib.Path) -> List[str]:
    """How two exports of a series differ, whatever their numbers say."""

    def bodies(where: pathlib.Path) -> Dict[str, str]:
        mark = re.compile(r"^Subject: \[PATCH[^]]*\]|\n\nbase-commit: [0-9a-f]{40}\n", re.MULTILINE)
        return {mark.sub("", p.read_text()): series.subject(p) for p in series.code_files(where)}

    old, now = bodies(folder), bodies(new)
    if list(old) == list(now):
        return []
    ours = [f'"{title}"' for body, title in now.items() if body not in old]
    theirs = [f'"{title}"' for body, title in old.items() if body not in now]
    found = []
    if ours:
        found.append(f"it has {', '.join(ours[:3])}" + (" and more" if len(ours) > 3 else ""))
    if theirs:
        found.append(f"it lacks {', '.join(theirs[:3])}" + (" and more" if len(theirs) > 3 else ""))
    return found or ["its commits are in another order"]


def source_of_series(folder: pathlib.Path = common.PATCHES) -> pathlib.Path:
    """A work tree that holds exactly base + patches, whatever the developer's tree holds.

    What is built and tested is what is in the repository; where the developer has more, say so.
    """
    if exists():
        differences = unexported(work_repo(), folder)
        if differences:
            common.warn(
                f"Note: {common.shown(WORK)} is not what {common.shown(folder)} says: "
                + "; ".join(differences)
                + ".\n      The patches are built. `make refresh` exports commits; "
                "`make kernel TREE=work` builds the tree as it is."
            )
    source = base.cached()
    return checkout(source, series.import_onto(source, "base", series.code_files(folder)))


def source_of_base() -> pathlib.Path:
    """A work tree of the base without the series."""
    source = base.cached()
    head = source.commit_id("base")
    assert head is not None
    return checkout(source, head)


def checkout(source: git.Repo, head: str) -> pathlib.Path:
    """The tree that kernels are built from, at this commit of `source`."""
    if not (SERIES_ONLY / ".git").exists():
        common.say(f"Checking out {common.shown(SERIES_ONLY)} ...")
        shutil.rmtree(SERIES_ONLY, ignore_errors=True)
        clone(source, SERIES_ONLY, head)
    repo = git.Repo(SERIES_ONLY)
    if repo.commit_id(head) is None:
        repo.run("fetch", "-q", source.path, f"+{head}:refs/heads/series-import")
    # Only files that changed are written, so a later build compiles only those.
    repo.run("checkout", "-q", "-f", "--detach", head)
    return SERIES_ONLY


def version_of(kdir: pathlib.Path) -> str:
    """VERSION.PATCHLEVEL.SUBLEVEL by the Makefile of a kernel tree."""
    found = dict(
        re.findall(
            r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)$", (kdir / "Makefile").read_text(), re.M
        )
    )
    return ".".join(found.get(name, "?") for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def unfit(kdir: pathlib.Path) -> List[str]:
    """Why a kernel cannot be built and tested from this tree, as sentences."""
    if not (kdir / "Kbuild").exists() or not (kdir / "Makefile").exists():
        return [f"KDIR={kdir} is not the top of a kernel tree"]
    if git.Repo(kdir).run("rev-parse", "--verify", "-q", "HEAD", check=False).returncode != 0:
        return [f"KDIR={kdir} is not a git work tree with a commit"]
    if not (kdir / "block/blk-copy.c").exists():
        return [
            f"KDIR={kdir} (Linux {version_of(kdir)}) does not have the series; "
            f"`make apply KDIR={kdir}` applies it"
        ]
    if (kdir / ".config").exists() or (kdir / "include/config").is_dir():
        return [
            f"KDIR={kdir} was built in; `make -C {kdir} mrproper`, for another place to build in"
        ]
    return []


def state_of(kdir: pathlib.Path) -> str:
    """Changes when the files that git tracks in this tree do."""
    repo = git.Repo(kdir)
    text = repo.run("diff", "HEAD").stdout
    return repo.out("rev-parse", "HEAD") + hashlib.sha256(text.encode(errors="replace")).hexdigest()


def refresh(folder: pathlib.Path = common.PATCHES) -> List[str]:
    """Exports the tree's commits over the patches; the names of files that changed.

    The selftests as the last patch, and the cover letter, are made on the way.
    """
    repo = work_repo()
    if repo.in_progress():
        common.die(
            f"a {repo.in_progress()} is under way in {common.shown(WORK)}; finish or abort it first"
        )
    head = series_head(repo)
    if not repo.ok("merge-base", "--is-ancestor", "base", head):
        common.die(f"{head} of {common.shown(WORK)} does not descend from its tag `base`")
    if repo.is_dirty():
        common.warn(f"Note: changes in {common.shown(WORK)} that are not committed are left out.")
    if repo.out("rev-list", "--merges", f"base..{head}"):
        common.die("the series has merge commits, which patches cannot carry")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as name:
        new = pathlib.Path(name)
        _export_all(repo, head, folder, new)
        changed = series.same_files(folder, new)
        for each in changed:
            (folder / each).unlink(missing_ok=True)
            if (new / each).exists():
                (new / each).rename(folder / each)
    return changed


def _export_all(repo: git.Repo, head: str, old: pathlib.Path, new: pathlib.Path) -> None:
    """The commits up to `head`, the selftests, and the cover letter."""
    tip = selftests.commit(repo, head)
    text = cover.letter(repo, head)
    cover.check_list(text or "", int(repo.out("rev-list", "--count", f"base..{tip}")))
    series.export(repo, "base", tip, old, new, text)


def stale(folder: pathlib.Path = common.PATCHES) -> List[str]:
    """The patches that are not what the selftests and the cover letter's text are by now."""
    source = base.cached()
    head = series.import_onto(source, "base", series.code_files(folder))
    with tempfile.TemporaryDirectory(prefix="blkcopy-export-") as name:
        new = pathlib.Path(name)
        _export_all(source, head, folder, new)
        return series.same_files(folder, new)


def round_trip(folder: pathlib.Path = common.PATCHES) -> Optional[str]:
    """Imports the patches, exports them again and compares every byte; None when equal.

    On another base than the one recorded (Debian moved on), context and object ids may differ
    while the changes are the same, so there the changes are compared.
    """
    source = base.cached()
    patches = series.patch_files(folder)
    if not patches:
        common.die(f"{common.shown(folder)} has no patches")
    head = series.import_onto(source, "base", patches)
    with tempfile.TemporaryDirectory(prefix="blkcopy-export-") as name:
        new = pathlib.Path(name)
        series.export(source, "base", head, folder, new)
        differing = series.same_files(folder, new)
        if not differing:
            return None
        if series.recorded_base(folder) != source.commit_id("base"):
            before, after = (
                series.patch_ids(source, "".join(p.read_text() for p in series.patch_files(where)))
                for where in (folder, new)
            )
            if before == after:
                return None
        difference = common.run(
            ["diff", "-u", folder / differing[0], new / differing[0]], check=False
        ).stdout
        return f"differ after import and export: {', '.join(differing)}\n{difference[:4000]}"
