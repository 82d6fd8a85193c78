# SPDX-License-Identifier: GPL-2.0-only
"""What an export makes: the cover letter and the patch of the selftests."""

import pathlib
import unittest
from unittest import mock

import sample
from kit import apply, common, cover, git, selftests, series, tree

MAKEFILE = "kit-files:\n\t@echo machines.json\n"
LETTER = "# block: an answer\n\nIt is:\n\n{{numbers.txt}}\n\nThat is all.\n"
TARGETS = "# list\nTARGETS += acct\nTARGETS += bpf\n"
ENTRIES = """\
BFS
F:\tfs/bfs/

BLOCK LAYER COPY OFFLOAD
M:\tA Developer <dev@localhost>
F:\tblock/a.c

XYZ
F:\txyz/
"""


class ListTest(unittest.TestCase):
    def test_the_list_of_patches_ends_with_the_last(self) -> None:
        text = "The patches\n===\n\n 1-7    limits\n 8      tests\n\nNumbers\n===\n\n 16     4\n"
        cover.check_list(text, 8)
        cover.check_list("There is no list.\n\n 9     of them\n", 8)
        with self.assertRaisesRegex(common.KitError, "lists 8 patches, and the series has 9"):
            cover.check_list(text, 9)


class MadeCase(sample.DeveloperCase):
    """A repository with selftests and a cover letter, and a tree that has a place for them."""

    def setUp(self) -> None:
        super().setUp()
        for name, text in {
            "selftests/Makefile": MAKEFILE,
            "selftests/copy.c": "int main;\n",
            "selftests/machines.json": "{}\n",
            "cover-letter.md": LETTER,
            "numbers.txt": "42\n",
            "message.md": "# selftests: block_copy: add tests\n\nBecause.\n",
        }.items():
            path = self.top / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        common.run(["git", "init", "-q", self.top], env=git.neutral_env())
        patcher = mock.patch("kit.selftests.MESSAGE", self.top / "message.md")
        patcher.start()
        self.addCleanup(patcher.stop)
        for name, text in {selftests.LIST: TARGETS, selftests.MAINTAINERS: ENTRIES}.items():
            (self.repo.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo.path / name).write_text(text)
            self.repo.run("add", name)
        self.repo.run("commit", "-q", "-m", "places", env=git.FIXED_IDENTITY)
        self.repo.run("tag", "-f", "base")
        self.developer = self.create()
        tree.refresh(self.patches)

    def last(self) -> pathlib.Path:
        return series.patch_files(self.patches)[-1]

    def content(self) -> dict:
        return {path.name: path.read_bytes() for path in self.patches.iterdir()}


class SelftestsTest(MadeCase):
    def test_the_last_patch_has_them(self) -> None:
        self.assertEqual("0004-selftests-block_copy-add-tests.patch", self.last().name)
        self.assertEqual(3, len(series.code_files(self.patches)))
        text = self.last().read_text()
        self.assertIn("[PATCH 4/4] selftests: block_copy: add tests", text)
        self.assertIn("Signed-off-by: A Developer <dev@localhost>", text)
        self.assertIn("tools/testing/selftests/block_copy/copy.c", text)
        self.assertNotIn("machines.json", text.replace(MAKEFILE.split()[-1], "", 1))
        self.assertIn(" TARGETS += acct\n+TARGETS += block_copy\n TARGETS += bpf\n", text)
        self.assertIn(" F:\tblock/a.c\n+F:\ttools/testing/selftests/block_copy/\n", text)

    def test_the_same_input_gives_the_same_bytes(self) -> None:
        before = self.content()
        self.assertEqual([], tree.refresh(self.patches))
        self.assertEqual(before, self.content())
        self.assertEqual([], tree.stale(self.patches))

    def test_round_trip(self) -> None:
        self.assertIsNone(tree.round_trip(self.patches))
        # Also where a test was edited since: what is compared are patches and commits.
        (self.top / "selftests/copy.c").write_text("int other;\n")
        self.assertIsNone(tree.round_trip(self.patches))

    def test_an_edited_or_new_test_makes_it_stale(self) -> None:
        (self.top / "selftests/copy.c").write_text("int other;\n")
        self.assertEqual([self.last().name], tree.stale(self.patches))
        (self.top / "selftests/new.h").write_text("int new;\n")
        self.assertEqual([series.COVER, self.last().name], tree.stale(self.patches))
        tree.refresh(self.patches)
        self.assertIn("+int new;", self.last().read_text())
        self.assertEqual([], tree.stale(self.patches))

    def test_no_kernel_is_built_anew_for_them(self) -> None:
        digest = series.digest(self.patches)
        (self.top / "selftests/copy.c").write_text("int other;\n")
        self.assertEqual([self.last().name], tree.refresh(self.patches))
        self.assertEqual(digest, series.digest(self.patches))
        self.last().unlink()
        self.assertEqual(digest, series.digest(self.patches))

    def test_the_developers_tree_does_not_have_them(self) -> None:
        self.assertEqual("3", self.developer.out("rev-list", "--count", "base..HEAD"))
        self.assertEqual([], tree.unexported(self.developer, self.patches))
        source = tree.source_of_series(self.patches)
        self.assertFalse((source / selftests.TARGET).exists())

    def test_apply_brings_them(self) -> None:
        theirs = self.top / "theirs"
        common.run(["git", "clone", "-q", self.repo.path, theirs], env=git.neutral_env())
        repo = git.Repo(theirs)
        repo.run("config", "user.name", "A User")
        repo.run("config", "user.email", "user@localhost")
        self.assertIn("Applied 4 patches", apply.apply(theirs, self.patches))
        self.assertEqual("int main;\n", (theirs / selftests.TARGET / "copy.c").read_text())
        self.assertIn("on branch", apply.apply(theirs, self.patches))

    def test_a_tree_without_a_place_for_them_is_named(self) -> None:
        sample.write(self.developer, "MAINTAINERS", "XYZ\n", "no entry")
        with self.assertRaisesRegex(common.KitError, "no entry BLOCK LAYER COPY OFFLOAD"):
            tree.refresh(self.patches)
        sample.write(self.developer, selftests.LIST, "\n", "no list")
        with self.assertRaisesRegex(common.KitError, "no list of targets"):
            tree.refresh(self.patches)


class CoverTest(MadeCase):
    def cover(self) -> str:
        return (self.patches / series.COVER).read_text()

    def test_text_and_numbers_in_gits_frame(self) -> None:
        text = self.cover()
        self.assertIn("Subject: [PATCH 0/4] block: an answer\n", text)
        self.assertIn("From: A Developer <dev@localhost>\n", text)
        self.assertIn("Date: Mon, 6 May 2024 07:08:09 +0000\n", text)
        self.assertIn("It is:\n\n42\n\nThat is all.\n\nA Developer (4):\n", text)
        self.assertIn(" create mode 100644 tools/testing/selftests/block_copy/copy.c\n", text)
        self.assertIn(f"base-commit: {self.repo.commit_id('base')}\n", text)

    def test_new_numbers_make_it_stale_and_build_no_kernel(self) -> None:
        digest = series.digest(self.patches)
        (self.top / "numbers.txt").write_text("43\n")
        self.assertEqual([series.COVER], tree.stale(self.patches))
        tree.refresh(self.patches)
        self.assertIn("\n43\n", self.cover())
        self.assertEqual(digest, series.digest(self.patches))

    def test_what_mail_does_not_carry_is_refused(self) -> None:
        for bad in ("x" * 76, "caf\u00e9", "a\tb"):
            (self.top / "numbers.txt").write_text(f"{bad}\n")
            with self.assertRaisesRegex(common.KitError, "line 5 of the letter"):
                tree.refresh(self.patches)

    def test_a_missing_part_is_named(self) -> None:
        (self.top / "numbers.txt").unlink()
        with self.assertRaisesRegex(common.KitError, "includes numbers.txt"):
            tree.refresh(self.patches)


if __name__ == "__main__":
    unittest.main()
