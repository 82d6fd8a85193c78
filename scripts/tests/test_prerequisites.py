# SPDX-License-Identifier: GPL-2.0-only
"""Patches in front of the series, where a tree is too old to do without."""

import unittest

import sample
from kit import apply, common, prerequisites, series

ROW = "0001-tool.patch block/b.c tool: it came later.\n"


class PrerequisiteTest(sample.TreeCase):
    """A series for trees that have a tool in block/b.c, and the patch that brings it."""

    def setUp(self) -> None:
        super().setUp()
        self.stand_in("kit.base.lender", return_value=None)
        self.before = self.repo.commit_id("HEAD")
        sample.write(self.repo, "block/b.c", "other\ntool\n", "block: a tool")
        folder = self.patches / prerequisites.TABLE.parent
        folder.mkdir()
        series.export(self.repo, str(self.before), "HEAD", folder, folder)
        next(folder.glob("*.patch")).rename(folder / "0001-tool.patch")
        self.with_tool = self.repo.commit_id("HEAD")
        self.list(ROW)

    def list(self, text: str) -> None:
        (self.patches / prerequisites.TABLE).write_text("# Words.\n\n" + text)

    def apply_to(self, start: object) -> str:
        self.repo.run("checkout", "-q", "-B", "user", start)
        return apply.apply(self.repo.path, self.patches)

    def subjects(self, start: object) -> list:
        return self.repo.out("log", "--reverse", "--format=%s", f"{start}..user").splitlines()

    def test_a_tree_without_the_word_gets_the_patch_first_and_is_told(self) -> None:
        said = self.apply_to(self.before)
        count = len(series.patch_files(self.patches))
        self.assertEqual("block: a tool", self.subjects(self.before)[0])
        self.assertEqual(count + 1, len(self.subjects(self.before)))
        self.assertIn("0001-tool.patch, because block/b.c has no tool: it came later.", said)
        self.assertIn("already", apply.apply(self.repo.path, self.patches))

    def test_a_tree_with_it_does_not(self) -> None:
        said = self.apply_to(self.with_tool)
        self.assertEqual(len(series.patch_files(self.patches)), len(self.subjects(self.with_tool)))
        self.assertNotIn("0001-tool.patch", said)

    def test_a_row_that_means_nothing_is_refused(self) -> None:
        for row in ("0001-tool.patch block/b.c tool\n", ROW.replace("0001", "0002")):
            self.list(row)
            with self.assertRaisesRegex(common.KitError, "needed.txt:3: must be"):
                self.apply_to(self.before)
            self.assertEqual(self.before, self.repo.commit_id("HEAD"))

    def test_the_kits_own_table(self) -> None:
        for row in prerequisites.rows(common.PATCHES):
            self.assertIn(f"+#define {row.word}(", row.patch.read_text())


if __name__ == "__main__":
    unittest.main()
