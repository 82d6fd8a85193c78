# SPDX-License-Identifier: GPL-2.0-only
"""clang-tidy over the C++ of the repository, by `.clang-tidy`.

What was said of a file is kept, and holds as long as the file, the headers of ours that it includes
and the packages that the others come from stay what they are.
"""

import concurrent.futures
import pathlib
import re
from typing import Dict, List, Optional, Sequence, Set, Tuple

from . import common, store
from .progress import Progress

RECIPE = "1"  # Raise when the same inputs would give another result.
CONFIG = common.ROOT / ".clang-tidy"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# Where the files of a folder look for headers, as its Makefile has it; the first that fits counts.
FOLDERS: Dict[str, Tuple[str, ...]] = {
    "bench/fio/": (".", "tools"),
    "bench/": ("bench", "bench/guest", "qemu", "tools", "selftests/block_copy"),
    "qemu/": ("qemu", "tools"),
    "tools/": ("tools",),
}
# Names that a Makefile gives to the compiler; their values do not matter here.
NAMES = ("KIT_DATA_DIRECTORY", "BENCH_DATA_DIRECTORY", "BLKCOPY_VERSION")


def folders_of(source: pathlib.Path) -> Tuple[str, ...]:
    return next((dirs for top, dirs in FOLDERS.items() if str(source).startswith(top)), ())


def flags_of(source: pathlib.Path) -> List[str]:
    """How the compiler is called, as far as it matters for what a checker sees."""
    words = ["-std=c++20", "-DFMT_HEADER_ONLY"]
    words += [f'-D{name}=""' for name in NAMES]
    return words + [f"-I{each}" for each in folders_of(source)]


def headers_of(source: pathlib.Path, root: pathlib.Path) -> List[pathlib.Path]:
    """The headers of ours that a file includes, directly or not, in the order of their names."""
    seen: Set[pathlib.Path] = set()
    todo = [source]
    while todo:
        path = todo.pop()
        for name in INCLUDE.findall((root / path).read_text(errors="replace")):
            places = [path.parent, *map(pathlib.Path, folders_of(source))]
            found = next((p / name for p in places if (root / p / name).is_file()), None)
            if found and found not in seen:
                seen.add(found)
                todo.append(found)
    return sorted(seen)


class Tidy:
    """Asks clang-tidy about files, several at a time."""

    def __init__(self, jobs: int, root: pathlib.Path = common.ROOT):
        self.jobs, self.root = jobs, root
        self.known = store.Store("tidy")
        # All headers that are not ours come from packages.
        packages = common.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "*-dev", "g++*"])
        version = common.run(["clang-tidy", "--version"]).stdout
        self.space = store.key_of(RECIPE, version, packages.stdout, root / CONFIG.name)

    def check(self, sources: Sequence[pathlib.Path], budget: store.Budget) -> Optional[List[str]]:
        """What is wrong, or None where there was no time to look at all files."""
        keys = {path: self._key(path) for path in sources}
        todo = [path for path in sources if self.known.get(keys[path]) is None]
        progress = Progress("clang-tidy", len(todo)) if todo else None

        def one(path: pathlib.Path) -> bool:
            if not budget.allows("clang-tidy", str(path)):
                return False
            self.known.put(keys[path], self._ask(path))
            if progress:
                progress.step(str(path))
            return True

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            looked_at = list(pool.map(one, todo))
        if progress:
            progress.done(f"{sum(looked_at)} files")
        # A header's problem is found in each file that includes it.
        found = {line for path in sources for line in self.known.get(keys[path]) or []}
        return sorted(found) if found or all(looked_at) else None

    def _key(self, source: pathlib.Path) -> str:
        headers = headers_of(source, self.root)
        contents = [self.root / path for path in (source, *headers)]
        return store.key_of(self.space, source, flags_of(source), headers, *contents)

    def _ask(self, source: pathlib.Path) -> List[str]:
        done = common.run(
            ["clang-tidy", "--quiet", "--warnings-as-errors=*", source, "--", *flags_of(source)],
            cwd=self.root,
            check=False,
        )
        if done.returncode == 0:
            return []
        lines = [line for line in done.stdout.splitlines() if re.search(r": (warning|error): ", line)]
        return [line.replace(f"{self.root}/", "") for line in lines] or [
            f"{source}: clang-tidy ends with {done.returncode}: {done.stderr.strip()}"
        ]
