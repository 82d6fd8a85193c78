# SPDX-License-Identifier: GPL-2.0-only
"""Paths, errors and child processes shared by the kernel scripts."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
from typing import Iterator, Mapping, NoReturn, Optional, Sequence

BASE = "6.12"
ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "blkcopy"
PATCHES = ROOT / "patches" / BASE

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_HOST = 3


class KitError(Exception):
    """Something went wrong; the text says what, and what to do about it."""

    def __init__(self, text: str, code: int = EXIT_FAILED):
        super().__init__(text)
        self.code = code


def say(text: str) -> None:
    print(text, flush=True)


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def die(text: str, code: int = EXIT_FAILED) -> NoReturn:
    raise KitError(text, code)


def shown(path: pathlib.Path) -> str:
    """The path as a person standing in the repository would write it."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


def run(
    argv: Sequence[object],
    cwd: Optional[pathlib.Path] = None,
    env: Optional[Mapping[str, str]] = None,
    text_in: Optional[str] = None,
    check: bool = True,
) -> subprocess.CompletedProcess:
    """Runs a program, captures both streams as text. With check, a failure is a KitError."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            input=text_in,
            stdin=None if text_in is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError:
        die(f"{words[0]} is not installed; `make setup` installs what is needed", EXIT_HOST)
    if check and done.returncode != 0:
        die(f"`{' '.join(words)}` failed:\n{done.stderr or done.stdout}")
    return done


def start(
    argv: Sequence[str],
    cwd: Optional[pathlib.Path] = None,
    env: Optional[Mapping[str, str]] = None,
) -> "subprocess.Popen[str]":
    """Starts a program that has nothing to read, and both of whose streams are one pipe of text."""
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def stop_as_ctrl_c_does() -> None:
    """SIGTERM, too, leaves nothing behind: what was begun is cleaned up on the way out."""
    signal.signal(signal.SIGTERM, _interrupt)


@contextlib.contextmanager
def stopped_with_us(child: subprocess.Popen) -> Iterator[None]:
    """Ctrl-C and SIGTERM for this program end the child too, and wait for it."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except BaseException:
        child.terminate()
        child.wait()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
