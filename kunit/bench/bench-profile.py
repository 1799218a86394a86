#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Print what kunit/host/profile counted: instructions per operation, by function.

Prints a table for each job. It lists the functions of which a side executes at least
one instruction per operation, those first where KMCL executes the most more. A string
instruction counts once for each byte or word that it moves, because QEMU emulates it
so. The guest's interrupts and other threads are counted, the kernel that runs the
guest's host is not.
"""

import argparse
import base64
import bisect
import gzip
from collections import defaultdict


def read_symbols(path):
    """The functions of the guest's kernel, which it wrote out as base64 of a gzip."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = "".join(line.split(": ", 1)[1].strip() for line in file
                       if line.startswith("kallsyms: "))
    symbols = []
    for line in gzip.decompress(base64.b64decode(text)).decode().splitlines():
        address, _, name, *module = line.split()
        symbols.append((int(address, 16), " ".join([name, *module])))
    return sorted(symbols)


class Functions:
    """Finds the function that contains an address."""

    FAR = 0x10000  # no function is that long

    def __init__(self, symbols):
        self.starts, self.names = zip(*symbols)

    def name(self, address):
        """Return None for an address of the host's kernel, which is elsewhere."""
        i = bisect.bisect(self.starts, address) - 1
        if i < 0 or address - self.starts[i] > self.FAR:
            return None
        return self.names[i]


def read_profile(path, functions):
    """Yield a dict for each job: function to instructions per operation, by side."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("job "):
                ops = [max(int(n), 1) for n in line.split()[1:]]
                job = defaultdict(lambda: [0, 0])
                yield job
                continue
            address, length, *runs = line.split()
            function = functions.name(int(address, 16))
            if not function:
                continue
            entry = job[function]
            for side in range(2):
                entry[side] += int(length) * int(runs[side]) / ops[side]


def table(name, job):
    rows = [f"{name:<48}{'by hand':>10}{'KMCL':>10}{'more':>10}"]
    total = [sum(entry[side] for entry in job.values()) for side in range(2)]
    for function, (raw, kmcl) in sorted(job.items(), key=lambda item: item[1][0] - item[1][1]):
        if max(raw, kmcl) >= 1:
            rows.append(f"  {function:<46}{raw:>10.1f}{kmcl:>10.1f}{kmcl - raw:>10.1f}")
    rows.append(f"  {'all':<46}{total[0]:>10.1f}{total[1]:>10.1f}{total[1] - total[0]:>10.1f}"
                f"  ratio {total[1] / total[0]:.3f}")
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="what the plugin wrote")
    parser.add_argument("verdict", help="what the guest wrote, with its symbols")
    parser.add_argument("jobs", help="the jobs that were run, one JOB SIZE a line")
    args = parser.parse_args()

    functions = Functions(read_symbols(args.verdict))
    with open(args.jobs, encoding="utf-8") as file:
        names = [line.strip() for line in file]
    for name, job in zip(names, list(read_profile(args.profile, functions)),
                         strict=True):
        print(table(name, job))


if __name__ == "__main__":
    main()
