# SPDX-License-Identifier: GPL-2.0-only
"""make apply: all of the series, or a tree exactly as it was."""

import contextlib
import io
import pathlib
import unittest
from unittest import mock

import sample
from kit import apply, common


class ApplyTest(sample.TreeCase):
    def setUp(self) -> None:
        super().setUp()
        self.stand_in("kit.base.lender", return_value=None)
        self.stand_in("kit.base.version", side_effect=common.KitError("not installed"))

    def refused(self, tree: pathlib.Path) -> common.KitError:
        with self.assertRaises(common.KitError) as caught:
            apply.apply(tree, self.patches)
        return caught.exception

    def test_a_good_tree_gets_every_patch(self) -> None:
        text = apply.apply(self.repo.path, self.patches)
        self.assertIn("Applied 3 patches", text)
        self.assertEqual(
            "line three\n", (self.repo.path / "block/a.c").read_text().splitlines(True)[2]
        )
        self.assertTrue((self.repo.path / "block/new.c").exists())
        self.assertEqual("", self.repo.out("status", "--porcelain"))
        self.assertEqual("3", self.repo.out("rev-list", "--count", "base..main"))
        self.assertEqual(1, len(self.repo.out("worktree", "list").splitlines()))

    def test_the_commits_are_the_users_by_committer(self) -> None:
        apply.apply(self.repo.path, self.patches)
        who = self.repo.out("log", "-1", "--format=%an/%cn")
        self.assertEqual("A Developer/A User", who)

    def test_a_tree_that_moved_on_elsewhere_is_fine(self) -> None:
        sample.change(self.repo, "block/a.c", {15: "theirs\n"}, "other work")
        self.assertIn("Applied 3", apply.apply(self.repo.path, self.patches))

    def test_a_second_time_is_nothing_to_do(self) -> None:
        apply.apply(self.repo.path, self.patches)
        before = self.state(self.repo)
        self.assertIn("already", apply.apply(self.repo.path, self.patches))
        self.assertEqual(before, self.state(self.repo))

    def test_a_conflict_leaves_the_tree_as_it_was_and_names_the_patch(self) -> None:
        sample.change(self.repo, "block/a.c", {30: "theirs\n"}, "other work")
        before = self.state(self.repo)
        text = str(self.refused(self.repo.path))
        self.assertIn("Patch 2 of 3 does not apply", text)
        self.assertIn("block: a: say thirty", text)
        self.assertIn("block/a.c", text)
        self.assertIn("exactly as it was", text)
        self.assertIn("this tree is 6.12.1", text)
        self.assertEqual(before, self.state(self.repo))

    def test_a_conflict_on_a_detached_head_too(self) -> None:
        sample.change(self.repo, "block/a.c", {3: "theirs\n"}, "other work")
        self.repo.run("checkout", "-q", "--detach")
        before = self.state(self.repo)
        self.assertIn("detached HEAD", str(self.refused(self.repo.path)))
        self.assertEqual(before, self.state(self.repo))

    def test_changes_not_committed_are_refused(self) -> None:
        for stage in (False, True):
            (self.repo.path / "block/b.c").write_text("mine\n")
            if stage:
                self.repo.run("add", "block/b.c")
            before = self.state(self.repo)
            text = str(self.refused(self.repo.path))
            self.assertIn("not committed", text)
            self.assertIn("block/b.c", text)
            self.assertEqual(before, self.state(self.repo))

    def test_an_untracked_file_in_the_way_survives(self) -> None:
        (self.repo.path / "block/new.c").write_text("precious\n")
        before = self.state(self.repo)
        self.refused(self.repo.path)
        self.assertEqual(before, self.state(self.repo))

    def test_an_operation_under_way_is_refused(self) -> None:
        (self.repo.path / ".git/rebase-apply").mkdir()
        self.assertIn("under way", str(self.refused(self.repo.path)))

    def test_what_is_no_kernel_tree_is_a_usage_error(self) -> None:
        (self.top / "empty").mkdir()
        for path in (self.top / "missing", self.top / "empty", self.repo.path / "block"):
            self.assertEqual(common.EXIT_USAGE, self.refused(path).code)


class OtherVersionTest(sample.TreeCase):
    """Another 6.12.y: lines beside those of the series differ, and none of its blobs is known."""

    def setUp(self) -> None:
        super().setUp()
        # Three lines of context around line 3 end at line 6.
        text = "".join(sample.LINES).replace("line 5\n", "theirs\n")
        self.other = self.unrelated({"block/a.c": text})
        self.stand_in("kit.base.lender", return_value=None)
        self.version = self.stand_in("kit.base.version", return_value="6.12.1")
        self.cached = self.stand_in("kit.base.cached", return_value=self.repo)

    def run_it(self) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            text = apply.apply(self.other.path, self.patches)
        return said.getvalue() + text

    def refused(self) -> str:
        before = self.state(self.other)
        with self.assertRaises(common.KitError) as caught:
            self.run_it()
        self.assertEqual(before, self.state(self.other))
        return str(caught.exception)

    def assert_merged(self) -> None:
        lines = (self.other.path / "block/a.c").read_text().splitlines()
        self.assertEqual(["line three", "theirs"], [lines[2], lines[4]])
        # It stands without the lender.
        self.assertEqual("", self.other.run("fsck", "--no-dangling").stdout)

    def test_with_the_source_at_hand_other_context_is_merged(self) -> None:
        with mock.patch("kit.base.lender", return_value=self.repo):
            self.assertIn("Applied 3", self.run_it())
        self.cached.assert_not_called()
        self.assert_merged()

    def test_the_source_is_taken_where_it_is_needed(self) -> None:
        text = self.run_it()
        self.assertIn("0001-block-a-say-three.patch does not apply as it is", text)
        self.assertIn("Applied 3", text)
        self.cached.assert_called_once()
        self.assert_merged()

    def test_what_applies_as_it_is_needs_no_source(self) -> None:
        self.other = self.repo
        self.assertIn("Applied 3", self.run_it())
        self.cached.assert_not_called()

    def test_a_conflict_that_git_sees_needs_no_source(self) -> None:
        self.other = self.repo
        sample.change(self.repo, "block/a.c", {3: "theirs\n"}, "other work")
        self.assertIn("what is in the tree against what the patch wants", self.refused())
        self.cached.assert_not_called()

    def test_a_conflict_that_the_source_shows_is_told(self) -> None:
        sample.change(self.other, "block/a.c", {3: "mine\n"}, "other work")
        self.assertIn("what is in the tree against what the patch wants", self.refused())
        self.cached.assert_called_once()

    def test_without_the_package_setup_is_named(self) -> None:
        said = "the tarball is missing; `make setup` installs linux-source-6.12"
        self.version.side_effect = common.KitError(said)
        text = self.refused()
        self.assertIn("Patch 1 of 3 does not apply", text)
        self.assertIn(
            f"git could perhaps merge what differs if it had Debian's source: {said}.", text
        )
        self.cached.assert_not_called()

    def test_a_source_of_another_date_is_better_than_none(self) -> None:
        """Where the series does not apply to the source either, its files still help."""
        sample.change(self.repo, "block/a.c", {30: "Debian's\n"}, "Debian moved on")
        self.repo.run("tag", "-f", "base")
        self.assertIn("Applied 3", self.run_it())
        self.assert_merged()

    def test_a_second_time_is_nothing_to_do(self) -> None:
        """Although the context of what was merged is not that of the patches."""
        self.run_it()
        before = self.state(self.other)
        self.assertIn("already", self.run_it())
        self.assertEqual(before, self.state(self.other))

    def test_other_commits_of_these_names_are_not_the_series(self) -> None:
        self.run_it()
        write = (self.other.path / "block/new.c").write_text
        write("int answer = 43;\n")
        self.other.run("commit", "-q", "-a", "--amend", "--no-edit", env=sample.ME)
        self.assertIn("does not apply", self.refused())


if __name__ == "__main__":
    unittest.main()
