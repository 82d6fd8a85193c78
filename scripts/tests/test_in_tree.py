# SPDX-License-Identifier: GPL-2.0-only
"""The patch of the selftests, built the kernel's way in a tree that has the series."""

import os
import pathlib
import shutil
import unittest

import sample  # noqa: F401  pylint: disable=unused-import

from kit import base, common, kernel_env, selftests, series

# What the kernel's selftests are built with, and what headers_install has to have made.
NEEDED = [
    selftests.TARGET,
    selftests.LIST,
    "tools/testing/selftests/lib.mk",
    "tools/testing/selftests/kselftest.h",
    "tools/testing/selftests/kselftest_harness.h",
    "scripts/subarch.include",
]


def headers() -> pathlib.Path:
    found = sorted(common.BUILD.glob("kernel/*/headers/include"))
    if not found:
        raise unittest.SkipTest("no kernel is built, so there are no headers (`make kernel`)")
    return found[0]


class InTreeTest(unittest.TestCase):
    def test_it_builds_there(self) -> None:
        usr = headers()
        source = base.cached()
        head = series.import_onto(source, "base", series.patch_files(common.PATCHES))
        with series.scratch_worktree(source, head, NEEDED) as tree:
            (tree.path / "usr").mkdir()
            (tree.path / "usr/include").symlink_to(usr)
            words = ["make", "-s", f"-j{os.cpu_count()}", "TARGETS=block_copy"]
            words += ["-C", tree.path / "tools/testing/selftests"]
            if shutil.which("ccache"):
                words.append("CC=ccache gcc")
            env = kernel_env.make_env()
            # Found again from tree to tree, whose names are made up.
            env["CCACHE_BASEDIR"] = str(tree.path.parent)
            done = common.run(words, env=env, check=False)
            text = done.stdout + done.stderr
            self.assertEqual(0, done.returncode, text[-4000:])
            self.assertNotIn("warning:", text)
            folder = tree.path / selftests.TARGET
            programs = {path.name for path in folder.iterdir() if os.access(path, os.X_OK)}
            self.assertIn("extents", programs)
            self.assertNotIn("copytest", programs)
            unit = common.run([folder / "unit"], check=False)
            self.assertEqual(0, unit.returncode, unit.stdout[-2000:])
            # Git is told of no program, and of no file that make has left.
            self.assertEqual("", tree.out("status", "--porcelain", "--", selftests.TARGET))


if __name__ == "__main__":
    unittest.main()
