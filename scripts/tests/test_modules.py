# SPDX-License-Identifier: GPL-2.0-only
"""Modules out of tree: the archive that a kernel leaves behind, and when objects are of no use."""

import os
import pathlib
import shutil
import tempfile
import unittest

import sample  # noqa: F401  pylint: disable=unused-import

from kit import common, modules


class ArchiveTest(unittest.TestCase):
    def setUp(self) -> None:
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="blkcopy-test-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.kernel = self.top / "kernel"
        self.kernel.mkdir()

    def collect(self, release: str, time: int = 1) -> pathlib.Path:
        """What the kernel's script makes of a built tree at a time, in miniature."""
        kdir = self.top / "kdir"
        for name, text in {
            "include/generated/utsrelease.h": f'#define UTS_RELEASE "{release}"\n',
            "include/config/auto.conf": "CONFIG_CC_IS_GCC=y\n",
            "Makefile": 'modules:\n\ttouch $(M)/tested.ko $(M)/examples/sample.ko\n',
        }.items():
            (kdir / name).parent.mkdir(parents=True, exist_ok=True)
            (kdir / name).write_text(text)
            os.utime(kdir / name, (time, time))
        return kdir

    def pack(self, release: str, time: int = 1) -> bytes:
        self.collect(release, time)
        modules.pack(self.top, self.kernel / modules.ARCHIVE)
        return (self.kernel / modules.ARCHIVE).read_bytes()

    def test_the_same_files_give_the_same_archive(self) -> None:
        self.assertEqual(self.pack("1", time=1), self.pack("1", time=2))
        self.assertFalse((self.top / "kdir").exists())

    def test_unpacked_once_for_each_archive(self) -> None:
        self.pack("1")
        tree = modules.unpack(self.kernel)
        self.assertIn('"1"', (tree / "include/generated/utsrelease.h").read_text())
        (tree / "touched").write_text("")
        self.assertTrue((modules.unpack(self.kernel) / "touched").exists())
        self.pack("2")
        tree = modules.unpack(self.kernel)
        self.assertIn('"2"', (tree / "include/generated/utsrelease.h").read_text())
        self.assertFalse((tree / "touched").exists())

    def test_a_kernel_without_archive_is_named(self) -> None:
        with self.assertRaisesRegex(common.KitError, "kdir.tar.zst is missing"):
            modules.unpack(self.kernel)

    def test_what_is_no_build_tree_is_refused(self) -> None:
        with self.assertRaisesRegex(common.KitError, "no build tree") as raised:
            modules.build(self.top, self.top / "out", 1, False)
        self.assertEqual(raised.exception.code, common.EXIT_USAGE)

    def test_objects_of_another_kernel_are_forgotten(self) -> None:
        out = self.top / "out"
        self.pack("1")
        made = modules.build(modules.unpack(self.kernel), out, 1, False)
        self.assertEqual([out / "sample.ko", out / "tested.ko"], made)
        (out / "old.o").write_text("")
        modules.build(modules.unpack(self.kernel), out, 1, False)
        self.assertTrue((out / "old.o").exists())
        self.pack("2")
        modules.build(modules.unpack(self.kernel), out, 1, False)
        self.assertFalse((out / "old.o").exists())

    def test_a_failure_shows_what_make_said(self) -> None:
        kdir = self.collect("1")
        (kdir / "Makefile").write_text("modules:\n\techo it is broken >&2; false\n")
        with self.assertRaisesRegex(common.KitError, "it is broken"):
            modules.build(kdir, self.top / "out", 1, False)


if __name__ == "__main__":
    unittest.main()
