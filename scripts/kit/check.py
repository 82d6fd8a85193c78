# SPDX-License-Identifier: GPL-2.0-only
"""Checks of the series patch by patch: only what a patch adds to the warnings counts."""

import collections
import pathlib
import re
import shutil
from typing import Counter, List

from . import base, common, git, kconfig, kernel_env, modules, series, tree

# Named as where kernels are built from, and as far from bisect.OBJECTS: so ccache knows its files.
TREE = common.BUILD / "check" / tree.SERIES_ONLY.name
OBJECTS = common.BUILD / "check" / "obj"


def check(jobs: int, style_only: bool) -> None:
    """checkpatch --strict of each patch, then each patch compiled with W=1 and sparse."""
    patches = series.patch_files(common.PATCHES)
    if not patches:
        common.die(f"{common.shown(common.PATCHES)} has no patches")
    source = base.cached()
    code = series.code_files(common.PATCHES)
    commits = commits_of(source, series.import_onto(source, "base", code))
    repo = prepare(source, commits)
    problems = [text for patch in patches for text in _style(patch)]
    problems += _module_style()
    if not style_only:
        problems += _compile(repo, commits, code, jobs)
    if problems:
        common.die("\n".join(problems) + f"\n{len(problems)} problems in the series")
    what = "checkpatch --strict" if style_only else "checkpatch --strict, W=1 and sparse"
    common.say(f"{len(patches)} patches: {what} find nothing new.")


def prepare(source: git.Repo, commits: List[str]) -> git.Repo:
    """A work tree of its own that holds the last of these commits, and knows them all."""
    if not (TREE / ".git").exists():
        common.say(f"Checking out {common.shown(TREE)} ...")
        shutil.rmtree(TREE, ignore_errors=True)
        tree.clone(source, TREE, commits[-1])
    repo = git.Repo(TREE)
    repo.run("fetch", "-q", source.path, f"{commits[-1]}:refs/heads/check", "-f")
    repo.run("checkout", "-q", "-f", "--detach", commits[-1])
    return repo


def commits_of(repo: git.Repo, head: str) -> List[str]:
    """The base and every commit of the series, oldest first."""
    start = repo.commit_id("base")
    assert start is not None
    return [start] + repo.out("rev-list", "--reverse", f"base..{head}").splitlines()


def _style(patch: pathlib.Path) -> List[str]:
    done = common.run(
        ["perl", TREE / "scripts/checkpatch.pl", "--strict", "--codespell", "--no-summary"]
        # Entries of MAINTAINERS name folders, and null_blk splits its list of features.
        + ["--ignore", "FILE_PATH_CHANGES,SPLIT_STRING", patch],
        cwd=TREE,
        check=False,
    )
    text = done.stdout.strip()
    verdict = "ok" if done.returncode == 0 else "FAILED"
    common.say(f"  checkpatch  {patch.name}: {verdict}")
    return [] if done.returncode == 0 else [f"{patch.name}:\n{text or done.stderr}"]


def _module_style() -> List[str]:
    """checkpatch of the modules that are built out of tree."""
    folders = (modules.SOURCES, common.ROOT / "docs/examples/modules")
    files = sorted(
        path for each in folders for path in each.iterdir() if path.suffix in (".c", ".h")
    )
    options = ["--strict", "--no-tree", "--no-summary", "--terse", "--file"]
    script = TREE / "scripts/checkpatch.pl"
    done = common.run(["perl", script, *options, *files], cwd=TREE, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    common.say(f"  checkpatch  {common.shown(modules.SOURCES)}: {verdict}")
    return [] if done.returncode == 0 else [done.stdout.strip() or done.stderr]


def _warnings(text: str) -> Counter[str]:
    """Warnings without line numbers, which move when code above them changes."""
    found: Counter[str] = collections.Counter()
    for line in text.splitlines():
        match = re.match(r"(\S+?):\d+(?::\d+)?: ((?:warning|error): .*)", line)
        if match:
            found[f"{pathlib.PurePath(match.group(1)).name}: {match.group(2)}"] += 1
    return found


def _compile(
    repo: git.Repo, commits: List[str], patches: List[pathlib.Path], jobs: int
) -> List[str]:
    """Builds all commits in turn, recompiling what each patch touches with all warnings on."""
    sources = sorted(
        {name for name in series.touched_files(patches) if name.endswith(".c")}
        & set(repo.out("ls-tree", "-r", "--name-only", commits[-1]).splitlines())
    )
    repo.run("checkout", "-q", "-f", "--detach", commits[0])
    kconfig.configure(TREE, OBJECTS, kconfig.fragments("plain"), kernel_env.make_words())
    problems: List[str] = []
    before: Counter[str] = collections.Counter()
    for number, commit in enumerate(commits):
        repo.run("checkout", "-q", "-f", "--detach", commit)
        name = patches[number - 1].name if number else "base"
        present = [source for source in sources if (TREE / source).exists()]
        objects = [source[:-2] + ".o" for source in present if _is_built(source)]
        for each in objects:
            (OBJECTS / each).unlink(missing_ok=True)
        done = common.run(
            ["make", "-k", "-C", TREE, f"O={OBJECTS}", f"-j{jobs}", *kernel_env.make_words()]
            + ["W=1", "C=1", "CHECK=sparse", *objects],
            env=kernel_env.make_env(),
            check=False,
        )
        log = OBJECTS.with_name(f"{number:04d}.log")
        log.write_text(done.stdout + done.stderr)
        after = _warnings(done.stdout + done.stderr)
        new = after - before
        verdict = "ok" if done.returncode == 0 and (not new or not number) else "FAILED"
        common.say(f"  W=1 sparse  {name}: {verdict}")
        if done.returncode != 0:
            problems.append(f"{name}: does not compile, see {common.shown(log)}")
        elif number:
            problems += [f"{name}: {text}" for text in new]
        before = after
    return problems


def _is_built(source: str) -> bool:
    """Whether the configuration compiles this file at all, by the Makefile beside it."""
    path = pathlib.PurePath(source)
    makefile = TREE / path.parent / "Makefile"
    if not makefile.exists() or path.parts[0] not in (
        "block",
        "drivers",
        "fs",
        "io_uring",
        "kernel",
    ):
        return False
    config = kconfig.settings((OBJECTS / ".config").read_text())
    for line in makefile.read_text().replace("\\\n", " ").splitlines():
        match = re.match(r"[\w-]+-(?:\$\((CONFIG_\w+)\)|y|objs)\s*[:+]?=(.*)", line)
        if match and path.stem + ".o" in match.group(2).split():
            return match.group(1) is None or config.get(match.group(1)) == "y"
    return False
