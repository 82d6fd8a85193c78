# SPDX-License-Identifier: GPL-2.0-only
"""Shows a long build: a bar on a terminal, a line now and then in a pipe."""

import os
import shutil
import sys
import time


class Progress:
    """Counts steps towards an expected number; the expectation may be wrong."""

    def __init__(self, title: str, expected: int):
        self.title = title
        self.expected = max(expected, 1)
        self.steps = 0
        self.started = time.monotonic()
        self.shown_at = 0.0
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.every = 0.2 if self.is_terminal else 30.0

    def step(self, what: str) -> None:
        self.steps += 1
        now = time.monotonic()
        if now - self.shown_at < self.every:
            return
        self.shown_at = now
        if self.is_terminal:
            self._bar(what)
        else:
            print(f"  {self.title}: {self._share():3.0f} %, {self._clock()}", flush=True)

    def done(self, how: str) -> None:
        if self.is_terminal:
            sys.stdout.write("\r\033[K")
        print(f"  {self.title}: {how}, {self._clock()}", flush=True)

    def _share(self) -> float:
        return min(99.0, 100.0 * self.steps / self.expected)

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self.started)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _bar(self, what: str) -> None:
        width = shutil.get_terminal_size((80, 24)).columns
        cells = 24
        full = int(cells * self._share() / 100)
        bar = "#" * full + "." * (cells - full)
        when = f"{self._share():3.0f} % {self._clock()}{self._left()}"
        line = f"  {self.title} [{bar}] {when}  {what}"
        sys.stdout.write("\r\033[K" + line[: width - 1])
        sys.stdout.flush()

    def _left(self) -> str:
        elapsed = time.monotonic() - self.started
        if self.steps < 50 or elapsed < 5:
            return ""
        rest = int(elapsed * (self.expected - self.steps) / self.steps)
        return f", {rest // 60}:{rest % 60:02d} left" if rest > 0 else ""
