# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree in build/: making, exporting, and noticing where it differs from the patches."""

import contextlib
import io
import pathlib
import unittest
from unittest import mock

import sample
from kit import common, kernel, series, tree


class TreeTest(sample.DeveloperCase):
    def test_a_new_tree_is_base_and_patches_on_a_branch(self) -> None:
        repo = self.create()
        self.assertEqual("copy-offload", repo.out("symbolic-ref", "--short", "HEAD"))
        self.assertEqual("3", repo.out("rev-list", "--count", "base..HEAD"))
        self.assertTrue((repo.path / "block/new.c").exists())
        self.assertEqual([], tree.unexported(repo, self.patches))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            tree.source_of_series(self.patches)
        self.assertEqual("", said.getvalue())

    def test_an_existing_tree_is_kept_as_it_is(self) -> None:
        repo = self.create()
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        head = repo.commit_id("HEAD")
        self.assertEqual(head, tree.create(self.patches).commit_id("HEAD"))

    def test_refresh_after_no_change_changes_nothing(self) -> None:
        self.create()
        self.assertEqual([], tree.refresh(self.patches))

    def test_refresh_exports_new_commits_and_drops_old_patches(self) -> None:
        repo = self.create()
        repo.run("reset", "-q", "--hard", "HEAD~1")
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        changed = tree.refresh(self.patches)
        self.assertEqual(["0003-block-add-an-answer.patch", "0003-block-more.patch"], changed)
        names = [path.name for path in series.patch_files(self.patches)]
        self.assertIn("0003-block-more.patch", names)
        self.assertEqual(3, len(names))
        self.assertIsNone(tree.round_trip(self.patches))

    def test_round_trip_notices_a_patch_edited_by_hand(self) -> None:
        patch = series.patch_files(self.patches)[1]
        patch.write_text(patch.read_text().replace("@@ -27,7 +27,7 @@", "@@ -28,7 +28,7 @@"))
        self.assertIn(patch.name, tree.round_trip(self.patches) or "")

    def test_round_trip_on_a_newer_base_compares_the_changes(self) -> None:
        sample.change(self.repo, "block/a.c", {40: "newer\n"}, "another base")
        self.repo.run("tag", "-f", "base")
        self.assertIsNone(tree.round_trip(self.patches))

    def test_unexported_commits_and_changes_are_named_and_not_built(self) -> None:
        repo = self.create()
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        (repo.path / "block/b.c").write_text("unfinished\n")
        text = "; ".join(tree.unexported(repo, self.patches))
        self.assertIn("not committed", text)
        self.assertIn('it has "block: more"', text)
        self.assertNotIn("lacks", text)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            source = tree.source_of_series(self.patches)
        self.assertIn("make refresh", said.getvalue())
        self.assertNotEqual(repo.path, source)
        self.assertEqual("other\n", (source / "block/b.c").read_text())
        self.assertNotIn("new work", (source / "block/a.c").read_text())
        self.assertIn("line thirty", (source / "block/a.c").read_text())

    def test_the_second_tree_follows_the_patches(self) -> None:
        repo = self.create()
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        with contextlib.redirect_stderr(io.StringIO()):
            tree.source_of_series(self.patches)
            # Twice, because git has to leave its own first import behind then.
            for words in ("line 30, changed\n", "line 30, changed again\n"):
                developer = self.new_tree(words.replace(" ", "-").strip())
                sample.change(developer, "block/a.c", {30: words}, "block: a: say thirty")
                for patch in series.patch_files(self.patches):
                    patch.unlink()
                series.export(developer, "base", "HEAD", self.patches, self.patches)
                source = tree.source_of_series(self.patches)
                self.assertIn(words, (source / "block/a.c").read_text())
        self.assertFalse((source / "block/new.c").exists())

    def test_the_unpatched_source_is_the_base(self) -> None:
        source = tree.source_of_base()
        self.assertEqual("".join(sample.LINES), (source / "block/a.c").read_text())

    def test_a_tree_without_its_base_is_a_usage_error(self) -> None:
        self.create().run("tag", "-d", "base")
        with self.assertRaises(common.KitError) as caught:
            tree.refresh(self.patches)
        self.assertEqual(common.EXIT_USAGE, caught.exception.code)


class KernelKeyTest(unittest.TestCase):
    def key(self, flavour: str, folder: pathlib.Path) -> str:
        with mock.patch("kit.base.version", lambda: "6.12.1"):
            with mock.patch("kit.kernel.compiler", lambda: "gcc 1"):
                return kernel.key_of(flavour, folder)

    def test_each_input_makes_another_kernel(self) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            plain, unpatched = self.key("plain", folder), self.key("unpatched", folder)
            self.assertNotEqual(plain, unpatched)
            self.assertNotEqual(plain, self.key("debug", folder))
            change = "Words.\n\ndiff --git a/block/a.c b/block/a.c\n+int a;\n"
            (folder / "0001-a.patch").write_text(change)
            self.assertNotEqual(plain, self.key("plain", folder))
            self.assertEqual(unpatched, self.key("unpatched", folder))


if __name__ == "__main__":
    unittest.main()
