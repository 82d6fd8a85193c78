# SPDX-License-Identifier: GPL-2.0-only
"""git, called so that the user's settings cannot change the result."""

import os
import pathlib
import subprocess
from typing import Dict, Mapping, Optional

from . import common

# Ours whatever the user has in ~/.gitconfig: a different diff algorithm or
# abbreviation would make exported patches differ between two machines.
SETTINGS = {
    "core.abbrev": "12",
    "core.autocrlf": "false",
    "core.hooksPath": "/dev/null",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "init.defaultBranch": "main",
    "safe.directory": "*",
}

# The commit that stands for Debian's source has the same id everywhere.
FIXED_IDENTITY = {
    "GIT_AUTHOR_NAME": "linux-source",
    "GIT_AUTHOR_EMAIL": "linux-source@localhost",
    "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "linux-source",
    "GIT_COMMITTER_EMAIL": "linux-source@localhost",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


def neutral_env(extra: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """An environment in which only SETTINGS and the repository's own file configure git."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    env.update(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_TERMINAL_PROMPT="0",
        GIT_CONFIG_COUNT=str(len(SETTINGS)),
        LC_ALL="C",
        TZ="UTC",
    )
    for number, (key, value) in enumerate(SETTINGS.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    env.update(extra or {})
    return env


class Repo:
    """A git repository: a work tree, or a bare one. It may read another one's objects, too."""

    def __init__(self, path: pathlib.Path, lender: "Optional[Repo]" = None):
        self.path = pathlib.Path(path)
        self._env = (
            {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(lender.git_dir() / "objects")}
            if lender
            else {}
        )

    def run(
        self,
        *words: object,
        check: bool = True,
        env: Optional[Mapping[str, str]] = None,
        text_in: Optional[str] = None,
    ) -> subprocess.CompletedProcess:
        return common.run(
            ["git", "-C", self.path, *words],
            env=neutral_env({**self._env, **(env or {})}),
            check=check,
            text_in=text_in,
        )

    def out(self, *words: object) -> str:
        return self.run(*words).stdout.strip()

    def ok(self, *words: object) -> bool:
        return self.run(*words, check=False).returncode == 0

    def commit_id(self, name: str) -> Optional[str]:
        done = self.run("rev-parse", "-q", "--verify", f"{name}^{{commit}}", check=False)
        return done.stdout.strip() or None

    def copy_objects(self, target: "Repo", start: str, head: str) -> None:
        """Writes all objects of start..head into `target`."""
        words = ["git", "-C", str(self.path), "pack-objects", "-q", "--revs", "--stdout"]
        # Bytes: not what common.run() is for.
        pack = subprocess.run(
            words,
            input=f"{head}\n^{start}\n".encode(),
            env=neutral_env(self._env),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        words = ["git", "-C", str(target.path), "unpack-objects", "-q"]
        subprocess.run(words, input=pack, env=neutral_env(target._env), check=True)

    def git_dir(self) -> pathlib.Path:
        return pathlib.Path(self.out("rev-parse", "--absolute-git-dir"))

    def is_dirty(self) -> bool:
        """Tracked files changed, staged or not. Untracked files do not count."""
        return bool(self.out("status", "--porcelain", "--untracked-files=no"))

    def in_progress(self) -> Optional[str]:
        """The name of a multi-step operation that waits for the user, if any."""
        git_dir = self.git_dir()
        for name, what in (
            ("rebase-apply", "git am or git rebase"),
            ("rebase-merge", "git rebase"),
            ("MERGE_HEAD", "git merge"),
            ("CHERRY_PICK_HEAD", "git cherry-pick"),
            ("BISECT_LOG", "git bisect"),
        ):
            if (git_dir / name).exists():
                return what
        return None
