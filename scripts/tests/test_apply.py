# SPDX-License-Identifier: GPL-2.0-only
"""make apply: all of the series, or a tree exactly as it was."""

import pathlib
import unittest
from unittest import mock

import sample
from kit import apply, common, git


class ApplyTest(sample.TreeCase):
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

    def test_with_the_source_at_hand_other_context_is_merged(self) -> None:
        """Another 6.12.y: lines beside those of the series differ, and none of its blobs is known."""
        text = (self.repo.path / "block/a.c").read_text()
        other = git.Repo(self.top / "other")
        (other.path / "block").mkdir(parents=True)
        for name in ("Kbuild", "Makefile", "block/b.c"):
            (other.path / name).write_text((self.repo.path / name).read_text())
        # Three lines of context around line 3 end at line 6.
        (other.path / "block/a.c").write_text(text.replace("line 5\n", "theirs\n"))
        other.run("init", "-q")
        other.run("add", "-A")
        other.run("commit", "-q", "-m", "theirs", env=sample.ME)
        other.run("config", "user.name", "A User")
        other.run("config", "user.email", "user@localhost")
        with mock.patch("kit.base.lender", return_value=None):
            self.assertIn("Patch 1 of 3", str(self.refused(other.path)))
        with mock.patch("kit.base.lender", return_value=self.repo):
            self.assertIn("Applied 3", apply.apply(other.path, self.patches))
        lines = (other.path / "block/a.c").read_text().splitlines()
        self.assertEqual(["line three", "theirs"], [lines[2], lines[4]])
        # It stands without the lender.
        self.assertEqual("", other.run("fsck", "--no-dangling").stdout)

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


if __name__ == "__main__":
    unittest.main()
