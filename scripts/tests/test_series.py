# SPDX-License-Identifier: GPL-2.0-only
"""Patches -> commits -> patches."""

import pathlib
import subprocess
import sys
import unittest

import sample
from kit import common, series

COVER = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A Developer <dev@localhost>
Date: Mon, 6 May 2024 07:08:09 +0000
Subject: [PATCH 0/2] block: an answer

Why there should be an answer:

  * it is 42 (today): really

A Developer (2):
  old list

 1 file changed

base-commit: 0123456789012345678901234567890123456789
"""


class SeriesTest(sample.TreeCase):
    def export(self, old: pathlib.Path, head: str) -> pathlib.Path:
        new = self.top / "new"
        new.mkdir()
        series.export(self.repo, "base", head, old, new)
        return new

    def test_round_trip_gives_the_same_bytes(self) -> None:
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches))
        self.assertEqual([], series.same_files(self.patches, self.export(self.patches, head)))

    def test_a_changed_byte_is_noticed(self) -> None:
        patch = series.patch_files(self.patches)[1]
        patch.write_text(patch.read_text().replace("Because.", "Because!  "))
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches))
        differing = series.same_files(self.patches, self.export(self.patches, head))
        self.assertEqual([patch.name], differing)

    def test_a_missing_patch_is_noticed(self) -> None:
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches)[:2])
        differing = series.same_files(self.patches, self.export(self.patches, head))
        self.assertEqual(3, len(differing))  # The count in the subjects changes too.

    def test_import_is_the_same_commit_everywhere(self) -> None:
        patches = series.patch_files(self.patches)
        first = series.import_onto(self.repo, "base", patches)
        second = series.import_onto(self.new_tree("elsewhere"), "base", patches)
        self.assertEqual(first, second)

    def test_import_leaves_no_work_tree_behind(self) -> None:
        series.import_onto(self.repo, "base", series.patch_files(self.patches))
        self.assertEqual(1, len(self.repo.out("worktree", "list").splitlines()))

    def test_sigterm_leaves_no_work_tree_behind(self) -> None:
        program = (
            "import pathlib, sys, time\n"
            f"sys.path.insert(0, {str(common.ROOT / 'scripts')!r})\n"
            "from kit import common, git, series\n"
            "common.stop_as_ctrl_c_does()\n"
            f"repo = git.Repo(pathlib.Path({str(self.repo.path)!r}))\n"
            "with series.scratch_worktree(repo, 'HEAD', []) as tree:\n"
            "    print(tree.path, flush=True)\n"
            "    time.sleep(60)\n"
        )
        words = [sys.executable, "-c", program]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None
            path = pathlib.Path(child.stdout.readline().strip())
            self.assertTrue(path.exists())
            child.terminate()
        self.assertFalse(path.parent.exists())
        self.assertEqual(1, len(self.repo.out("worktree", "list").splitlines()))

    def test_the_users_settings_do_not_change_patches(self) -> None:
        self.repo.run("config", "user.name", "Someone Else")
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches))
        self.assertEqual([], series.same_files(self.patches, self.export(self.patches, head)))

    def test_cover_letter_keeps_its_words_and_gets_new_numbers(self) -> None:
        (self.patches / series.COVER).write_text(COVER)
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches))
        new = self.export(self.patches, head)
        text = (new / series.COVER).read_text()
        self.assertIn("Subject: [PATCH 0/3] block: an answer\n", text)
        self.assertIn("Date: Mon, 6 May 2024 07:08:09 +0000\n", text)
        self.assertIn("  * it is 42 (today): really\n\nA Developer (3):\n", text)
        self.assertNotIn("old list", text)
        self.assertIn(f"base-commit: {self.repo.commit_id('base')}", text)
        self.assertEqual(self.repo.commit_id("base"), series.recorded_base(new))

    def test_cover_letter_round_trip_gives_the_same_bytes(self) -> None:
        (self.patches / series.COVER).write_text(COVER)
        head = series.import_onto(self.repo, "base", series.patch_files(self.patches))
        once = self.export(self.patches, head)
        twice = self.top / "twice"
        twice.mkdir()
        series.export(self.repo, "base", head, once, twice)
        self.assertEqual([], series.same_files(once, twice))

    def test_digest_changes_with_code_not_with_the_cover_letter(self) -> None:
        before = series.digest(self.patches)
        (self.patches / series.COVER).write_text(COVER)
        self.assertEqual(before, series.digest(self.patches))
        patch = series.patch_files(self.patches)[0]
        patch.write_text(patch.read_text().replace("line three", "line 3"))
        self.assertNotEqual(before, series.digest(self.patches))

    def test_subject_without_its_mark(self) -> None:
        subjects = [series.subject(patch) for patch in series.patch_files(self.patches)]
        self.assertEqual("block: a: say three", subjects[0])
        self.assertEqual("block: add [an] answer", subjects[2])

    def test_the_repositorys_own_series(self) -> None:
        from kit import tree

        self.assertGreater(len(series.patch_files(common.PATCHES)), 0, "patches/ has no patches")
        self.assertIsNone(tree.round_trip())


if __name__ == "__main__":
    unittest.main()
