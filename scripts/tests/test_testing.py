# SPDX-License-Identifier: GPL-2.0-only
"""Reading other runners' closing lines; what counts as a failure."""

import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

import sample  # noqa: F401 (finds the package)
from kit import common, testing
from kit.testing import Count, Part


class CountTest(unittest.TestCase):
    def test_unittest(self) -> None:
        self.assertEqual(Count(3), testing.count_unittest("...\nRan 3 tests in 0.1s\n\nOK\n"))
        text = "Ran 9 tests in 1s\n\nFAILED (failures=1, errors=2, skipped=1)\n"
        self.assertEqual(Count(5, 3, 1), testing.count_unittest(text))

    def test_googletest(self) -> None:
        text = "[  PASSED  ] 7 tests.\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] A.B\n"
        self.assertEqual(Count(7, 1), testing.count_googletest(text))

    def test_ktap(self) -> None:
        text = "KTAP version 1\n1..3\nok 1 a\nnot ok 2 b\nok 3 c # SKIP no device\n  ok 1 inner\n"
        self.assertEqual(Count(1, 1, 1), testing.count_ktap(text))

    def test_closing_line(self) -> None:
        text = "1 passed, 0 failed\nfoo\n12 passed, 1 failed, 3 skipped\n"
        self.assertEqual(Count(12, 1, 3), testing.count_closing_line(text))
        self.assertEqual(Count(), testing.count_closing_line("died\n"))


class VerdictTest(unittest.TestCase):
    def run_script(self, script: str) -> int:
        part = Part("unit test of parts", ["sh", "-c", script], testing.count_closing_line)
        # Logs of these parts are not to be found among the real ones.
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        results = mock.patch("kit.testing.RESULTS", pathlib.Path(scratch.name))
        with results, contextlib.redirect_stdout(io.StringIO()) as out:
            code = testing.run_all([part], False)
        self.text = out.getvalue()
        return code

    def test_passed(self) -> None:
        self.assertEqual(0, self.run_script("echo 2 passed, 0 failed"))
        self.assertTrue(self.text.endswith("\n2 passed, 0 failed\n"))

    def test_failed(self) -> None:
        self.assertEqual(1, self.run_script("echo 2 passed, 1 failed; exit 1"))

    def test_a_failed_test_counts_whatever_the_exit_code(self) -> None:
        self.assertEqual(1, self.run_script("echo 2 passed, 1 failed"))

    def test_no_test_ran_is_a_failure(self) -> None:
        self.assertEqual(common.EXIT_HOST, self.run_script("true"))
        self.assertIn("no test ran", self.text)

    def test_an_exit_code_counts_although_tests_passed(self) -> None:
        self.assertEqual(common.EXIT_HOST, self.run_script("echo 2 passed, 0 failed; exit 3"))

    def test_a_kernel_that_oopsed_is_a_failure(self) -> None:
        self.assertEqual(1, self.run_script("echo 2 passed, 0 failed; exit 11"))

    def test_counts_from_a_file_and_never_from_an_earlier_run(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "results.json"
            text = '{"counts": {"pass": 3, "fail": 0, "skip": 1, "xfail": 0}}'
            good = Part("good", ["sh", "-c", f"echo '{text}' > {path}"], results=path)
            dead = Part("dead", ["false"], results=path)
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(0, testing.run_all([good], False))
                self.assertEqual(Count(3, 0, 1), good.count)
                self.assertEqual(common.EXIT_FAILED, testing.run_all([dead], False))
                self.assertEqual(Count(), dead.count)

    def test_used_wrongly_is_no_failed_test(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            words = ["sh", "-c", "exit 2"]
            part = Part("misused", words, results=pathlib.Path(name) / "results.json")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(common.EXIT_USAGE, testing.run_all([part], False))
        self.assertIn("used wrongly", out.getvalue())
        # As make ends where something does not build.
        self.assertEqual(common.EXIT_HOST, self.run_script("exit 2"))

    def test_a_filter_is_looked_at_before_anything_is_built(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            program = pathlib.Path(name) / "vm"
            program.write_text(
                '#!/bin/sh\n[ "$2" = --filter=good ] || { echo no $2 >&2; exit 2; }\n'
            )
            program.chmod(0o755)
            with mock.patch("kit.testing.VM", program):
                testing.check_filter("good")
                with self.assertRaises(common.KitError) as caught:
                    testing.check_filter("typo")
        self.assertEqual("no --filter=typo", str(caught.exception))
        self.assertEqual(common.EXIT_USAGE, caught.exception.code)

    def test_all_skipped(self) -> None:
        script = "echo 0 passed, 0 failed, 3 skipped; exit 4"
        self.assertEqual(testing.EXIT_SKIPPED, self.run_script(script))


if __name__ == "__main__":
    unittest.main()
