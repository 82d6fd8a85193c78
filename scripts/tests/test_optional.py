# SPDX-License-Identifier: GPL-2.0-only
"""Hunks that a tree can do without: listed, lacking, left out and told, or not at all."""

import unittest
from typing import Dict, List

import sample
from kit import apply, common, diffs, optional, series

WHY = "block: tardy came later, and nobody calls it."
ROW = f"block/c.c tardy: {WHY}\n"
EARLY = ["int early(void)\n", "{\n"] + [f"\tearly {number};\n" for number in range(20)] + ["}\n"]
LATE = ["\n", "static int tardy(int x)\n", "{\n"] + [f"\tlate {n};\n" for n in range(20)] + ["}\n"]
BOTH = "".join(EARLY + LATE)
ONLY_EARLY = "".join(EARLY)


class OptionalTest(sample.TreeCase):
    """A series for self.repo, whose block/c.c has a function that other trees do not have."""

    def setUp(self) -> None:
        super().setUp()
        for patch in series.patch_files(self.patches):
            patch.unlink()
        sample.write(self.repo, "block/c.c", BOTH, "block: c")
        self.repo.run("tag", "-f", "base")
        self.stand_in("kit.base.lender", return_value=self.repo)
        self.list(ROW)

    def list(self, text: str) -> None:
        (self.patches / optional.LIST).write_text("# Words.\n\n" + text)

    def export(self, *changes: Dict[str, str]) -> None:
        """A series of patches; each replaces words of block/c.c, or gives other files content."""
        for number, change in enumerate(changes):
            for name, text in change.items():
                (self.repo.path / name).write_text(text)
            self.repo.run("add", "-A")
            self.repo.run("commit", "-q", "-m", f"block: c: patch {number + 1}", env=sample.ME)
        series.export(self.repo, "base", "HEAD", self.patches, self.patches)
        self.repo.run("reset", "-q", "--hard", "base")

    def export_both(self) -> None:
        """A patch that changes both functions and adds a file, and one on top of it."""
        first = BOTH.replace("early 10;", "early ten;").replace("late 15;", "late fifteen;")
        second = first.replace("early 2;", "early two;")
        self.export({"block/c.c": first, "block/new.c": "int new;\n"}, {"block/c.c": second})

    def run_it(self, files: Dict[str, str]) -> str:
        self.other = self.unrelated(files)
        return apply.apply(self.other.path, self.patches)

    def refused(self, files: Dict[str, str]) -> str:
        self.other = self.unrelated(files)
        before = self.state(self.other)
        with self.assertRaises(common.KitError) as caught:
            apply.apply(self.other.path, self.patches)
        self.assertEqual(before, self.state(self.other))
        return str(caught.exception)

    def theirs(self) -> str:
        return (self.other.path / "block/c.c").read_text()

    def test_it_is_left_out_and_told(self) -> None:
        self.export_both()
        text = self.run_it({"block/c.c": ONLY_EARLY})
        self.assertIn("Applied 2 patches", text)
        self.assertIn("Left out of 0001-block-c-patch-1.patch: tardy() of block/c.c", text)
        self.assertIn(WHY, text)
        self.assertEqual(1, text.count("Left out"))
        wanted = ONLY_EARLY.replace("early 10;", "early ten;").replace("early 2;", "early two;")
        self.assertEqual(wanted, self.theirs())
        self.assertEqual("int new;\n", (self.other.path / "block/new.c").read_text())
        self.assertEqual("", self.other.out("status", "--porcelain"))
        self.assertEqual("", self.other.run("fsck", "--no-dangling").stdout)

    def test_a_second_time_is_nothing_to_do(self) -> None:
        self.export_both()
        self.run_it({"block/c.c": ONLY_EARLY})
        before = self.state(self.other)
        self.assertIn("already", apply.apply(self.other.path, self.patches))
        self.assertEqual(before, self.state(self.other))

    def test_what_is_not_listed_is_refused(self) -> None:
        self.export_both()
        lists = ("", ROW.replace("tardy", "tardier", 1), ROW.replace("block/c.c", "block/b.c"))
        for number, text in enumerate(lists):
            with self.subTest(text):
                self.list(text)
                self.top = self.top / str(number)
                self.top.mkdir()
                said = self.refused({"block/c.c": ONLY_EARLY, "block/b.c": "other\n"})
                self.assertIn("Patch 1 of 2 does not apply", said)
                self.assertNotIn("Left out", said)

    def test_a_tree_that_has_the_function_gets_the_hunk(self) -> None:
        self.export_both()
        text = self.run_it({"block/c.c": BOTH.replace("early 12;", "theirs;")})
        self.assertIn("Applied 2", text)
        self.assertNotIn("Left out", text)
        self.assertIn("late fifteen;", self.theirs())

    def test_a_function_of_another_name_gets_the_hunk_where_git_finds_its_place(self) -> None:
        self.export_both()
        text = self.run_it({"block/c.c": BOTH.replace("tardy", "belated")})
        self.assertNotIn("Left out", text)
        self.assertIn("late fifteen;", self.theirs())

    def test_a_function_that_is_another_by_now_is_a_conflict(self) -> None:
        self.export_both()
        said = self.refused({"block/c.c": BOTH.replace("late 15;", "theirs;")})
        self.assertIn("what is in the tree against what the patch wants", said)
        self.assertNotIn("Left out", said)

    def test_a_function_that_moved_is_a_conflict(self) -> None:
        self.export_both()
        files = {"block/c.c": ONLY_EARLY, "block/moved.c": "".join(LATE)}
        self.assertNotIn("Left out", self.refused(files))

    def test_another_version_is_a_conflict(self) -> None:
        self.export_both()
        makefile = "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 2\n"
        said = self.refused({"block/c.c": ONLY_EARLY, "Makefile": makefile})
        self.assertIn("this tree is 6.13.2", said)
        self.assertNotIn("Left out", said)

    def test_no_patch_is_left_out_as_a_whole(self) -> None:
        self.export({"block/c.c": BOTH.replace("late 15;", "late fifteen;")})
        self.assertNotIn("Left out", self.refused({"block/c.c": ONLY_EARLY}))

    def test_what_else_is_in_conflict_is_told_with_what_is_left_out(self) -> None:
        self.export_both()
        said = self.refused({"block/c.c": ONLY_EARLY.replace("early 10;", "theirs;")})
        self.assertIn("theirs;", said)
        self.assertNotIn("late fifteen", said)
        self.assertIn("Left out of 0001-block-c-patch-1.patch", said)


class TextTest(sample.TreeCase):
    """The text of patches."""

    ROW = optional.Row("block/c.c", "tardy", WHY)

    def patch(self, text: str, **others: str) -> str:
        """A patch from BOTH to this, and of other files."""
        sample.write(self.repo, "block/c.c", BOTH, "block: c")
        for name, other in others.items():
            (self.repo.path / f"block/{name}.c").write_text(other)
        self.repo.run("add", "-A")
        sample.write(self.repo, "block/c.c", text, "block: c: other")
        words = ["format-patch", "--stdout", "--base=HEAD~1", "-1"]
        made: str = self.repo.run(*words).stdout
        return made

    def paths(self, text: str) -> List[str]:
        return [change.path for change in diffs.split(text)[1]]

    def test_a_file_of_which_nothing_remains_goes(self) -> None:
        late = BOTH.replace("late 15;", "late fifteen;")
        for others in ({"b": "b\n"}, {"z": "z\n"}):
            text = self.patch(late, **others)
            self.assertEqual(2, len(self.paths(text)))
            less = optional.without(text, self.ROW)
            assert less is not None
            self.assertNotIn("block/c.c\n@@", less)
            self.assertNotIn("late", less.partition("---")[2])
            self.assertIn("base-commit", less)
            self.repo.run("checkout", "-q", "--detach", "HEAD~1")
            self.repo.run("am", "-q", env=sample.ME, text_in=less)
            self.repo.run("checkout", "-q", "main")
            self.repo.run("reset", "-q", "--hard", "base")

    def test_a_hunk_that_goes_beyond_the_function_stays(self) -> None:
        text = self.patch(BOTH + "\nint more;\n", b="b\n")
        self.assertIn("@@ static int tardy(int x)", text)
        self.assertIsNone(optional.without(text, self.ROW))

    def test_a_row_that_says_no_reason(self) -> None:
        (self.patches / optional.LIST).write_text("block/c.c tardy\n")
        with self.assertRaises(common.KitError) as caught:
            optional.rows(self.patches)
        self.assertIn("block/c.c tardy", str(caught.exception))

    def test_a_folder_without_a_list(self) -> None:
        self.assertEqual([], optional.rows(self.patches))


class OwnSeriesTest(unittest.TestCase):
    """The repository's own patches and list."""

    def setUp(self) -> None:
        files = series.patch_files(common.PATCHES)
        self.texts = [path.read_text(errors="surrogateescape") for path in files]

    def test_taken_apart_and_put_together_is_the_same(self) -> None:
        for text in self.texts:
            message, changes = diffs.split(text)
            self.assertEqual(text, diffs.join(message, changes))
            self.assertNotIn("\n@@ ", "".join(c.head + c.tail for c in changes))

    def test_each_row_of_the_list_has_its_hunk(self) -> None:
        for row in optional.rows(common.PATCHES):
            count = sum(optional.without(text, row) is not None for text in self.texts)
            self.assertEqual(1, count, f"{row.function} in {common.shown(common.PATCHES)}")


if __name__ == "__main__":
    unittest.main()
