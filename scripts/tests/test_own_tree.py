# SPDX-License-Identifier: GPL-2.0-only
"""make test KDIR=: what a tree of the user's must have, and what is said where it does not match."""

import contextlib
import io
from unittest import mock
import unittest

import sample
from kit import common, kernel, tree


class OwnTreeTest(sample.DeveloperCase):
    def setUp(self) -> None:
        super().setUp()
        self.kdir = self.repo.path
        self.builds: list = []
        for target, value in (
            ("kit.kernel._build", lambda *words: self.builds.append(words)),
            ("kit.kernel._is_current", self.is_current),
        ):
            patcher = mock.patch(target, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    @staticmethod
    def is_current(out, key: str) -> bool:
        return (out / "key").exists() and (out / "key").read_text().strip() == key

    def with_series(self) -> None:
        sample.write(self.repo, "block/blk-copy.c", "int copy;\n", "block: copy")

    def run_it(self) -> str:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            kernel.ensure_tree("plain", self.kdir, 1, False)
        return said.getvalue()

    def test_it_is_built_once_and_again_when_it_changed(self) -> None:
        self.with_series()
        self.assertEqual("", self.run_it())
        self.run_it()
        self.assertEqual(1, len(self.builds))
        (self.kdir / "block/a.c").write_text("int changed;\n")
        self.run_it()
        self.assertEqual(2, len(self.builds))
        self.assertEqual(self.kdir, self.builds[0][1])

    def test_another_version_is_named(self) -> None:
        self.with_series()
        text = "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 2\n"
        (self.kdir / "Makefile").write_text(text)
        self.assertIn("is Linux 6.13.2", self.run_it())

    def test_a_tree_without_the_series_is_told_how_to_get_it(self) -> None:
        with self.assertRaises(common.KitError) as caught:
            self.run_it()
        self.assertEqual(common.EXIT_USAGE, caught.exception.code)
        self.assertIn("make apply KDIR=", str(caught.exception))
        self.assertEqual([], self.builds)

    def test_a_tree_that_was_built_in_is_refused(self) -> None:
        self.with_series()
        (self.kdir / ".config").write_text("")
        self.assertIn("mrproper", tree.unfit(self.kdir)[0])

    def test_what_is_no_kernel_tree(self) -> None:
        self.assertIn("not the top", tree.unfit(self.top)[0])


if __name__ == "__main__":
    unittest.main()
