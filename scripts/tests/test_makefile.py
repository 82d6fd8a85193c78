# SPDX-License-Identifier: GPL-2.0-only
"""The top Makefile: what it looks at before anything long is built, and what it hands on."""

import re
import subprocess
import unittest

import sample  # noqa: F401 (finds the package)
from kit import common


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    """Without the variables of a make that runs these tests."""
    return subprocess.run(
        ["make", "-C", str(common.ROOT), *words],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class MakefileTest(unittest.TestCase):
    def planned(self, *words: str) -> str:
        """What would be run, each command a line; calls of make only as they are."""
        done = make("-n", "-s", "MAKE=true", *words)
        self.assertEqual(0, done.returncode, done.stderr)
        return re.sub(r"\\\n\s*", "", done.stdout).replace(f"{common.ROOT}/", "")

    def refused(self, *words: str) -> str:
        done = make("-s", "MAKE=true", *words)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("Error 2", done.stderr)
        self.assertEqual("", done.stdout)
        return done.stderr

    def check_order(self, text: str, *parts: str) -> None:
        places = [text.find(part) for part in parts]
        self.assertNotIn(-1, places, text)
        self.assertEqual(sorted(places), places, text)

    def test_help_fits_on_a_screen(self) -> None:
        lines = make("-s", "help").stdout.splitlines()
        self.assertLessEqual(len(lines), 40)
        self.assertEqual([], [line for line in lines if len(line) > 80])

    def test_a_shell_gets_what_its_flavour_needs(self) -> None:
        self.assertIn("blkcopy-vm shell --flavour debug", self.planned("shell", "FLAVOUR=debug"))

    def test_the_machine_of_a_shell_is_looked_for_first(self) -> None:
        for parallel in ("-j1", "-j4"):
            text = self.planned("shell", "MACHINE=typo", parallel)
            self.check_order(text, "-C qemu", "list --filter 'typo/*'", "kernel build")

    def test_a_bench_is_looked_for_first(self) -> None:
        text = self.planned("bench", "FILTER=typo")
        self.check_order(text, "-C bench", "list --filter 'typo'", "kernel build", "run --filter")

    def test_results_to_compare_are_looked_for_first(self) -> None:
        for words in ([], ["A=/nonexistent/a", "B=/nonexistent/b"]):
            self.assertIn("which two results files", self.refused("bench-compare", *words))
            text = self.planned("bench-compare", *words)
            self.check_order(text, "which two results", "-C bench", "blkcopy-bench compare")

    def test_check_bisect_builds_nothing_before_its_script(self) -> None:
        text = self.planned("check-bisect", "ONLY=zzz")
        self.assertIn("bisect", text)
        self.assertNotIn("kernel build", text)

    def test_a_tree_of_the_users(self) -> None:
        for target in ("test", "test-full"):
            self.assertIn("--kdir '/k'", self.planned(target, "KDIR=/k"))
        for target in ("shell", "bench"):
            text = self.planned(target, "KDIR=/k")
            build = [line for line in text.splitlines() if "kernel build --flavour plain" in line]
            self.assertTrue(build)
            self.assertIn("--kdir '/k'", build[0])
            self.assertIn("modules --flavour plain", text)
            self.assertNotIn("modules --kdir", text)
        # That tree has the series, so it is none to compare with.
        self.assertIn("kernel FLAVOUR=unpatched KDIR=\n", self.planned("bench", "KDIR=/k"))
        text = self.planned("kmod", "KDIR=/k")
        self.assertIn("modules --kdir '/k'", text)
        self.assertNotIn("kernel build", text)

    def test_a_tree_that_is_not_known(self) -> None:
        self.assertIn("TREE=foo", self.refused("kernel", "TREE=foo"))


if __name__ == "__main__":
    unittest.main()
