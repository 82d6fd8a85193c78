# SPDX-License-Identifier: GPL-2.0-only
"""Runs the parts of the test suite, counts their tests, and gives one verdict."""

import dataclasses
import json
import pathlib
import re
import subprocess
import time
from typing import Callable, List, Optional, Sequence, Tuple

from . import common
from .common import stopped_with_us

EXIT_SKIPPED = 4
RESULTS = common.BUILD / "results"
VM = common.BUILD / "qemu" / "blkcopy-vm"


@dataclasses.dataclass
class Count:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def total(self) -> int:
        return self.passed + self.failed + self.skipped

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def _number(pattern: str, text: str) -> int:
    """The sum of a pattern's numbers over all lines."""
    return sum(int(number) for number in re.findall(pattern, text, re.MULTILINE))


def count_unittest(text: str) -> Count:
    """Python's unittest: its closing lines."""
    ran = _number(r"^Ran (\d+) tests? in", text)
    failed = _number(r"^FAILED \(.*?failures=(\d+)", text) + _number(
        r"^FAILED \(.*?errors=(\d+)", text
    )
    skipped = _number(r"^(?:OK|FAILED) \(.*?skipped=(\d+)", text)
    return Count(ran - failed - skipped, failed, skipped)


def count_googletest(text: str) -> Count:
    """GoogleTest: its closing lines."""
    return Count(
        _number(r"^\[  PASSED  \] (\d+) tests?\.", text),
        _number(r"^\[  FAILED  \] (\d+) tests?, listed below", text),
        _number(r"^\[  SKIPPED \] (\d+) tests?, listed below", text),
    )


def count_ktap(text: str) -> Count:
    """KTAP: the test lines at the top level."""
    count = Count()
    for ok, directive in re.findall(r"^(ok|not ok) \d+.*?(# SKIP.*)?$", text, re.MULTILINE):
        if directive:
            count.skipped += 1
        elif ok == "ok":
            count.passed += 1
        else:
            count.failed += 1
    return count


def count_closing_line(text: str) -> Count:
    """A last line `N passed, N failed[, N skipped]`."""
    lines = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", text, re.MULTILINE)
    return Count(*(int(number or 0) for number in lines[-1])) if lines else Count()


def count_results(path: pathlib.Path) -> Count:
    """The harness's results.json; nothing if it is not there."""
    try:
        counts = json.loads(path.read_text())["counts"]
        return Count(counts["pass"] + counts["xfail"], counts["fail"], counts["skip"])
    except (OSError, ValueError, KeyError):
        return Count()


@dataclasses.dataclass
class Part:
    """One program that runs tests, and how to read what it says."""

    name: str
    command: Sequence[str]
    counter: Callable[[str], Count] = count_closing_line
    # Where it writes its counts. Such a program talks to the terminal itself, while it runs.
    results: Optional[pathlib.Path] = None
    seconds: float = 0.0
    count: Count = dataclasses.field(default_factory=Count)
    code: int = 0

    def run(self, verbose: bool) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        log = RESULTS / (re.sub(r"\W+", "-", self.name).strip("-") + ".log")
        shown = self.results is not None or verbose
        print(
            f"{self.name}:" if shown else f"{self.name} ...", end="\n" if shown else "", flush=True
        )
        started = time.monotonic()
        text = ""
        if self.results is not None:
            # Or the counts of an earlier run would speak for one that died.
            self.results.unlink(missing_ok=True)
            self.code = _run_directly(self.command)
            self.count = count_results(self.results)
        else:
            self.code, text = run_logged(self.command, log, verbose)
            self.count = self.counter(text)
        self.seconds = time.monotonic() - started
        if not shown:
            print(f" {self.count}, {self.seconds:.0f} s", flush=True)
        if self.is_bad() and not shown:
            print("\n".join("    " + line for line in text.splitlines()[-40:]))
        if self.is_bad() and self.results is None:
            print(
                f"  {self.name}: {self.complaint()} (all output: {common.shown(log)})", flush=True
            )

    def is_bad(self) -> bool:
        return (
            self.code not in (0, EXIT_SKIPPED) or self.count.failed > 0 or self.count.total() == 0
        )

    def was_misused(self) -> bool:
        """Where the exit codes are the kit's own: to make, 2 is any failure."""
        return self.results is not None and self.code == common.EXIT_USAGE

    def complaint(self) -> str:
        if self.count.failed:
            return str(self.count)
        if self.was_misused():
            return "used wrongly; the reason is above"
        if self.count.total() == 0:
            return f"no test ran (exit code {self.code})"
        return f"exit code {self.code} with no test failed; the reason is above"


def make(*words: str) -> List[str]:
    return ["make", "--no-print-directory", "-s", *words]


def build(log: pathlib.Path, jobs: int, verbose: bool, *words: str) -> None:
    """Makes programs of the kit: targets of the top Makefile, and its variables."""
    code, text = run_logged(make(f"J={jobs}", *words), log, verbose)
    if code != 0:
        common.die(f"the programs do not build:\n{text[-6000:]}")


def check_filter(text: str) -> None:
    """Nothing long is to be built for a filter that matches nothing. The harness has to be there."""
    done = common.run([VM, "list", f"--filter={text}"], check=False)
    if done.returncode != 0:
        common.die(done.stderr.strip(), done.returncode)


def run_logged(command: Sequence[str], log: pathlib.Path, shown: bool) -> Tuple[int, str]:
    """Runs a program with both streams in `log`; its exit code and its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: List[str] = []
    with open(log, "w", encoding="utf-8", errors="replace") as sink, common.start(
        command, cwd=common.ROOT
    ) as child, stopped_with_us(child):
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line)
            sink.write(line)
            if shown:
                print("  " + line, end="", flush=True)
    return child.returncode, "".join(lines)


def _run_directly(command: Sequence[str]) -> int:
    with subprocess.Popen(
        command, cwd=common.ROOT, stdin=subprocess.DEVNULL
    ) as child, stopped_with_us(child):
        return child.wait()


def run_all(parts: Sequence[Part], verbose: bool) -> int:
    """Runs every part, also after a failure; prints the totals; the exit code."""
    for part in parts:
        part.run(verbose)
    total = sum((part.count for part in parts), Count())
    width = max(len(part.name) for part in parts)
    print()
    for part in parts:
        mark = f"  <- {part.complaint()}" if part.is_bad() else ""
        print(f"  {part.name:{width}}  {part.count}, {part.seconds:.0f} s{mark}")
    print(f"\n{total}", flush=True)
    return verdict(parts, total)


def verdict(parts: Sequence[Part], total: Count) -> int:
    # The harness's codes from 10 on say what the kernel did: panic, KASAN, hung task, ...
    if total.failed or any(part.code == common.EXIT_FAILED or part.code >= 10 for part in parts):
        return common.EXIT_FAILED
    if any(part.was_misused() for part in parts):
        return common.EXIT_USAGE
    if any(part.is_bad() for part in parts):
        return common.EXIT_HOST
    return EXIT_SKIPPED if total.passed == 0 else 0
