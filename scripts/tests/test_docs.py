# SPDX-License-Identifier: GPL-2.0-only
"""docs/ and READMEs: what is quoted is what the files say, and what is linked to is there."""

import pathlib
import re
import subprocess
import tempfile
import unittest
from typing import List

import sample  # noqa: F401  pylint: disable=unused-import

from kit import common

BLOCK = re.compile(r"(?:^<!-- from (\S+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#:]+)\)")


# Folders whose README.md is for people, too.
FOLDERS = ["", "kmod", "qemu", "bench", "bench/fio", "selftests/block_copy"]


def pages() -> List[pathlib.Path]:
    docs = sorted((common.ROOT / "docs").glob("*.md"))
    return docs + [common.ROOT / folder / "README.md" for folder in FOLDERS]


def wrong(root: pathlib.Path, page: pathlib.Path) -> List[str]:
    """What a page quotes or links to that is not so, as sentences."""
    text, found = page.read_text(), []
    label = page.relative_to(root)
    for name, language, quote in BLOCK.findall(text):
        first = quote.splitlines()[0]
        if not name:
            found.append(f"{label}: from which file is the {language} with `{first}`?")
        elif not (root / name).is_file():
            found.append(f"{label}: there is no {name}")
        # A row may be followed by a comma.
        elif quote.rstrip("\n") not in (root / name).read_text():
            found.append(f"{label}: {name} does not have the lines from `{first}` on")
    for link in LINK.findall(text):
        if not (page.parent / link).exists():
            found.append(f"{label}: there is no {link}")
    return found


class DocsTest(unittest.TestCase):
    def test_pages_say_what_files_say(self) -> None:
        self.assertGreater(len(pages()), 10)
        quotes = sum(len(BLOCK.findall(page.read_text())) for page in pages())
        self.assertGreater(quotes, 5)
        self.assertEqual([], [each for page in pages() for each in wrong(common.ROOT, page)])

    def test_every_folder_with_a_page_is_looked_at(self) -> None:
        named = subprocess.run(
            ["git", "ls-files", "*.md"],
            cwd=common.ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        ).stdout.split()
        if not named:
            self.skipTest("no git repository")
        self.assertEqual(
            [], sorted(set(named) - {str(p.relative_to(common.ROOT)) for p in pages()})
        )

    def test_the_index_names_every_page(self) -> None:
        index = (common.ROOT / "docs/README.md").read_text()
        for page in sorted((common.ROOT / "docs").iterdir()):
            if page.name != "README.md":
                self.assertIn(f"]({page.name})", index)


class WrongTest(unittest.TestCase):
    def said(self, text: str, page: str = "page.md") -> str:
        with tempfile.TemporaryDirectory(prefix="blkcopy-test-") as name:
            root = pathlib.Path(name)
            (root / "a.c").write_text("int a;\nint b;\n")
            (root / page).parent.mkdir(exist_ok=True)
            (root / page).write_text(text)
            return "\n".join(wrong(root, root / page))

    def test_a_quote_is_looked_for(self) -> None:
        self.assertEqual("", self.said("<!-- from a.c -->\n```c\nint b;\n```\n[a](a.c)\n"))

    def test_other_lines_are_noticed(self) -> None:
        said = self.said("<!-- from a.c -->\n```c\nint a;\nint c;\n```\n")
        self.assertIn("a.c does not have the lines from `int a;` on", said)

    def test_a_quote_without_a_file_is_noticed(self) -> None:
        self.assertIn("from which file", self.said("```c\nint a;\n```\n"))
        self.assertIn("no gone.c", self.said("<!-- from gone.c -->\n```c\nint a;\n```\n"))

    def test_a_dead_link_is_noticed(self) -> None:
        self.assertIn("no gone.md", self.said("see [there](gone.md)\n"))

    def test_a_page_in_a_folder_is_named_with_it(self) -> None:
        quote = "<!-- from a.c -->\n```c\nint a;\n```\n"
        self.assertEqual("", self.said(quote + "[a](../a.c)\n", "tool/README.md"))
        self.assertEqual(
            "tool/README.md: there is no a.c", self.said("[a](a.c)\n", "tool/README.md")
        )


if __name__ == "__main__":
    unittest.main()
