# SPDX-License-Identifier: GPL-2.0-only
"""struct bio and struct request must not grow by a byte."""

import pathlib
import tempfile
import unittest

import sample  # noqa: F401 (finds the package)
from kit import kconfig, kernel, structs

COMMAND = (
    "savedcmd_block/bio.o := ccache gcc -Wp,-MMD,block/.bio.o.d -I./include '-DNAME=\"a b\"' -c "
    "-o block/bio.o ../src/block/bio.c  ; ./tools/objtool block/bio.o\n\nsource_block/bio.o := x\n"
)


class StructsTest(unittest.TestCase):
    def test_growth_names_both_sizes(self) -> None:
        found = structs.growth("bio 104 96\nrequest 264 264\n")
        self.assertEqual(["struct bio has 104 bytes with the series, 96 without it"], found)

    def test_the_command_is_taken_from_the_build(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            objects = pathlib.Path(name)
            (objects / "block").mkdir()
            (objects / "block/.bio.o.cmd").write_text(COMMAND)
            words = structs.compile_command(objects)
        self.assertEqual(["ccache", "gcc", "-I./include", '-DNAME="a b"', "-c"], words)

    def test_the_series_makes_no_structure_bigger(self) -> None:
        measured = 0
        for flavour in kconfig.FLAVOURS:
            path = kernel.directory(flavour) / "struct-sizes"
            if path.exists():
                with self.subTest(flavour=flavour):
                    self.assertIn("bio ", path.read_text())
                    self.assertIn("request ", path.read_text())
                    self.assertEqual([], structs.growth(path.read_text()))
                measured += 1
        if not measured:
            self.skipTest("no kernel is built; `make kernel` measures the structures")


if __name__ == "__main__":
    unittest.main()
