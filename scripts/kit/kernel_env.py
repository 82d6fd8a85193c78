# SPDX-License-Identifier: GPL-2.0-only
"""How every make and compiler of a kernel is called."""

import os
import shutil
from typing import Dict, List

from . import common


def make_words() -> List[str]:
    """What every make of a kernel gets: ccache, where it is there, and a release without a `+`.

    An empty LOCALVERSION is not the same as none: without, git commits on top of no tag give a `+`.
    """
    compilers = "ccache gcc" if shutil.which("ccache") else "gcc"
    return [f"CC={compilers}", f"HOSTCC={compilers}", "LOCALVERSION="]


def make_env() -> Dict[str, str]:
    """An environment in which the same source gives the same object in any clone."""
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "V", "O", "J")
    }
    env.update(
        LC_ALL="C",
        KBUILD_BUILD_TIMESTAMP="Sat Jan  1 00:00:00 UTC 2000",
        KBUILD_BUILD_USER="blkcopy",
        KBUILD_BUILD_HOST="blkcopy",
        CCACHE_DIR=str(common.CACHE / "ccache"),
        CCACHE_BASEDIR=str(common.BUILD),
        CCACHE_NOHASHDIR="1",
        CCACHE_MAXSIZE="5G",
        CCACHE_COMPILERCHECK="content",
        # Kernel headers change their time stamp with every checkout, not their content.
        CCACHE_SLOPPINESS="time_macros,include_file_mtime,include_file_ctime",
    )
    return env
