# SPDX-License-Identifier: GPL-2.0-only
"""The branch of mutations on top of the series; their table; what counts as noticed."""

import json
import pathlib
import tempfile
import unittest

import sample
from kit import common, git, mutants, mutations, series, tree
from kit.mutants import Outcome
from kit.mutations import Mutation


class BranchTest(sample.DeveloperCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.top / "mutations"
        self.repo_of_developer = self.create()
        self.repo_of_developer.run("checkout", "-q", "-b", "mutations")
        sample.change(self.repo_of_developer, "block/a.c", {10: "broken\n"}, "mutants: break ten")
        sample.write(self.repo_of_developer, "block/break.c", "int broken;\n", "mutants: more")
        self.repo_of_developer.run("checkout", "-q", "copy-offload")
        self.assertIsNone(mutations.refresh(self.repo_of_developer, self.folder))

    def names(self) -> list:
        return [path.name for path in series.patch_files(self.folder)]

    def is_on_the_series(self, repo: git.Repo) -> bool:
        return repo.commit_id("mutations~2") == repo.commit_id("copy-offload")

    def test_the_branch_is_exported_and_not_part_of_the_series(self) -> None:
        self.assertEqual(["0001-mutants-break-ten.patch", "0002-mutants-more.patch"], self.names())
        self.assertEqual([], tree.refresh(self.patches))
        self.repo_of_developer.run("checkout", "-q", "mutations")
        self.assertEqual([], tree.refresh(self.patches), "also when it is checked out")
        self.assertEqual([], tree.unexported(self.repo_of_developer, self.patches))

    def test_it_follows_a_series_that_was_rewritten(self) -> None:
        repo = self.repo_of_developer
        repo.run("reset", "-q", "--hard", "HEAD~1")
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        self.assertIsNone(mutations.refresh(repo, self.folder))
        self.assertTrue(self.is_on_the_series(repo))
        self.assertIn("new work", repo.out("show", "mutations:block/a.c"))
        self.assertIn("broken", repo.out("show", "mutations:block/a.c"))
        self.assertEqual(2, len(self.names()))

    def test_a_conflict_is_told_and_nothing_is_lost(self) -> None:
        repo = self.repo_of_developer
        sample.change(repo, "block/a.c", {10: "ours\n"}, "block: ten")
        before, patches = repo.commit_id("mutations"), self.names()
        complaint = mutations.refresh(repo, self.folder) or ""
        self.assertIn("0001-mutants-break-ten.patch", complaint)
        self.assertIn("make refresh", complaint)
        self.assertEqual(before, repo.commit_id("mutations"))
        self.assertEqual(patches, self.names())

    def test_a_branch_in_use_is_left_to_the_developer(self) -> None:
        repo = self.repo_of_developer
        sample.change(repo, "block/a.c", {20: "new work\n"}, "block: more")
        repo.run("checkout", "-q", "mutations")
        self.assertIn("checked out", mutations.refresh(repo, self.folder) or "")
        repo.run("rebase", "-q", "copy-offload", env=sample.ME)
        self.assertIsNone(mutations.refresh(repo, self.folder))
        self.assertTrue(self.is_on_the_series(repo))

    def test_a_tree_without_the_branch_gets_it_from_the_patches(self) -> None:
        repo = self.repo_of_developer
        before = repo.out("rev-parse", "mutations^{tree}")
        repo.run("branch", "-q", "-D", "mutations")
        self.assertIsNone(mutations.add_branch(repo, self.folder))
        self.assertEqual(before, repo.out("rev-parse", "mutations^{tree}"))
        self.assertTrue(self.is_on_the_series(repo))


class TableTest(unittest.TestCase):
    def load(self, *texts: str) -> list:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for number, text in enumerate(texts):
                (folder / f"rules-{number}.txt").write_text(text)
            return mutations.load(folder)

    def test_the_table_may_be_several_files(self) -> None:
        rows = self.load("1: a\n    m/p t\n", "2: b\n    m/p u\n")
        self.assertEqual([1, 2], [row.rule for row in rows])
        with self.assertRaisesRegex(common.KitError, "rules-1.txt:1: .*a number again"):
            self.load("1: a\n    m/p t\n", "1: b\n    m/p u\n")

    def test_rows(self) -> None:
        text = "# Comment\n3: no check\n    default/a x.y x.z\n    default/a x.v\n    b-c/d e\n"
        row = Mutation(3, "no check", {"default/a": ["x.y", "x.z", "x.v"], "b-c/d": ["e"]})
        self.assertEqual([row], self.load(text))

    def test_what_makes_no_sense(self) -> None:
        for text in (
            "    default/a x.y\n",
            "3 no colon\n    default/a x.y\n",
            "3: no test\n",
            "3: one\n    a/b c\n3: again\n    a/b c\n",
            "3: one\n    ab c\n",
        ):
            with self.assertRaises(common.KitError, msg=text):
                self.load(text)

    def test_table_and_patches_agree(self) -> None:
        """Of the repository itself."""
        self.assertEqual([], mutations.differences(mutations.load(), mutations.text_of()))

    def test_differences(self) -> None:
        patch = "+	if (blkcopy_break(1) || blkcopy_break(2))\n-	blkcopy_break(9)\n"
        rows = [Mutation(2, "b", {}), Mutation(3, "c", {})]
        text = "; ".join(mutations.differences(rows, patch))
        self.assertEqual("rule 1 is in the patches only; rule 3 is in the table only", text)

    def test_chosen(self) -> None:
        rows = self.load("1: a\n    m/p t\n    m/q u\n12: b\n    m/q v\n")
        self.assertEqual([1, 12], [row.rule for row in mutants.chosen(rows, "")])
        self.assertEqual([12], [row.rule for row in mutants.chosen(rows, "12,2")])
        self.assertEqual({"m/p": ["t"]}, mutants.chosen(rows, "m/p")[0].noticed_by)
        self.assertEqual([], mutants.chosen(rows, "nothing"))


class JudgeTest(unittest.TestCase):
    row = Mutation(7, "no lock", {"default/a": ["a.x", "a.y"]})
    told = "[    1.0] blkcopy: rule 7 is broken\n"

    def judge(self, console: str, tests: dict) -> str:
        return "; ".join(mutants.judge(self.row, Outcome({"default/a": tests}, console, "")))

    def test_noticed(self) -> None:
        self.assertEqual("", self.judge(self.told, {"a.x": "fail", "a.y": "fail", "a.z": "pass"}))

    def test_not_noticed_by_one(self) -> None:
        text = self.judge(self.told, {"a.x": "fail", "a.y": "pass"})
        self.assertIn("a.y did not notice: pass", text)

    def test_a_skip_notices_nothing(self) -> None:
        self.assertIn("a.y did not", self.judge(self.told, {"a.x": "fail", "a.y": "skip"}))

    def test_failed_without_the_rule(self) -> None:
        other = "blkcopy: rule 71 is broken\n"
        for console in ("", other):
            text = self.judge(console, {"a.x": "fail", "a.y": "fail"})
            self.assertEqual("the kernel never came to break it", text)

    def test_a_program_that_did_not_run(self) -> None:
        text = "; ".join(mutants.judge(self.row, Outcome({}, self.told, "")))
        self.assertIn("a.x did not notice: not run", text)

    def test_results_of_the_harness(self) -> None:
        machine = {
            "name": "default/golden",
            "programs": [{"name": "golden", "status": "fail", "tests": []}],
        }
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "default/golden").mkdir(parents=True)
            (folder / "default/golden/console.log").write_text(self.told)
            (folder / "results.json").write_text(json.dumps({"machines": [machine]}))
            outcome = mutants.read_outcome(folder, "")
            self.assertEqual("fail", outcome.status("default/golden", "golden"))
            self.assertEqual("lost", outcome.status("default/golden", "more"))
            self.assertEqual(self.told, outcome.console)
            nothing = mutants.read_outcome(folder / "none", "")
            self.assertEqual("not run", nothing.status("default/golden", "golden"))


if __name__ == "__main__":
    unittest.main()
