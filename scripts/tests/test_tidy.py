# SPDX-License-Identifier: GPL-2.0-only
"""When a file is shown to clang-tidy again, and what is done with what it says."""

import pathlib
import tempfile
import unittest
from typing import List
from unittest import mock

import sample  # noqa: F401 (finds the package)
from kit import house, store, tidy

MAIN, OTHER = pathlib.Path("tools/blkcopy/main.cc"), pathlib.Path("qemu/main.cc")


class TidyTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        self.write(".clang-tidy", "Checks: bugprone-*\n")
        self.write("tools/blkcopy/main.cc", '#include "near.h"\n#include <vector>\n')
        self.write("tools/blkcopy/near.h", '#include "common/far.h"\n')
        self.write("tools/common/far.h", "\n")
        self.write("qemu/main.cc", "\n")
        self.asked: List[str] = []
        self.says = ""
        for name, value in (("CACHE", self.root / "cache"), ("run", self.run_instead)):
            patcher = mock.patch(f"kit.common.{name}", value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_instead(self, argv: List[object], **_more: object) -> mock.Mock:
        words = [str(word) for word in argv]
        if "--quiet" in words:
            self.asked.append(words[3])
            return mock.Mock(returncode=bool(self.says), stdout=self.says, stderr="")
        return mock.Mock(returncode=0, stdout="version 1\n", stderr="")

    def check(self, budget: store.Budget = store.Budget(None)) -> "List[str] | None":
        self.asked.clear()
        with mock.patch("builtins.print"):
            return tidy.Tidy(1, self.root).check([MAIN, OTHER], budget)

    def test_headers_of_headers_are_found_and_those_of_others_not(self) -> None:
        names = ["tools/blkcopy/near.h", "tools/common/far.h"]
        self.assertEqual([pathlib.Path(n) for n in names], tidy.headers_of(MAIN, self.root))

    def test_a_file_is_asked_about_once(self) -> None:
        self.assertEqual([], self.check())
        self.assertEqual([str(MAIN), str(OTHER)], self.asked)
        self.assertEqual([], self.check())
        self.assertEqual([], self.asked)

    def test_a_header_that_changed_is_a_reason_to_ask_again(self) -> None:
        self.check()
        self.write("tools/common/far.h", "int far();\n")
        self.check()
        self.assertEqual([str(MAIN)], self.asked)

    def test_another_configuration_is_a_reason_for_all(self) -> None:
        self.check()
        self.write(".clang-tidy", "Checks: performance-*\n")
        self.check()
        self.assertEqual([str(MAIN), str(OTHER)], self.asked)

    def test_complaints_are_kept_and_said_once(self) -> None:
        self.says = f"{self.root}/tools/common/far.h:1:1: error: bad [bugprone-x]\nmore of it\n"
        want = ["tools/common/far.h:1:1: error: bad [bugprone-x]"]
        self.assertEqual(want, self.check())
        self.assertEqual(want, self.check())
        self.assertEqual([], self.asked)

    def test_without_time_nothing_is_asked_and_that_is_said(self) -> None:
        budget = store.Budget(0)
        self.assertIsNone(self.check(budget))
        self.assertEqual([], self.asked)
        self.assertIn("clang-tidy: tools/blkcopy/main.cc and 1 more", budget.sentences()[0])


class RepositoryTest(unittest.TestCase):
    def test_each_folder_with_sources_has_its_flags(self) -> None:
        sources = [path for path in house.tracked() if path.suffix == ".cc"]
        self.assertEqual([], [str(path) for path in sources if not tidy.folders_of(path)])


if __name__ == "__main__":
    unittest.main()
