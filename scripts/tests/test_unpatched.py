# SPDX-License-Identifier: GPL-2.0-only
"""What counts as worse than the kernel without the series."""

import json
import pathlib
import tempfile
import unittest

import sample  # noqa: F401 (finds the package)
from kit import common, unpatched


class UnpatchedTest(unittest.TestCase):
    def test_what_passed_has_to_pass(self) -> None:
        before = {"m/p/a": "pass", "m/p/b": "pass", "m/p/c": "skip", "m/p/d": "fail", "m/p": "pass"}
        self.assertEqual([], unpatched.regressions(before, before))
        after = {"m/p/a": "fail", "m/p/c": "fail", "m/p/d": "pass", "m/p": "pass"}
        self.assertEqual(
            [
                "m/p/a: fail, passed without the series",
                "m/p/b: did not run, passed without the series",
            ],
            unpatched.regressions(before, after),
        )

    def test_results_of_the_harness(self) -> None:
        test = {"name": "t", "status": "skip"}
        program = {"name": "p", "status": "pass", "tests": [test]}
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "results.json"
            path.write_text(json.dumps({"machines": [{"name": "m", "programs": [program]}]}))
            self.assertEqual({"m/p/t": "skip"}, unpatched.statuses(path))
            program["tests"] = []
            path.write_text(json.dumps({"machines": [{"name": "m", "programs": [program]}]}))
            self.assertEqual({"m/p": "pass"}, unpatched.statuses(path))
            path.write_text("{")
            with self.assertRaises(common.KitError):
                unpatched.statuses(path)


if __name__ == "__main__":
    unittest.main()
