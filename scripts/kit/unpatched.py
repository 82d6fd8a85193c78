# SPDX-License-Identifier: GPL-2.0-only
"""The same tests without the series and with it: what passed there has to pass here."""

import json
import pathlib
from typing import Dict, List

from . import common, testing

# Which ask for no copy of a block device.
FILTERS = ["*/ordinary"]
RESULTS = testing.RESULTS / "compared"


def statuses(results: pathlib.Path) -> Dict[str, str]:
    """MACHINE/PROGRAM/TEST of a results.json of the harness, and how it ended."""
    try:
        machines = json.loads(results.read_text())["machines"]
    except (OSError, ValueError, KeyError) as error:
        raise common.KitError(
            f"{common.shown(results)} has no results: {error}", common.EXIT_HOST
        ) from error
    found: Dict[str, str] = {}
    for machine in machines:
        for program in machine["programs"]:
            name = f"{machine['name']}/{program['name']}"
            for test in program["tests"]:
                found[f"{name}/{test['name']}"] = test["status"]
            if not program["tests"]:
                found[name] = program["status"]
    return found


def regressions(before: Dict[str, str], after: Dict[str, str]) -> List[str]:
    """A sentence for each test that passed before and does not now."""
    return [
        f"{name}: {after.get(name, 'did not run')}, passed without the series"
        for name in sorted(before)
        if before[name] == "pass" and after.get(name) != "pass"
    ]


def run(kernel: pathlib.Path, name: str, verbose: bool) -> Dict[str, str]:
    """Runs the tests on a kernel."""
    folder = RESULTS / name
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    command = [str(testing.VM), "run", f"--kernel={kernel}", f"--results={folder}"]
    command += [f"--filter={each}" for each in FILTERS]
    common.say(f"{name} kernel ...")
    testing.run_logged(command, RESULTS / f"{name}.log", verbose)
    common.say(f"  {testing.count_results(results)}")
    return statuses(results)
