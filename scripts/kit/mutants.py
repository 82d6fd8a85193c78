# SPDX-License-Identifier: GPL-2.0-only
"""Boots the kernel that breaks rules, and judges whether the tests noticed."""

import dataclasses
import json
import pathlib
import shutil
import subprocess
import threading
from typing import Dict, List, Sequence, Set

from . import common, testing
from .mutations import Mutation

RESULTS = testing.RESULTS / "mutations"
TESTS = common.BUILD / "selftests" / "block_copy"
MODULES = common.BUILD / "kmod" / "mutants"


def chosen(rows: Sequence[Mutation], text: str) -> List[Mutation]:
    """The rules that a filter names: by number, or by a part of MACHINE/PROGRAM."""
    if not text:
        return list(rows)
    if text.replace(",", "").isdigit():
        return [row for row in rows if str(row.rule) in text.split(",")]
    found = []
    for row in rows:
        programs = {name: tests for name, tests in row.noticed_by.items() if text in name}
        if programs:
            found.append(dataclasses.replace(row, noticed_by=programs))
    return found


@dataclasses.dataclass
class Outcome:
    """What one run of the harness said."""

    tests: Dict[str, Dict[str, str]]  # MACHINE/PROGRAM -> test -> pass, fail, skip
    console: str
    log: str

    def status(self, program: str, test: str) -> str:
        found = self.tests.get(program)
        return "not run" if found is None else found.get(test, "lost")


def read_outcome(folder: pathlib.Path, log: str) -> Outcome:
    """Reads results.json and the consoles of a run; nothing where they are not there."""
    tests: Dict[str, Dict[str, str]] = {}
    try:
        machines = json.loads((folder / "results.json").read_text())["machines"]
    except (OSError, ValueError, KeyError):
        machines = []
    for machine in machines:
        for program in machine["programs"]:
            name = machine["name"].partition("/")[0] + "/" + program["name"]
            tests[name] = {test["name"]: test["status"] for test in program["tests"]}
            # One that died, or that has no tests of its own, stands for itself.
            tests[name].setdefault(program["name"], program["status"])
    console = "".join(
        path.read_text(errors="replace") for path in sorted(folder.rglob("console.log"))
    )
    return Outcome(tests, console, log)


@dataclasses.dataclass
class Verdict:
    row: Mutation
    complaints: List[str]
    failed: int

    def __str__(self) -> str:
        head = f"{self.row.rule:3} {'FAILED ' if self.complaints else 'noticed'} {self.row.broken}"
        more = [f"            {text}" for text in self.complaints]
        return "\n".join([f"{head} ({self.failed} tests failed)"] + more)


def judge(row: Mutation, outcome: Outcome) -> List[str]:
    """What is wrong with how the tests took a broken rule, as sentences."""
    if f"blkcopy: rule {row.rule} is broken" not in outcome.console:
        return ["the kernel never came to break it"]
    complaints = []
    for program, tests in row.noticed_by.items():
        for test in tests:
            status = outcome.status(program, test)
            # A kernel that hung or died takes the test that made it so with it.
            if status not in ("fail", "lost"):
                complaints.append(f"{program} {test} did not notice: {status}")
    return complaints


class Bench:
    """Runs the harness, and remembers which tests ever failed."""

    def __init__(self, image: pathlib.Path):
        self._image = image
        self._ran: Set[str] = set()
        self._failed: Set[str] = set()
        self._children: List[subprocess.Popen] = []
        self._lock = threading.Lock()
        self._stopped = False

    def control(self, rows: Sequence[Mutation], jobs: int) -> List[str]:
        """The tests of these rules, with none broken; complaints about those that do not pass."""
        wanted: Dict[str, Set[str]] = {}
        for row in rows:
            for program, tests in row.noticed_by.items():
                wanted.setdefault(program, set()).update(tests)
        outcome = self._boot("none", sorted(wanted), [f"--jobs={jobs}"])
        complaints = []
        for program, names in sorted(wanted.items()):
            for test in sorted(names):
                status = outcome.status(program, test)
                if status != "pass":
                    complaints.append(f"{program} {test}: {status}")
        if complaints and not outcome.tests:
            complaints.append(outcome.log[-3000:])
        return complaints

    def run(self, row: Mutation) -> Verdict:
        words = ["--jobs=1", f"--append=blkcopy_break={row.rule}"]
        outcome = self._boot(f"{row.rule}", sorted(row.noticed_by), words)
        failed = {
            f"{program} {test}"
            for program, tests in outcome.tests.items()
            for test, status in tests.items()
            if status == "fail"
        }
        with self._lock:
            self._failed |= failed
            self._ran |= {
                f"{program} {test}"
                for program, tests in outcome.tests.items()
                for test, status in tests.items()
                if status in ("pass", "fail")
            }
        return Verdict(row, judge(row, outcome), len(failed))

    def never_failed(self) -> str:
        """The tests that ran and that no broken rule made fail on any machine."""
        failed = {name.partition(" ")[2] for name in self._failed}
        never = sorted({name.partition(" ")[2] for name in self._ran} - failed)
        return (
            "Every test that ran has failed." if not never else "Never failed: " + ", ".join(never)
        )

    def _boot(self, name: str, programs: Sequence[str], words: Sequence[str]) -> Outcome:
        folder = RESULTS / name
        shutil.rmtree(folder, ignore_errors=True)
        command = [str(testing.VM), "run", f"--kernel={self._image}", f"--tests={TESTS}"]
        command.append(f"--modules={MODULES}")
        command += [f"--results={folder}", *words]
        # A pattern has to match the whole name: `invalid` is not to run `invalid_range` too.
        command += [f"--filter={program[:-1]}[{program[-1]}]" for program in programs]
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            child = common.start(command, cwd=common.ROOT)
            self._children.append(child)
        log, _ = child.communicate()
        return read_outcome(folder, log)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for child in self._children:
                if child.poll() is None:
                    child.terminate()
