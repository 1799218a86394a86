#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Report the results of the KUnit suites: one line a suite, failing cases in full.

usage: ktap-report.py DIR...

Each directory belongs to a guest. The kernel's `kunit.py parse --json` has made
results.json of the file ktap, which is read here only for the output of failing cases.
A guest without results counts as a failed case. The last line counts the cases. The
exit status is 0 if at least one case passed and none failed.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

KINDS = {"PASS": "passed", "SKIP": "skipped"}


def cases(group):
    """All cases of a group. A parameterised test is a group of its parameters."""
    for case in group.get("test_cases", []):
        yield case["name"] or "(a case without a result)", KINDS.get(case["status"], "failed")
    for sub in group.get("sub_groups", []):
        yield from cases(sub)


def said(ktap, suite, case):
    """The lines of a case: from the previous case's result to its own."""
    lines = []
    inside = False
    for line in ktap:
        if re.match(rf"\s*# Subtest: {re.escape(suite)}$", line):
            inside = True
        result = re.match(r"\s*(?:not )?ok \d+ ([^#]*)", line)
        if result and inside and result[1].strip() == case:
            return [*lines, line]
        lines = [] if result else [*lines, line]
    return ["(it left no result: the kernel or the guest died in it)"]


def summary(count):
    return ", ".join(f"{count[kind]} {kind}" for kind in ("passed", "failed", "skipped")
                     if count[kind] or kind != "skipped")


def report(directory):
    """Print the results of the guest's suites, and count its cases."""
    try:
        ktap = (directory / "ktap").read_text(errors="replace").splitlines()
        suites = json.loads((directory / "results.json").read_text()).get("sub_groups", [])
    except (OSError, ValueError):
        suites = []
    if not suites:
        print(f"{directory}: FAILED: no results, the guest or the platform died")
        return Counter(failed=1)

    total = Counter()
    for suite in suites:
        outcome = list(cases(suite))
        count = Counter(kind for _, kind in outcome)
        total += count
        print(f"{suite['name']}: {summary(count)}")
        for name, kind in outcome:
            if kind == "failed":
                print(f"  FAILED {name}:", *said(ktap, suite["name"], name), sep="\n    ")
    return total


def main(*directories):
    total = sum((report(Path(directory)) for directory in directories), Counter())
    print(summary(total))
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
