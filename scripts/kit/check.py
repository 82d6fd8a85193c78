# SPDX-License-Identifier: GPL-2.0-only
"""All that can be found wrong without running anything, the cheapest first.

Of the series, patch by patch and at its end, only what a patch adds counts. What was found out is
kept in the cache, by what was looked at: `store.py` and `objects.py`.
"""

import pathlib
import shutil
from typing import Dict, List, Optional

from . import base, cocci, common, git, house, kconfig, rendered, series, store, tidy, tree
from .objects import Objects, Snapshot, Variant, snapshot
from .patch_style import PatchStyle

# Named as where kernels are built from, and as far from bisect.OBJECTS: so ccache knows its files.
TREE = common.BUILD / "check" / tree.SERIES_ONLY.name
LOGS = common.BUILD / "check" / "logs"
EXTRA = common.ROOT / "scripts/check.config"
SHOWN = 30  # lines of one check's complaints
# What may be built otherwise by what the series does to headers.
FOLDERS = ("block/", "drivers/block/", "drivers/md/", "drivers/nvme/", "io_uring/")
BATCH = 8  # sources compiled before the clock is looked at again


def variants() -> Dict[str, Variant]:
    """How the objects that the series touches are compiled, in this order."""
    plain = tuple(kconfig.fragments("plain")) + (EXTRA,)
    debug = tuple(kconfig.fragments("debug")) + (EXTRA,)
    arm = "aarch64-linux-gnu-"
    every = (
        Variant("x86-64", fragments=plain, sparse=True, strict=True),
        Variant("debug", fragments=debug, strict=True),
        Variant("i386", ("ARCH=i386",), fragments=plain, needs_libgcc=True),
        Variant("clang", ("LLVM=1",), compiler="clang", fragments=plain, strict=True),
        Variant("arm64", ("ARCH=arm64", f"CROSS_COMPILE={arm}"), f"{arm}gcc", plain),
        Variant("allmodconfig", start="allmodconfig", w1=False, folders=FOLDERS),
    )
    return {variant.name: variant for variant in every}


class Report:
    """Says how each check ended, and counts."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def add(self, what: str, problems: List[str]) -> None:
        common.say(f"  {what}: {'FAILED' if problems else 'ok'}")
        lines = "\n".join(problems).splitlines()
        for line in lines[:SHOWN]:
            common.say(f"    {line}")
        if len(lines) > SHOWN:
            common.say(f"    ... and {len(lines) - SHOWN} lines more")
        self.passed += not problems
        self.failed += bool(problems)


class Series:
    """Checks of the patches."""

    def __init__(self, report: Report, jobs: int, budget: store.Budget):
        self.report, self.jobs, self.budget = report, jobs, budget
        if not series.patch_files(common.PATCHES):
            common.die(f"{common.shown(common.PATCHES)} has no patches")
        self.source = base.cached()
        # The last patch is made of selftests/, which has checks of its own.
        self.code = series.code_files(common.PATCHES)
        head = series.import_onto(self.source, "base", self.code)
        self.commits = commits_of(self.source, head)
        self.at = [snapshot(self.source, self.commits[0], each) for each in self.commits]
        self.touched = sorted({name for each in self.at for name in each.changed})
        self._bench: List[git.Repo] = []

    def bench(self) -> git.Repo:
        """The work tree, made when the first check needs one: what is known needs none."""
        if not self._bench:
            self._bench.append(prepare(self.source, self.commits))
        return self._bench[0]

    def style(self) -> None:
        """checkpatch and kernel-doc of each patch, checkpatch of the modules for tests."""
        style = PatchStyle(self.source, self.bench)
        # Not of the selftests: checkpatch takes kselftest's macros for mistakes.
        for number, patch in enumerate(self.code, 1):
            if not style.knows(patch) and not self.budget.allows("checkpatch", patch.name):
                continue
            found = style.checkpatch(patch)
            before, after = self.commits[number - 1 : number + 1]
            said = style.kernel_doc(before, after, series.touched_files([patch]))
            found += [f"{patch.name}: {text}" for text in said]
            self.report.add(f"{'checkpatch kernel-doc':22} {patch.name}", found)
        modules = "modules for tests"
        if style.knows_modules() or self.budget.allows("checkpatch", modules):
            self.report.add(f"{'checkpatch':22} {modules}", style.modules())

    def each_patch(self, variant: Variant) -> None:
        """Compiles, after each patch, what it touches; warnings that the patch before had are old."""
        objects = self._objects(variant)
        for number, patch in enumerate(self.code, 1):
            kind = f"{variant.name} W=1 sparse"
            before, after = self.at[number - 1 : number + 1]
            log = f"{variant.name}-{number:04d}"
            found = self._compile(objects, before, after, log, kind, patch.name)
            if found is not None:
                self.report.add(f"{kind:22} {patch.name}", [f"{patch.name}: {text}" for text in found])

    def tip(self, variant: Variant) -> None:
        """Compiles, with the whole series, what it touches; warnings of the base are old."""
        name, objects = variant.name, self._objects(variant)
        what = f"{len(objects.sources)} sources, the whole series"
        found = self._compile(objects, self.at[0], self.at[-1], name, name, what)
        if found is not None:
            self.report.add(f"{name:22} {what}", [f"{variant.name}: {text}" for text in found])

    def coccinelle(self) -> None:
        """The kernel's own semantic patches, on what the series touches."""
        checker = cocci.Cocci(self.source, self.bench, self.jobs)
        names = [n for n in self.touched if n.endswith((".c", ".h"))]
        found = checker.check(self.at[0].commit, self.at[-1].commit, names, self.budget)
        if found is not None:
            self.report.add(f"{'coccinelle':22} {len(names)} files", found)

    def documentation(self) -> None:
        """The pages of Documentation/ as sphinx makes them."""
        out = TREE.parent / "obj-documentation"
        checker = rendered.Rendered(self.bench, out, self.commits[0])
        found = checker.check(self.at[0], self.at[-1], self.budget)
        if found is not None:
            self.report.add(f"{'sphinx':22} Documentation/{rendered.FOLDER}", found)

    def _objects(self, variant: Variant) -> Objects:
        out = TREE.parent / f"obj-{variant.name}"
        touched = [n for n in self.touched if not n.startswith(("Documentation/", "MAINTAINERS"))]
        words = ["ls-tree", "-r", "--name-only", self.at[-1].commit, *variant.folders]
        others = self.source.out(*words).splitlines() if variant.folders else []
        return Objects(variant, self.bench, out, self.commits[0], touched, self.jobs, others)

    def _compile(
        self, objects: Objects, before: Snapshot, after: Snapshot, log: str, kind: str, what: str
    ) -> Optional[List[str]]:
        """What is new at `after`, or None where there was no time left to find out."""
        sources = objects.sources
        todo = objects.missing(after, sources)
        batch = BATCH if self.budget.end else len(todo)
        found: List[str] = []
        for start in range(0, len(todo), max(batch, 1)):
            if not self.budget.allows(kind, what):
                return found or None
            found += objects.build(after, todo[start : start + batch], LOGS / f"{log}.log")
        # What does not warn now needs no comparison with what was before.
        noisy = [name for name in sources if objects.warns(after, name)]
        objects.build(before, noisy, LOGS / f"{log}-before.log")
        for name in noisy:
            found += objects.new_warnings(before, after, name)
        return found


def check(jobs: int, minutes: Optional[float] = None) -> None:
    """All checks; with `minutes`, what takes long is not begun after that many."""
    report, budget = Report(), store.Budget(minutes)
    files = house.tracked()
    for name, look in house.checks(files).items():
        report.add(name, look())
    report.add("generated patches", [f"`make refresh` makes {name} anew" for name in tree.stale()])
    patches = Series(report, jobs, budget)
    patches.style()
    first, *rest = variants().values()
    patches.each_patch(first)
    for variant in rest:
        patches.tip(variant)
    patches.documentation()
    patches.coccinelle()
    sources = [path for path in files if path.suffix == ".cc"]
    found = tidy.Tidy(jobs).check(sources, budget)
    if found is not None:
        report.add(f"{'clang-tidy':22} {len(sources)} sources", found)
    store.forget_old()
    for text in budget.sentences():
        common.say(f"  {text}")
    totals = f"{report.passed} passed, {report.failed} failed"
    if budget.left_out:
        totals += "; not everything was looked at, `make check` without MINUTES= goes on from here"
    common.say(totals)
    if report.failed:
        common.die("the complaints are above")


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
