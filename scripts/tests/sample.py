# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree in miniature, and a series for it."""

import atexit
import contextlib
import functools
import io
import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any, Dict
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kit import git, series, tree  # noqa: E402

ME = {
    "GIT_AUTHOR_NAME": "A Developer",
    "GIT_AUTHOR_EMAIL": "dev@localhost",
    "GIT_AUTHOR_DATE": "2024-05-06T07:08:09Z",
    "GIT_COMMITTER_NAME": "A Developer",
    "GIT_COMMITTER_EMAIL": "dev@localhost",
    "GIT_COMMITTER_DATE": "2024-05-06T07:08:10Z",
}
LINES = [f"line {number}\n" for number in range(1, 41)]


def change(repo: git.Repo, name: str, lines: dict, message: str) -> None:
    """A commit that replaces some lines of a file, by number."""
    text = (repo.path / name).read_text().splitlines(keepends=True)
    for number, line in lines.items():
        text[number - 1] = line
    write(repo, name, "".join(text), message)


def write(repo: git.Repo, name: str, text: str, message: str) -> None:
    """A commit that gives a file this content."""
    (repo.path / name).write_text(text)
    repo.run("add", name)
    repo.run("commit", "-q", "-m", message, "-m", "Because.", env=ME)


@functools.lru_cache(maxsize=None)
def template() -> pathlib.Path:
    """A folder with `tree`, and `patches` for it. Made once; tests get copies."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="blkcopy-test-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    repo = git.Repo(top / "tree")
    (repo.path / "block").mkdir(parents=True)
    repo.run("init", "-q")
    (repo.path / "Kbuild").write_text("# top\n")
    (repo.path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n")
    (repo.path / "block/a.c").write_text("".join(LINES))
    (repo.path / "block/b.c").write_text("other\n")
    repo.run("add", "-A")
    repo.run("commit", "-q", "-m", "base", env=git.FIXED_IDENTITY)
    repo.run("tag", "base")
    # Where the tests run, git may not know anybody.
    repo.run("config", "user.name", "A User")
    repo.run("config", "user.email", "user@localhost")
    shutil.copytree(repo.path, top / "developer")
    developer = git.Repo(top / "developer")
    change(developer, "block/a.c", {3: "line three\n"}, "block: a: say three")
    change(developer, "block/a.c", {30: "line thirty\n"}, "block: a: say thirty")
    write(developer, "block/new.c", "int answer = 42;\n", "block: add [an] answer")
    (top / "patches").mkdir()
    series.export(developer, "base", "HEAD", top / "patches", top / "patches")
    return top


class TreeCase(unittest.TestCase):
    """Gives each test a small kernel tree (self.repo, tag base) and a series (self.patches)."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        self.repo = self.new_tree("tree")
        self.patches = self.top / "patches"
        shutil.copytree(template() / "patches", self.patches)

    def new_tree(self, name: str) -> git.Repo:
        shutil.copytree(template() / "tree", self.top / name)
        return git.Repo(self.top / name)

    def unrelated(self, files: Dict[str, str]) -> git.Repo:
        """A kernel tree with these files, and with no commit in common with self.repo."""
        repo = git.Repo(self.top / "unrelated")
        repo.path.mkdir()
        given = {name: (self.repo.path / name).read_text() for name in ("Kbuild", "Makefile")}
        for name, text in {**given, **files}.items():
            (repo.path / name).parent.mkdir(exist_ok=True)
            (repo.path / name).write_text(text)
        repo.run("init", "-q")
        repo.run("add", "-A")
        repo.run("commit", "-q", "-m", "theirs", env=ME)
        repo.run("config", "user.name", "A User")
        repo.run("config", "user.email", "user@localhost")
        return repo

    def stand_in(self, target: str, **words: Any) -> mock.Mock:
        """Something in place of this function, for the length of a test."""
        patcher = mock.patch(target, **words)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def state(self, repo: git.Repo) -> dict:
        """All that a user could notice of a repository: files, refs, index, configuration."""
        found = {}
        for where, _, names in os.walk(repo.path):
            for name in names:
                path = pathlib.Path(where, name)
                inside = str(path.relative_to(repo.path))
                # Objects that nothing refers to cannot be noticed.
                if inside.startswith(".git/objects/"):
                    continue
                found[inside] = path.read_bytes()
        found["status"] = repo.out("status", "--porcelain")
        # Reading the status refreshes time stamps in the index; its content counts.
        found[".git/index"] = repo.out("ls-files", "-s")
        return found


class DeveloperCase(TreeCase):
    """Has folders of its own for what goes to build/ and to the cache."""

    def setUp(self) -> None:
        super().setUp()
        for target, value in (
            ("kit.base.cached", lambda: self.repo),
            ("kit.tree.WORK", self.top / "build/linux"),
            ("kit.tree.SERIES_ONLY", self.top / "build/series"),
            ("kit.common.BUILD", self.top / "build"),
            ("kit.common.CACHE", self.top / "cache"),
            ("kit.selftests.SOURCES", self.top / "selftests"),
            ("kit.cover.TEXT", self.top / "cover-letter.md"),
        ):
            patcher = mock.patch(target, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        quiet = contextlib.redirect_stdout(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def create(self) -> git.Repo:
        repo = tree.create(self.patches)
        repo.run("config", "user.name", "A User")
        repo.run("config", "user.email", "user@localhost")
        return repo
