# SPDX-License-Identifier: GPL-2.0-only
"""What checks found out before: kept by what they looked at, so that nothing is checked twice."""

import contextlib
import hashlib
import json
import os
import pathlib
import time
from typing import Any, Dict, List, Optional

from . import common

KEPT_DAYS = 30


def key_of(*parts: object) -> str:
    """A name for these inputs together; a path stands for the content of its file."""
    total = hashlib.sha256()
    for part in parts:
        text = part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()
        total.update(hashlib.sha256(text).digest())
    return total.hexdigest()[:32]


class Store:
    """Small JSON values by key, a file each, so that two checks at once don't lose any."""

    def __init__(self, kind: str):
        self.folder = common.CACHE / "check" / kind

    def get(self, key: str) -> Optional[Any]:
        """The value, or None where there is none that can be read."""
        path = self.folder / key
        try:
            value = json.loads(path.read_text())
            os.utime(path)
            return value
        except (OSError, ValueError):
            return None

    def put(self, key: str, value: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{key}.{os.getpid()}"
        part.write_text(json.dumps(value))
        part.rename(self.folder / key)


def forget_old() -> None:
    """Removes what nobody has asked for in a month."""
    limit = time.time() - KEPT_DAYS * 86400
    for path in (common.CACHE / "check").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()


class Budget:
    """How long checks may go on starting work; what is left out has to be said."""

    def __init__(self, minutes: Optional[float]):
        self.minutes = minutes
        self.end = None if minutes is None else time.monotonic() + minutes * 60
        self.left_out: Dict[str, List[str]] = {}

    def allows(self, kind: str, item: str) -> bool:
        """Whether this may still start; where not, it is on the list of what was left out."""
        if self.end is None or time.monotonic() < self.end:
            return True
        self.left_out.setdefault(kind, []).append(item)
        return False

    def sentences(self) -> List[str]:
        """A line for each kind of check that was not made, or not of everything."""
        return [
            f"not checked, {self.minutes:g} minutes were over: {kind}: {items[0]}"
            + (f" and {len(items) - 1} more" if len(items) > 1 else "")
            for kind, items in self.left_out.items()
        ]
