# SPDX-License-Identifier: GPL-2.0-only
"""Compiles single objects of a commit in one configuration, and says what compilers warned of.

A result is known by the object's source and by every header of the series that it includes, so a
patch costs the objects that it changes, and a second look at the same patch costs nothing.
"""

import collections
import dataclasses
import pathlib
import re
from typing import Callable, Counter, Dict, Iterable, List, Optional, Sequence

from . import common, git, kconfig, kernel_env, store

RECIPE = "1"  # Raise when the same inputs would give another result.
STEP = re.compile(r"^  CC(?: \[M\])?\s+(\S+\.o)$")  # CHECK and its output follow in the same recipe
WARNING = re.compile(r"^(\S+?):\d+(?::\d+)?: ((?:warning|error): .*)")
# 32-bit kernels have no libgcc: a 64-bit division must be written as a call of div_u64() or so.
LIBGCC = re.compile(r"^ +U (__\w+di[34])$", re.MULTILINE)

Warnings = Counter[str]


@dataclasses.dataclass(frozen=True)
class Variant:
    """A compiler, a configuration and the checks that go with them."""

    name: str
    words: Sequence[str] = ()  # for make: ARCH=, LLVM=, CC=
    compiler: str = "gcc"
    fragments: Sequence[pathlib.Path] = ()
    start: str = "tinyconfig"
    sparse: bool = False
    w1: bool = True
    needs_libgcc: bool = False  # look for calls of it
    strict: bool = False  # every line of the fragments must take
    folders: Sequence[str] = ()  # all that is in them, not only what the series touches

    def make(self) -> List[str]:
        compiler = [f"CC=ccache {self.compiler}"]
        words = [w for w in kernel_env.make_words() if not w.startswith("CC=")]
        extra = ["W=1"] if self.w1 else []
        return words + compiler + list(self.words) + extra


@dataclasses.dataclass
class Snapshot:
    """A commit of the series: the blobs of files that differ from the base, and all names."""

    commit: str
    changed: Dict[str, str]

    def blob(self, name: str) -> str:
        return self.changed.get(name, "base")


def snapshot(repo: git.Repo, base: str, commit: str) -> Snapshot:
    """The files that differ between base and commit; "gone" for those that are removed."""
    changed = {}
    for line in repo.out("diff", "--raw", "--no-renames", "--no-abbrev", base, commit).splitlines():
        head, _, name = line.partition("\t")
        blob, status = head.split()[3:5]
        changed[name] = "gone" if status == "D" else blob
    return Snapshot(commit, changed)


def warnings_of(text: str) -> Warnings:
    """Warnings without line numbers, which move when code above them changes."""
    found: Warnings = collections.Counter()
    for line in text.splitlines():
        match = WARNING.match(line)
        if match:
            found[f"{pathlib.PurePath(match.group(1)).name}: {match.group(2)}"] += 1
    return found


def by_object(text: str) -> Dict[str, str]:
    """make's output, cut where the next object starts (`make -Otarget` keeps one's lines together)."""
    found: Dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        match = STEP.match(line)
        if match:
            name = match.group(1)
            continue
        found[name] = found.get(name, "") + line + "\n"
    return found


def is_built(config: Dict[str, str], makefile: str, source: str) -> bool:
    """Whether a configuration compiles this file, named as seen from the folder of its Makefile."""
    wanted = source[: -len(".c")] + ".o"
    # Plain conditions only; there are no others around objects in the folders that we look at.
    makefile = re.sub(
        r"^ifeq \(\$\((CONFIG_\w+)\),(\w)\)\n(.*?)^endif",
        lambda found: found.group(3) if config.get(found.group(1)) == found.group(2) else "",
        makefile,
        flags=re.MULTILINE | re.DOTALL,
    )
    for line in makefile.replace("\\\n", " ").splitlines():
        match = re.match(r"([\w-]+)-(?:\$\((CONFIG_\w+)\)|y|m|objs)\s*[:+]?=(.*)", line)
        if match and wanted in match.group(3).split():
            whole, symbol = match.groups()[:2]
            # What is a part of a module is built where that module is.
            if whole not in ("obj", "lib") and not is_built(config, makefile, f"{whole}.c"):
                continue
            if symbol is None or config.get(symbol) in ("y", "m"):
                return True
    return False


def makefile_builds(top: pathlib.Path, config: Dict[str, str], source: str) -> bool:
    """The same for a source in a tree: some folders are built by the Makefile above them."""
    path = pathlib.PurePath(source)
    for folder in path.parents:
        makefile = top / folder / "Makefile"
        if makefile.exists():
            return is_built(config, makefile.read_text(), str(path.relative_to(folder)))
    return False


class Objects:
    """The objects of one variant, built in a work tree that is moved from commit to commit."""

    def __init__(
        self,
        variant: Variant,
        bench: Callable[[], git.Repo],
        out: pathlib.Path,
        base: str,
        touched: Iterable[str],
        jobs: int,
        others: Iterable[str] = (),
    ):
        # The work tree is asked for when something has to be compiled: checking it out takes long.
        self.variant, self.bench, self.out, self.jobs = variant, bench, out, jobs
        # Headers and build files; sources are part of their own object's key.
        self.shared = sorted(name for name in touched if not name.endswith((".c", ".rst")))
        self.sources = sorted(name for name in {*touched, *others} if name.endswith(".c"))
        self.known = store.Store("objects")
        version = common.run([variant.compiler, "--version"]).stdout.splitlines()[0]
        if variant.sparse:
            version += common.run(["sparse", "--version"]).stdout
        self.space = store.key_of(
            RECIPE,
            (variant.start, variant.make(), variant.sparse, variant.needs_libgcc),
            version,
            base,
            self.shared,
            *variant.fragments,
        )
        self.configured = ""

    def key(self, source: str, at: Snapshot) -> str:
        builds = [at.blob(n) for n in self.shared if n.rpartition("/")[2][:5] in ("Makef", "Kconf")]
        return store.key_of(self.space, source, at.blob(source), builds)

    def look_up(self, source: str, at: Snapshot) -> Optional[Dict]:
        """What is known of this object; the headers that it includes must be the same, too."""
        for entry in self.known.get(self.key(source, at)) or []:
            if all(at.blob(name) == blob for name, blob in entry["headers"].items()):
                return entry
        return None

    def missing(self, at: Snapshot, sources: Iterable[str]) -> List[str]:
        return [name for name in sources if self.look_up(name, at) is None]

    def build(self, at: Snapshot, sources: Sequence[str], log: pathlib.Path) -> List[str]:
        """Compiles what is not known yet; sentences about what does not compile."""
        todo = self.missing(at, sources)
        if not todo:
            return []
        repo = self.bench()
        repo.run("checkout", "-q", "-f", "--detach", at.commit)
        self._configure(at)
        config = kconfig.settings((self.out / ".config").read_text())
        present = [name for name in todo if (repo.path / name).exists()]
        wanted = [name for name in present if makefile_builds(repo.path, config, name)]
        for name in set(todo) - set(wanted):
            self._remember(name, at, {}, "absent", {})
        objects = [name[:-2] + ".o" for name in wanted]
        if not objects:
            return []
        for each in objects:
            (self.out / each).unlink(missing_ok=True)
        sparse = ["C=1", "CHECK=sparse"] if self.variant.sparse else []
        done = common.run(
            # One stream for both, or make would not keep an object's lines together.
            ["sh", "-c", 'exec "$@" 2>&1', "sh"]
            + ["make", "-k", "-Otarget", "-C", repo.path, f"O={self.out}", f"-j{self.jobs}"]
            + self.variant.make()
            + sparse
            + objects,
            env=kernel_env.make_env(),
            check=False,
        )
        text = done.stdout
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
        return self._collect(at, wanted, by_object(text), log)

    def _configure(self, at: Snapshot) -> None:
        """Once, and again where a patch changes what can be configured."""
        seen = store.key_of(*[at.blob(name) for name in self.shared if "/Kconfig" in name])
        variant = self.variant
        if self.configured != seen:
            kconfig.configure(
                self.bench().path,
                self.out,
                variant.fragments,
                variant.make(),
                variant.start,
                variant.strict,
            )
            self.configured = seen

    def _collect(
        self, at: Snapshot, sources: Sequence[str], texts: Dict[str, str], log: pathlib.Path
    ) -> List[str]:
        problems = []
        for name in sources:
            target = name[:-2] + ".o"
            if not (self.out / target).exists():
                problems.append(f"{name} does not compile, see {common.shown(log)}")
                continue
            warnings = warnings_of(texts.get(target, ""))
            if self.variant.needs_libgcc:
                symbols = common.run(["nm", self.out / target]).stdout
                for symbol in LIBGCC.findall(symbols):
                    warnings[f"error: calls {symbol} of libgcc, which the kernel lacks"] += 1
            self._remember(name, at, warnings, "built", self._headers(target, at))
        return problems

    def _headers(self, target: str, at: Snapshot) -> Dict[str, str]:
        """Which of the series' headers this object was made from, by what the compiler wrote."""
        path = pathlib.PurePath(target)
        text = (self.out / path.parent / f".{path.name}.cmd").read_text()
        words = re.sub(r"\\\n", " ", text).split()
        return {
            name: at.blob(name)
            for name in self.shared
            if any(word == name or word.endswith("/" + name) for word in words)
        }

    def _remember(
        self, source: str, at: Snapshot, warnings: Dict[str, int], state: str, headers: Dict
    ) -> None:
        key = self.key(source, at)
        entries = [e for e in self.known.get(key) or [] if e["headers"] != headers]
        entry = {"state": state, "warnings": dict(warnings), "headers": headers}
        self.known.put(key, entries + [entry])

    def new_warnings(self, before: Snapshot, after: Snapshot, source: str) -> List[str]:
        """What this object warns of at `after` and not at `before`; both must be known."""
        now, then = self.look_up(source, after), self.look_up(source, before)
        new: Warnings = collections.Counter(now["warnings"] if now else {})
        new.subtract(then["warnings"] if then else {})
        return sorted(text for text, count in new.items() if count > 0)

    def warns(self, at: Snapshot, source: str) -> bool:
        entry = self.look_up(source, at)
        return bool(entry and entry["warnings"])
