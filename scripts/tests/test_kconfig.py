# SPDX-License-Identifier: GPL-2.0-only
"""Fragments: a symbol that does not take is an error with its name."""

import pathlib
import tempfile
import unittest

import sample  # noqa: F401 (finds the package)
from kit import common, kconfig

# A kernel's scripts in miniature: knows FOO and BAR, silently drops the rest.
MAKEFILE = """\
tinyconfig:
\techo CONFIG_FOO=y > $(O)/.config
olddefconfig:
\tgrep -E 'CONFIG_(FOO|BAR)[= ]' $(O)/.config > $(O)/new; mv $(O)/new $(O)/.config
"""
MERGE = """\
#!/bin/sh
while [ "$1" != "${1#-}" ]; do [ "$1" = -O ] && { out=$2; shift; }; shift; done
shift
for each; do sed -n 's/^# \\(CONFIG_[A-Z]*\\) is.*/\\1/p; s/=.*//p' "$each" | while read -r name; do
\tsed -i "/^\\(# \\)\\?$name[= ]/d" "$out/.config"
done; cat "$each" >> "$out/.config"; done
"""


class UntakenTest(unittest.TestCase):
    def test_all_taken(self) -> None:
        config = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=60\n"
        self.assertEqual([], kconfig.untaken(config, [config, "# CONFIG_UNKNOWN is not set\n"]))

    def test_missing_changed_and_unwanted(self) -> None:
        found = kconfig.untaken(
            "CONFIG_B=m\nCONFIG_C=y\n", ["CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n"]
        )
        self.assertEqual(
            [
                "CONFIG_A is n, wanted y",
                "CONFIG_B is m, wanted y",
                "CONFIG_C is y, wanted n",
            ],
            found,
        )

    def test_the_last_fragment_wins(self) -> None:
        self.assertEqual(
            [], kconfig.untaken("CONFIG_A=y\n", ["# CONFIG_A is not set", "CONFIG_A=y"])
        )

    def test_the_projects_fragments_are_consistent(self) -> None:
        for flavour in kconfig.FLAVOURS:
            for path in kconfig.fragments(flavour):
                self.assertGreater(len(kconfig.settings(path.read_text())), 10, path)

    def test_unknown_flavour_is_a_usage_error(self) -> None:
        with self.assertRaises(common.KitError) as caught:
            kconfig.fragments("purple")
        self.assertEqual(common.EXIT_USAGE, caught.exception.code)


class ConfigureTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        (self.top / "scripts/kconfig").mkdir(parents=True)
        (self.top / "Makefile").write_text(MAKEFILE)
        merge = self.top / "scripts/kconfig/merge_config.sh"
        merge.write_text(MERGE)
        merge.chmod(0o755)

    def configure(self, fragment: str) -> pathlib.Path:
        (self.top / "fragment").write_text(fragment)
        kconfig.configure(self.top, self.top / "out", [self.top / "fragment"], [])
        return self.top / "out/.config"

    def test_good_symbols_take(self) -> None:
        config = self.configure("CONFIG_BAR=y\n").read_text()
        self.assertEqual({"CONFIG_FOO": "y", "CONFIG_BAR": "y"}, kconfig.settings(config))

    def test_a_bogus_symbol_fails_with_its_name(self) -> None:
        with self.assertRaises(common.KitError) as caught:
            self.configure("CONFIG_BAR=y\nCONFIG_BOGUS=y\n")
        self.assertIn("CONFIG_BOGUS is n, wanted y", str(caught.exception))
        self.assertNotIn("CONFIG_BAR", str(caught.exception))
        self.assertFalse((self.top / "out/.config").exists())

    def test_an_unchanged_configuration_keeps_its_time(self) -> None:
        first = self.configure("CONFIG_BAR=y\n").stat().st_mtime_ns
        self.assertEqual(first, self.configure("CONFIG_BAR=y\n").stat().st_mtime_ns)


if __name__ == "__main__":
    unittest.main()
