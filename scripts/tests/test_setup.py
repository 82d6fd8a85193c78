# SPDX-License-Identifier: GPL-2.0-only
"""make setup: what it does without root, and with stand-ins for apt."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "setup.sh"
DPKG = """\
#!/bin/sh
echo "installed bash"
echo "installed libfoo"
echo "config-files removed-one"
"""
APT = """\
#!/bin/sh
echo "apt-get $*" >> "$APT_LOG"
case "$1:$APT_WORKS" in install:later) grep -q update "$APT_LOG" ;; install:never) exit 100 ;; esac
"""


class SetupTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="blkcopy-test-")
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        for name, text in (("dpkg-query", DPKG), ("apt-get", APT), ("apt-cache", "#!/bin/sh\n")):
            (self.top / name).write_text(text)
            (self.top / name).chmod(0o755)

    def setup(
        self, packages: str, uid: int, works: str = "yes", *words: str
    ) -> subprocess.CompletedProcess:
        (self.top / "packages").write_text(packages)
        env = dict(
            os.environ,
            PATH=f"{self.top}:{os.environ['PATH']}",
            SETUP_PACKAGES=str(self.top / "packages"),
            SETUP_UID=str(uid),
            APT_LOG=str(self.top / "log"),
            APT_WORKS=works,
        )
        return subprocess.run(
            [SCRIPT, *words], env=env, capture_output=True, text=True, check=False
        )

    def log(self) -> list:
        path = self.top / "log"
        return path.read_text().splitlines() if path.exists() else []

    def test_nothing_missing(self) -> None:
        done = self.setup("# a comment\nbash\n\nlibfoo # why\n", 1000)
        self.assertEqual((0, "All packages are installed.\n"), (done.returncode, done.stdout))
        self.assertEqual([], self.log())

    def test_quiet_says_nothing_when_nothing_is_missing(self) -> None:
        done = self.setup("bash\n", 1000, "yes", "--quiet")
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_not_root_says_what_it_would_install_and_installs_nothing(self) -> None:
        done = self.setup("bash\nnew-one\nremoved-one\n", 1000, "yes", "--quiet")
        self.assertEqual(3, done.returncode)
        self.assertIn(
            "sudo apt-get install --no-install-recommends new-one removed-one", done.stderr
        )
        self.assertEqual([], self.log())

    def test_root_installs_what_is_missing_only(self) -> None:
        done = self.setup("bash\nnew-one\n", 0)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["apt-get install -y -q --no-install-recommends new-one"], self.log())

    def test_stale_lists_are_updated_once(self) -> None:
        done = self.setup("new-one\n", 0, "later")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["install", "update", "install"], [line.split()[1] for line in self.log()])

    def test_a_failed_install_fails(self) -> None:
        self.assertNotEqual(0, self.setup("new-one\n", 0, "never").returncode)


if __name__ == "__main__":
    unittest.main()
