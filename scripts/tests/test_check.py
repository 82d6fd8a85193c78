# SPDX-License-Identifier: GPL-2.0-only
"""What counts as a new warning, and when a result of an earlier check still holds."""

import os
import pathlib
import tempfile
import unittest
from typing import List
from unittest import mock

import sample  # noqa: F401 (finds the package)
from kit import check, cocci, objects, patch_style, rendered, store

HEADERS = ["include/a.h", "include/b.h"]


class TextTest(unittest.TestCase):
    def test_warnings_lose_folders_and_lines(self) -> None:
        text = "../block/a.c:12:3: warning: unused\nblock/a.c:90: warning: unused\nCC a.o\n"
        self.assertEqual({"a.c: warning: unused": 2}, dict(objects.warnings_of(text)))

    def test_output_is_cut_at_each_object(self) -> None:
        text = (
            "  CC      block/a.o\nx.h:1:1: warning: one\n"
            "  CHECK   ../series-6.12/block/a.c\nx.h:2:1: warning: two\n"
            "  CC [M]  drivers/md/b.o\nx.h:3:1: warning: three\n"
        )
        found = objects.by_object(text)
        self.assertEqual({"block/a.o", "drivers/md/b.o"}, set(found))
        self.assertIn("two", found["block/a.o"])
        self.assertIn("three", found["drivers/md/b.o"])

    def test_what_a_configuration_builds(self) -> None:
        makefile = (
            "obj-y += a.o\nobj-$(CONFIG_B) += \\\n\tb.o\nb-y := d.o\nobj-$(CONFIG_E) += e.o\ne-y += c.o\n"
            "ifeq ($(CONFIG_B),y)\nobj-y += f.o\nendif\n"
        )
        built = {
            name
            for name in "abcdef"
            if objects.is_built({"CONFIG_B": "m", "CONFIG_E": "n"}, makefile, f"{name}.c")
        }
        self.assertEqual({"a", "b", "d"}, built)

    def test_a_folder_without_makefile_is_built_by_the_one_above(self) -> None:
        with tempfile.TemporaryDirectory(prefix="blkcopy-test-") as name:
            top = pathlib.Path(name)
            (top / "md/vdo/indexer").mkdir(parents=True)
            (top / "md/vdo/Makefile").write_text("obj-y := vdo.o\nvdo-objs := indexer/a.o b.o\n")
            for source, is_built in (("indexer/a.c", True), ("b.c", True), ("indexer/b.c", False)):
                found = objects.makefile_builds(top, {}, f"md/vdo/{source}")
                self.assertEqual(is_built, found, source)
            self.assertFalse(objects.makefile_builds(top, {}, "block/a.c"))

    def test_calls_of_libgcc(self) -> None:
        text = (
            "         U __udivdi3\n         U __divmoddi4\n         U div64_u64\n00 T __umoddi3\n"
        )
        self.assertEqual(["__udivdi3", "__divmoddi4"], objects.LIBGCC.findall(text))

    def test_coccinelle_reports_lose_lines(self) -> None:
        text = "block/a.c:12:3-9: ERROR: lock on line 7 is held\nwarning: nothing\n"
        self.assertEqual(["a.c: ERROR: lock on line is held"], cocci.normal(text))
        self.assertIsNone(cocci.options_of("virtual patch\n"))
        script = "// Options: --no-includes --include-headers\nvirtual patch\nvirtual report\n"
        self.assertEqual(["--no-includes", "--include-headers"], cocci.options_of(script))

    def test_sphinx_complaints_lose_folders_and_lines(self) -> None:
        text = (
            "/a/Documentation/block/x.rst:12: WARNING: Title underline too short.\n"
            "/a/Documentation/block/x:12: ./block/y.c:3: WARNING: Unexpected indentation.\n"
            "./block/y.c:9: warning: no description\nWARNING: dot(1) not found\n"
        )
        self.assertEqual(
            {
                "x.rst: WARNING: Title underline too short.": 1,
                "x: WARNING: Unexpected indentation.": 1,
                "y.c: warning: no description": 1,
            },
            dict(rendered.complaints_of(text)),
        )

    def test_a_budget_names_what_it_leaves_out(self) -> None:
        self.assertTrue(store.Budget(None).allows("clang", "all"))
        over = store.Budget(0)
        self.assertFalse(over.allows("clang", "1.patch"))
        self.assertFalse(over.allows("clang", "2.patch"))
        self.assertEqual(
            ["not checked, 0 minutes were over: clang: 1.patch and 1 more"], over.sentences()
        )


class ReportTest(unittest.TestCase):
    """Each check is said and counted, and a long complaint does not push away the others."""

    def setUp(self) -> None:
        self.said: List[str] = []
        patcher = mock.patch("kit.common.say", self.said.append)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.report = check.Report()

    def test_counts_and_goes_on(self) -> None:
        self.report.add("one", [])
        self.report.add("two", ["a.c: bad\nb.c: bad"])
        self.assertEqual((1, 1), (self.report.passed, self.report.failed))
        self.assertEqual(
            ["  one: ok", "  two: FAILED", "    a.c: bad", "    b.c: bad"], self.said
        )

    def test_long_complaints_are_cut(self) -> None:
        self.report.add("one", [str(number) for number in range(check.SHOWN + 5)])
        self.assertEqual(check.SHOWN + 2, len(self.said))
        self.assertIn("5 lines more", self.said[-1])


class CacheCase(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        patcher = mock.patch("kit.common.CACHE", self.top)
        patcher.start()
        self.addCleanup(patcher.stop)


class StoreTest(CacheCase):
    def test_what_nobody_asks_for_is_forgotten(self) -> None:
        known = store.Store("objects")
        for key in ("old", "asked", "new"):
            known.put(key, 1)
        for key in ("old", "asked"):
            os.utime(known.folder / key, (0, 0))
        known.get("asked")
        store.forget_old()
        self.assertEqual([None, 1, 1], [known.get(key) for key in ("old", "asked", "new")])


class ObjectsTest(CacheCase):
    """An object holds as long as its source and the headers that it includes do."""

    def setUp(self) -> None:
        super().setUp()
        done = mock.Mock(stdout="gcc 12\n")
        with mock.patch("kit.common.run", return_value=done):
            self.objects = objects.Objects(
                objects.Variant("test"), mock.Mock(), self.top, "base", ["block/a.c", *HEADERS], 1
            )

    def at(self, **blobs: str) -> objects.Snapshot:
        names = {"source": "block/a.c", "a": HEADERS[0], "b": HEADERS[1]}
        return objects.Snapshot("id", {names[key]: blob for key, blob in blobs.items()})

    def remember(self, at: objects.Snapshot, *warnings: str) -> None:
        headers = {HEADERS[0]: at.blob(HEADERS[0])}
        self.objects._remember("block/a.c", at, dict.fromkeys(warnings, 1), "built", headers)

    def known(self, **blobs: str) -> bool:
        return not self.objects.missing(self.at(**blobs), ["block/a.c"])

    def test_nothing_is_known_at_first(self) -> None:
        self.assertFalse(self.known(source="1"))

    def test_a_header_that_is_not_included_does_not_matter(self) -> None:
        self.remember(self.at(source="1", a="1"))
        self.assertTrue(self.known(source="1", a="1", b="2"))

    def test_a_change_of_source_or_header_does(self) -> None:
        self.remember(self.at(source="1", a="1"))
        self.assertFalse(self.known(source="2", a="1"))
        self.assertFalse(self.known(source="1", a="2"))

    def test_two_states_of_a_header_are_both_known(self) -> None:
        self.remember(self.at(source="1", a="1"))
        self.remember(self.at(source="1", a="2"))
        self.assertTrue(self.known(source="1", a="1"))
        self.assertTrue(self.known(source="1", a="2"))

    def test_only_what_is_added_is_new(self) -> None:
        before, after = self.at(source="1"), self.at(source="2")
        self.remember(before, "old")
        self.remember(after, "old", "new")
        self.assertEqual(["new"], self.objects.new_warnings(before, after, "block/a.c"))
        self.assertTrue(self.objects.warns(after, "block/a.c"))

    def test_what_does_not_compile_is_said_and_not_remembered(self) -> None:
        at = self.at(source="1")
        found = self.objects._collect(at, ["block/a.c"], {}, self.top / "log")
        self.assertIn("block/a.c does not compile", found[0])
        self.assertFalse(self.known(source="1"))


class StyleTest(CacheCase):
    """checkpatch is asked once about the same patch."""

    def test_a_second_time_and_a_changed_patch(self) -> None:
        source = mock.Mock()
        source.commit_id.return_value = "base"
        style = patch_style.PatchStyle(source, mock.Mock())
        patch = self.top / "0001-a.patch"
        patch.write_text("one")
        bad = mock.Mock(returncode=1, stdout="WARNING: long line\n", stderr="")
        with mock.patch.object(style, "_perl", return_value=bad) as perl:
            self.assertIn("long line", style.checkpatch(patch)[0])
            self.assertIn("long line", style.checkpatch(patch)[0])
            self.assertEqual(1, perl.call_count)
            patch.write_text("two")
            style.checkpatch(patch)
            self.assertEqual(2, perl.call_count)


if __name__ == "__main__":
    unittest.main()
