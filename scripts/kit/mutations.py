# SPDX-License-Identifier: GPL-2.0-only
"""The kernel that breaks rules of copies on demand: commits on top of the series.

Branch `mutations` in the developer's tree <-> scripts/mutations/6.12, as the series and its
patches. The branch is known by the subjects of its commits, whatever series lies below them.
"""

import dataclasses
import pathlib
import re
import tempfile
from typing import Dict, List, Optional, Set

from . import base, common, git, series, tree

FOLDER = common.ROOT / "scripts" / "mutations"
PATCHES = FOLDER / common.BASE
TABLES = "rules-*.txt"  # one table in several files
BRANCH = tree.MUTATIONS
PREFIX = "mutants: "  # of the subjects of commits


@dataclasses.dataclass
class Mutation:
    """A rule that the kernel can break, and the tests that must notice."""

    rule: int
    broken: str
    noticed_by: Dict[str, List[str]]  # MACHINE/PROGRAM -> names of tests


def load(folder: pathlib.Path = FOLDER) -> List[Mutation]:
    """The table; a KitError for what it cannot mean."""
    rows: List[Mutation] = []
    for path in sorted(folder.glob(TABLES)):
        _load(path, rows)
    silent = [str(row.rule) for row in rows if not row.noticed_by]
    if silent:
        common.die(f"{common.shown(folder)}: no test for rule {', '.join(silent)}")
    return rows


def _load(path: pathlib.Path, rows: List[Mutation]) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        head = re.fullmatch(r"(\d+): (\S.*)", line)
        tests = re.fullmatch(r" +([\w-]+/\w+)((?: [\w.]+)+)", line)
        if line.startswith("#") or not line.strip():
            continue
        if head and int(head.group(1)) not in [row.rule for row in rows]:
            rows.append(Mutation(int(head.group(1)), head.group(2), {}))
        elif tests and rows:
            rows[-1].noticed_by.setdefault(tests.group(1), []).extend(tests.group(2).split())
        else:
            common.die(f"{common.shown(path)}:{number}: cannot be understood, or a number again")


def rules_of(patch: str) -> Set[int]:
    """The rules that a patch adds."""
    added = "\n".join(line for line in patch.splitlines() if line.startswith("+"))
    return {int(number) for number in re.findall(r"\bblkcopy_break\((\d+)\)", added)}


def differences(rows: List[Mutation], patches: str) -> List[str]:
    """How the table and the patches disagree, as sentences."""
    have, told = rules_of(patches), {row.rule for row in rows}
    return [f"rule {rule} is in the patches only" for rule in sorted(have - told)] + [
        f"rule {rule} is in the table only" for rule in sorted(told - have)
    ]


def text_of(folder: pathlib.Path = PATCHES) -> str:
    return "".join(path.read_text() for path in series.patch_files(folder))


def source(folder: pathlib.Path = common.PATCHES) -> pathlib.Path:
    """A work tree of base, series and mutations."""
    repo = base.cached()
    head = series.import_onto(repo, "base", series.code_files(folder))
    try:
        return tree.checkout(repo, series.import_onto(repo, head, series.patch_files(PATCHES)))
    except series.ApplyError as error:
        common.die(f"{common.shown(PATCHES)} does not fit the series: {error}\n{_how()}")


def _how() -> str:
    return (
        f"Rebase the branch {BRANCH} in {common.shown(tree.WORK)} onto {tree.BRANCH} "
        f"(its commits are those named `{PREFIX}...`), then `make refresh`."
    )


def add_branch(repo: git.Repo, folder: pathlib.Path = PATCHES) -> Optional[str]:
    """Makes the branch from its patches where there is none; a complaint when that fails."""
    patches = series.patch_files(folder)
    if repo.commit_id(BRANCH) or not patches:
        return None
    try:
        repo.run("branch", BRANCH, series.import_onto(repo, tree.series_head(repo), patches))
    except series.ApplyError as error:
        return f"{common.shown(folder)} does not fit the series: {error}"
    return None


def _start(repo: git.Repo, tip: str) -> str:
    """What the commits of the branch are on top of."""
    log = repo.out("log", "--format=%H %s", f"base..{tip}").splitlines()
    for line in log:
        commit, _, subject = line.partition(" ")
        if not subject.startswith(PREFIX):
            return commit
    return repo.out("rev-parse", "base")


def refresh(repo: git.Repo, folder: pathlib.Path = PATCHES) -> Optional[str]:
    """Moves the branch on top of the series, and exports it; a complaint when it can't."""
    tip = repo.commit_id(BRANCH)
    if tip is None:
        return None
    head = repo.commit_id(tree.series_head(repo))
    assert head is not None
    start = _start(repo, tip)
    if start != head:
        if tree.is_on(repo, BRANCH):
            return f"The branch {BRANCH} is checked out, and not on top of the series. {_how()}"
        with tempfile.TemporaryDirectory(prefix="blkcopy-export-") as name:
            old = pathlib.Path(name)
            series.export(repo, start, tip, old, old)
            try:
                tip = series.import_onto(repo, head, series.patch_files(old))
            except series.ApplyError as error:
                return f"The branch {BRANCH} does not fit the series: {error}\n{_how()}"
        repo.run("update-ref", f"refs/heads/{BRANCH}", tip)
    with tempfile.TemporaryDirectory(prefix="blkcopy-export-") as name:
        new = pathlib.Path(name)
        series.export(repo, head, tip, folder, new)
        folder.mkdir(parents=True, exist_ok=True)
        for each in series.same_files(folder, new):
            (folder / each).unlink(missing_ok=True)
            if (new / each).exists():
                (folder / each).write_text((new / each).read_text())
    return None
