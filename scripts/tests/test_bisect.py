# SPDX-License-Identifier: GPL-2.0-only
"""Which patches `make check-bisect` takes."""

import contextlib
import io
import pathlib
import unittest
from unittest import mock

import sample
from kit import bisect, common, git


class BisectTest(sample.DeveloperCase):
    def setUp(self) -> None:
        super().setUp()
        self.built: list = []
        self.programs: list = []
        self.bad = ""
        for target, value in (
            ("kit.common.PATCHES", self.patches),
            ("kit.bisect.FOLDER", self.top / "build/check"),
            ("kit.check.TREE", self.top / "build/check/tree"),
            ("kit.bisect._build", self.build),
            ("kit.testing.build", lambda *words: self.programs.append(words)),
            ("kit.bisect._works", lambda name, last: not name.startswith(self.bad or "none")),
        ):
            patcher = mock.patch(target, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def build(self, name: str, _jobs: int, _verbose: bool) -> tuple:
        head = git.Repo(pathlib.Path(self.top) / "build/check/tree").out("log", "-1", "--format=%s")
        self.built.append((name, head))
        return True, ""

    def run_it(self, only: str = "") -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            bisect.bisect(1, False, only)
        return out.getvalue()

    def test_every_patch_in_its_order(self) -> None:
        text = self.run_it()
        self.assertEqual(
            ["base", "block: a: say three", "block: a: say thirty", "block: add [an] answer"],
            [subject for _, subject in self.built],
        )
        self.assertIn("4 passed, 0 failed", text)
        self.assertEqual(1, len(self.programs))

    def test_some_patches(self) -> None:
        self.run_it("2-3")
        self.assertEqual(["0002", "0003"], [name[:4] for name, _ in self.built])

    def test_patches_that_are_not_there(self) -> None:
        for only in ("4", "x", "3-2"):
            with self.assertRaises(common.KitError) as caught:
                self.run_it(only)
            self.assertEqual(common.EXIT_USAGE, caught.exception.code)
        self.assertEqual([], self.programs)

    def test_one_that_does_not_work_is_a_failure(self) -> None:
        self.bad = "0002"
        with self.assertRaises(common.KitError) as caught:
            self.run_it()
        self.assertEqual(common.EXIT_FAILED, caught.exception.code)
        self.assertEqual(4, len(self.built), "the others are tried all the same")


if __name__ == "__main__":
    unittest.main()
