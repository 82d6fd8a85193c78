# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernel source as one git commit with the same id on every machine.

The tarball streams through `git fast-import` into a bare repository in the cache: one pack, no
80,000 loose files, and every clone of this project shares it.
"""

import fcntl
import pathlib
import re
import shutil
import subprocess
import tarfile
from typing import BinaryIO, Optional

from . import common, git

TARBALL = pathlib.Path(f"/usr/src/linux-source-{common.BASE}.tar.xz")
PACKAGE = f"linux-source-{common.BASE}"


def version() -> str:
    """The version of the source on this machine, as Debian's package says: 6.12.117."""
    if shutil.which("dpkg-query") is None:
        common.die(f"{PACKAGE} is a package of Debian, and this is no Debian", common.EXIT_HOST)
    done = common.run(["dpkg-query", "-W", "-f=${Version}", PACKAGE], check=False)
    match = re.match(r"(\d+\.\d+\.\d+)", done.stdout)
    if done.returncode != 0 or match is None or not TARBALL.exists():
        common.die(f"{TARBALL} is missing; `make setup` installs {PACKAGE}", common.EXIT_HOST)
    return match.group(1)


def cached() -> git.Repo:
    """The bare repository that holds the base commit (branch main, tag base)."""
    common.CACHE.mkdir(parents=True, exist_ok=True)
    path = common.CACHE / f"linux-source-{version()}.git"
    with open(path.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "HEAD").exists():
            common.say(f"Unpacking {TARBALL.name} into git (about a minute, once) ...")
            part = path.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            _import(part)
            part.rename(path)
    return git.Repo(path)


def lender(start: Optional[str]) -> Optional[git.Repo]:
    """A repository in the cache that has this commit, where there is one; none is made."""
    for path in sorted(common.CACHE.glob("linux-source-*.git")):
        repo = git.Repo(path)
        if start and repo.commit_id(start):
            return repo
    return None


def _import(path: pathlib.Path) -> None:
    common.run(["git", "init", "-q", "--bare", path], env=git.neutral_env())
    argv = [
        "git",
        "-C",
        str(path),
        "-c",
        "core.compression=1",
        "fast-import",
        "--quiet",
        "--depth=0",
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, env=git.neutral_env()) as child:
        assert child.stdin is not None
        try:
            _write_stream(child.stdin)
            child.stdin.close()
        except BrokenPipeError:
            pass
    if child.returncode != 0:
        common.die(f"git fast-import of {TARBALL} failed", common.EXIT_HOST)
    # Without a work tree git sees no .gitattributes, which choose how @@ lines name functions.
    (path / "info").mkdir(exist_ok=True)
    (path / "info" / "attributes").write_text(
        git.Repo(path).out("show", "main:.gitattributes") + "\n"
    )


def _write_stream(sink: BinaryIO) -> None:
    who = "linux-source <linux-source@localhost> 946684800 +0000"
    message = f"linux-source-{common.BASE} {version()}\n".encode()
    sink.write(f"commit refs/heads/main\ncommitter {who}\ndata {len(message)}\n".encode())
    sink.write(message)
    with subprocess.Popen(["xz", "-dc", str(TARBALL)], stdout=subprocess.PIPE) as unpacker:
        assert unpacker.stdout is not None
        with tarfile.open(fileobj=unpacker.stdout, mode="r|", bufsize=1 << 20) as tar:
            for member in tar:
                _write_member(sink, tar, member)
    if unpacker.returncode not in (0, -13):
        common.die(f"{TARBALL} cannot be unpacked", common.EXIT_HOST)
    sink.write(b"reset refs/tags/base\nfrom refs/heads/main\n\n")


def _write_member(sink: BinaryIO, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    name = member.name.partition("/")[2]
    if member.issym():
        mode, data = "120000", member.linkname.encode()
    elif member.isfile():
        mode = "100755" if member.mode & 0o100 else "100644"
        source = tar.extractfile(member)
        assert source is not None
        data = source.read()
    else:
        return
    sink.write(f"M {mode} inline {name}\ndata {len(data)}\n".encode())
    sink.write(data)
    sink.write(b"\n")
