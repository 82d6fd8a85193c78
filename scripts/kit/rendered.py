# SPDX-License-Identifier: GPL-2.0-only
"""The documentation of the series as sphinx renders it, with the kernel-doc that it takes in."""

import collections
import pathlib
import re
from typing import Callable, Counter, List, Optional

from . import common, git, kernel_env, store
from .objects import Snapshot

FOLDER = "block"  # of Documentation/, where the series has a page of its own
# A page's line, with the source of the comment that it takes in; or kernel-doc's own.
COMPLAINT = re.compile(
    r"^(\S+?):\d+: (?:\S+:\d+: )?((?:WARNING|ERROR|CRITICAL|SEVERE|warning|error): .*)"
)


def complaints_of(text: str) -> Counter[str]:
    """What sphinx and kernel-doc say, without folders and line numbers."""
    found: Counter[str] = collections.Counter()
    for line in text.splitlines():
        match = COMPLAINT.match(line)
        if match:
            found[f"{pathlib.PurePath(match.group(1)).name}: {match.group(2)}"] += 1
    return found


class Rendered:
    """Known by what a commit changes: pages, and comments in sources, which are taken in."""

    def __init__(self, bench: Callable[[], git.Repo], out: pathlib.Path, base: str):
        self.bench, self.out, self.base = bench, out, base
        self.known = store.Store("rendered")
        self.version = common.run(["sphinx-build", "--version"]).stdout

    def check(
        self, before: Snapshot, after: Snapshot, budget: store.Budget
    ) -> Optional[List[str]]:
        """What is complained of at `after` and not at `before`; None where there was no time."""
        if self.known.get(self._key(after)) is None and not budget.allows("sphinx", FOLDER):
            return None
        new = collections.Counter(self._complaints(after))
        if new:
            new.subtract(self._complaints(before))
        return sorted(text for text, count in new.items() if count > 0)

    def _key(self, at: Snapshot) -> str:
        return store.key_of(self.version, self.base, sorted(at.changed.items()))

    def _complaints(self, at: Snapshot) -> List[str]:
        found = self.known.get(self._key(at))
        if found is None:
            repo = self.bench()
            repo.run("checkout", "-q", "-f", "--detach", at.commit)
            words = ["make", "-C", repo.path, f"O={self.out}", "htmldocs", f"SPHINXDIRS={FOLDER}"]
            done = common.run(words, env=kernel_env.make_env(), check=False)
            text = done.stdout + done.stderr
            page = self.out / "Documentation" / "output" / FOLDER / "index.html"
            if done.returncode != 0 or not page.exists():
                return [f"`{' '.join(map(str, words[3:]))}` makes no pages:\n{text[-2000:]}"]
            found = sorted(complaints_of(text).elements())
            self.known.put(self._key(at), found)
        return found
