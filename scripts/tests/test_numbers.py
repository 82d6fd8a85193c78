# SPDX-License-Identifier: GPL-2.0-only
"""From the results of `make bench` to the cover letter."""

import json
import pathlib
import tempfile
import unittest

import sample  # noqa: F401  pylint: disable=unused-import

from kit import common, cover, numbers


class NumbersTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)

    def row(self, **other: object) -> dict:
        device = {"copies": 20, "reads": 0, "writes": 0}
        row = {"bench": "sweep", "machine": "one", "method": "ioctl", "bytes": 65536, "extents": 1}
        row.update(ops=10, instructions=7654, device=device, verified=True)
        row.update(other)
        return row

    def text(self, *rows: dict) -> str:
        found = {"command": "make bench FILTER='smoke'", "created": "2026-01-02 03:04"}
        found.update(kernel="6.12.117-blkcopy", qemu="7.2.22", rows=rows)
        (self.top / "results.json").write_text(json.dumps(found))
        numbers.write(self.top / "results.json", self.top / "bench.txt")
        return (self.top / "bench.txt").read_text()

    def test_each_shape_and_method_has_its_place(self) -> None:
        text = self.text(self.row(), self.row(method="uring", instructions=43210987))
        self.assertIn("`make bench FILTER='smoke'`, 2026-01-02\n", text)
        cells = [line.split() for line in text.splitlines() if line.startswith(" 64 KiB")]
        self.assertEqual(["64", "KiB", "-", "-", "-", "7654", "43M", "-", "-"], cells[0])
        self.assertEqual(["64", "KiB", "-", "-", "-", "2", "2", "-", "-"], cells[1])

    def test_ways_and_what_others_pay(self) -> None:
        def way(method: str, copies: int) -> dict:
            device = {"copies": 10 * copies, "reads": 0, "writes": 0}
            return self.row(bench="ways", method=method, extents=16, device=device)

        ways = [way(name, 1) for name in ("one", "call", "plug")]
        ways += [way(name, 16) for name in ("apart", "turns")]
        unused = [
            self.row(bench="unused", method="read", depth=1, flavour=flavour, instructions=number)
            for flavour, number in (("unpatched", 1000), ("plain", 1010))
        ]
        text = self.text(self.row(), *ways, *unused)
        self.assertRegex(text, r"(?m)^ 16( +7654){5}\n +/ 16 +/ 16$")
        self.assertRegex(text, r"(?m)^ read +1000 +1010 +\+1\.00 %$")
        self.assertLessEqual(max(map(len, text.splitlines())), cover.MOST)
        with self.assertRaisesRegex(common.KitError, "not verified: read"):
            self.text(self.row(), dict(unused[0], verified=False))

    def test_a_line_fits_a_mail(self) -> None:
        self.assertLessEqual(max(map(len, self.text(self.row()).splitlines())), cover.MOST)

    def test_what_was_not_verified_is_not_told(self) -> None:
        self.text(self.row())
        before = (self.top / "bench.txt").read_text()
        with self.assertRaisesRegex(common.KitError, "not verified: ioctl"):
            self.text(self.row(verified=False))
        with self.assertRaisesRegex(common.KitError, "no sweep"):
            self.text(self.row(bench="times"))
        self.assertEqual(before, (self.top / "bench.txt").read_text())

    def test_other_files_are_refused(self) -> None:
        for content in ("", "{}", "[]", '{"rows": [{}]}'):
            (self.top / "results.json").write_text(content)
            with self.assertRaisesRegex(common.KitError, "no results file") as caught:
                numbers.write(self.top / "results.json", self.top / "bench.txt")
            self.assertEqual(common.EXIT_USAGE, caught.exception.code)
        self.assertFalse((self.top / "bench.txt").exists())


if __name__ == "__main__":
    unittest.main()
