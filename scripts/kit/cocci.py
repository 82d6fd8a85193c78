# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's semantic patches (scripts/coccinelle) on the files that the series touches."""

import concurrent.futures
import pathlib
import re
import tempfile
from typing import Callable, Dict, List, Optional, Sequence

from . import common, git, store

REPORT = re.compile(r"^(\S+?):\d+(?::[\d-]+)*: *(.*)$")
SECONDS = 120  # for one script and one file; coccinelle gives up on it then


def normal(text: str) -> List[str]:
    """The reports in coccinelle's output, without folders and line numbers."""
    found = []
    for line in text.splitlines():
        match = REPORT.match(line)
        if match:
            said = re.sub(r"\blines? \d+(?:, *\d+)*", "line", match.group(2))
            found.append(f"{pathlib.PurePath(match.group(1)).name}: {said}")
    return sorted(found)


def options_of(script: str) -> Optional[List[str]]:
    """How the script wants to be called; None for one that can't report."""
    if not re.search(r"^virtual.*\breport\b", script, re.MULTILINE):
        return None
    match = re.search(r"^// ?/? ?Options:(.*)$", script, re.MULTILINE)
    return match.group(1).split() if match else []


class Cocci:
    """Reports are known by script and file: an unchanged file is not looked at again."""

    def __init__(self, source: git.Repo, bench: Callable[[], git.Repo], jobs: int):
        self.source, self.bench, self.jobs = source, bench, jobs
        self.known = store.Store("cocci")
        self.version = common.run(["spatch", "--version"]).stdout.splitlines()[0]

    def check(
        self, before: str, after: str, names: Sequence[str], budget: store.Budget
    ) -> Optional[List[str]]:
        """What scripts report at `after` and not at `before`; None where there was no time."""
        scripts = self._scripts(before)
        found: List[str] = []
        for script, text in scripts.items():
            key = store.key_of(self.version, text)
            todo = [name for name in names if self._get(key, after, name) is None]
            if todo and not budget.allows("coccinelle", script):
                return None
            self._run(script, text, key, after, todo)
            loud = [name for name in names if self._get(key, after, name)]
            self._run(
                script,
                text,
                key,
                before,
                [name for name in loud if self._get(key, before, name) is None],
            )
            for name in loud:
                old = self._get(key, before, name) or []
                new = self._get(key, after, name) or []
                found += [f"{script}: {each}" for each in new if new.count(each) > old.count(each)]
        return sorted(set(found))

    def _scripts(self, commit: str) -> Dict[str, str]:
        names = self.source.out("ls-tree", "-r", "--name-only", commit, "scripts/coccinelle/")
        every = {
            name: self.source.run("show", f"{commit}:{name}").stdout
            for name in names.splitlines()
            if name.endswith(".cocci")
        }
        return {name: text for name, text in every.items() if options_of(text) is not None}

    def _blob(self, commit: str, name: str) -> str:
        done = self.source.run("rev-parse", "-q", "--verify", f"{commit}:{name}", check=False)
        return done.stdout.strip()

    def _get(self, key: str, commit: str, name: str) -> Optional[List[str]]:
        blob = self._blob(commit, name)
        return self.known.get(store.key_of(key, name, blob)) if blob else []

    def _run(self, script: str, text: str, key: str, commit: str, names: Sequence[str]) -> None:
        """Runs a script on files of a commit, several files at a time."""
        if not names:
            return
        repo = self.bench()
        repo.run("checkout", "-q", "-f", "--detach", commit)
        options = options_of(text) or []

        def one(name: str) -> None:
            with tempfile.TemporaryDirectory(prefix="blkcopy-cocci-") as scratch:
                done = common.run(
                    ["spatch", "-D", "report", "--very-quiet", "--no-show-diff"]
                    + ["--timeout", SECONDS, "--cocci-file", script, *options]
                    + ["--tmp-dir", scratch, name],
                    cwd=repo.path,
                    check=False,
                )
            self.known.put(store.key_of(key, name, self._blob(commit, name)), normal(done.stdout))

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(one, names))
