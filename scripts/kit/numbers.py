# SPDX-License-Identifier: GPL-2.0-only
"""What `make bench` measured, as a table that a mail can carry."""

import json
import pathlib
from typing import Callable, Dict, List, Tuple

from . import common

RESULTS = common.BUILD / "bench" / "results.json"
TEXT = common.ROOT / "docs" / "bench.txt"
COLUMNS = {
    "read+write": "rd+wr",
    "read+write uring": "rd+wr/u",
    "copy_file_range": "c_f_r",
    "ioctl": "ioctl",
    "uring": "uring",
    "passthrough": "passthr",
    "passthrough uring": "pass/u",
}
# Bytes and extents of the copies that are shown.
SHAPES = {
    (65536, 1): "64 KiB",
    (2 << 20, 1): "2 MiB",
    (64 << 20, 1): "64 MiB",
    (16 * 4096, 16): "16 x 4 KiB",
    (127 * 4096, 127): "127 x 4 KiB",
}

WAYS = {"one": "one bio", "call": "blkdev", "plug": "plugged", "apart": "apart", "turns": "in turn"}

Cells = Dict[Tuple[Tuple[int, int], str], dict]


def write(results: pathlib.Path = RESULTS, text: pathlib.Path = TEXT) -> None:
    """Makes the text from a results file, all of it or nothing."""
    try:
        found = json.loads(results.read_text())
        lines = _text(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        common.die(f"{results} is no results file of `make bench`: {error}", common.EXIT_USAGE)
    text.write_text("\n".join(lines) + "\n")


def _text(found: dict) -> List[str]:
    sweep = [row for row in found["rows"] if row["bench"] == "sweep" and "instructions" in row]
    shown = [row for row in found["rows"] if row["bench"] in ("sweep", "ways", "unused")]
    bad = [row["method"] for row in shown if "instructions" in row and not row["verified"]]
    if bad or not sweep:
        raise ValueError(f"not verified: {', '.join(bad)}" if bad else "it has no sweep")
    lines = [
        f"`{found['command']}`, {found['created'][:10]}",
        f"(Linux {found['kernel']}, QEMU {found['qemu']}, TCG, -icount).",
        "",
        "One copy at a time: by reading and writing, with O_DIRECT, or (/u) with",
        "io_uring and registered buffers; by copy_file_range, BLKCOPY, io_uring; and",
        "as an NVMe command passed through, which for one command is the floor.",
    ]
    for machine in sorted({row["machine"] for row in sweep}):
        cells = {
            ((row["bytes"], row["extents"]), row["method"]): row
            for row in sweep
            if row["machine"] == machine
        }
        lines += ["", _row(f"{machine}:", list(COLUMNS.values())), " guest instructions"]
        lines += _rows(cells, lambda row: row["instructions"])
        lines += [" commands of the drive"]
        lines += _rows(cells, _commands)
    return lines + _ways(found["rows"]) + _unused(found["rows"])


def _ways(rows: List[dict]) -> List[str]:
    """One bio for all extents, and a bio for each of them."""
    cells = {(row["extents"], row["method"]): row for row in rows if row["bench"] == "ways"}
    lines = [
        "",
        "One bio with n scattered extents of 4 KiB, the same by blkdev_copy(), and n",
        "bios: in a plug, without one, and one after the other. Instructions, and",
        "commands if they are more than one.",
        "",
        _row("n", list(WAYS.values())),
    ]
    for number in sorted({number for number, _ in cells} & {1, 16, 128}):
        row = [cells[(number, way)] for way in WAYS]
        lines.append(_row(f" {number}", [_number(cell["instructions"]) for cell in row]))
        counts = [f"/ {_commands(cell):.0f}" if _commands(cell) > 1 else "" for cell in row]
        if any(counts):
            lines.append(_row("", counts).rstrip())
    return lines if cells else []


def _unused(rows: List[dict]) -> List[str]:
    """What reads and writes cost without the series and with it."""
    cells = {
        (row["method"], row["flavour"]): row["instructions"]
        for row in rows
        if row["bench"] == "unused" and row["depth"] == 1
    }
    lines = [
        "",
        "Nobody copies: a read or write of 4 KiB, without the series and with it.",
        "",
    ]
    for method in sorted({method for method, _ in cells}):
        old, new = (cells[(method, flavour)] for flavour in ("unpatched", "plain"))
        change = f"{100 * (new - old) / old:+.2f} %"
        lines.append(f" {method:20}{_number(old):>8}{_number(new):>8}{change:>10}")
    return lines if cells else []


def _commands(row: dict) -> float:
    device = row["device"]
    return sum(device[kind] for kind in ("copies", "reads", "writes")) / row["ops"]


def _rows(cells: Cells, value: Callable[[dict], float]) -> List[str]:
    lines = []
    for shape, name in SHAPES.items():
        row = [cells.get((shape, method)) for method in COLUMNS]
        if any(row):
            lines.append(_row(f" {name}", [_number(value(cell)) if cell else "-" for cell in row]))
    return lines


def _number(value: float) -> str:
    return f"{value:.0f}" if value < 10_000_000 else f"{value / 1e6:.0f}M"


def _row(name: str, cells: List[str]) -> str:
    return f"{name:13}" + "".join(f"{cell:>8}" for cell in cells)
