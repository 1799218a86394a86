#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark's blocks say: a line a job, a table, and a plot.

Blocks come in pairs, one of either side right after the other. A pair's ratio has
both sides' time under the same circumstances, and a job's is the median of them. Its
interval is the bootstrap's: of as many pairs drawn at random, with replacement, 95 %
of the ratios lie in it. A machine that does other things at times makes blocks longer,
never shorter: so the table also compares what a tenth of the blocks are faster than
("calm").

How many signals KMCL sends more than the driver by hand is the mean of the pairs'
differences, and three standard errors: chance alone is outside of them once in 370 jobs.
"""

import argparse
import os
import random
import re
import statistics
import sys

DRAWS = 2000
BLOCKS = re.compile(r"^blocks: (\S+) (\d+) (raw|kmcl) ops=(\d+) wakeups=(\d+) "
                    r"allocs=(\d+) needless=(\d+) ns:signals=([\d:,]+)\s*$")


def tenth(times):
    return sorted(times)[len(times) // 10]


def compare(pairs):
    """How much longer the second of a pair takes."""
    return statistics.median(second / first for first, second in pairs)


def draws(pairs):
    """The bootstrap's ratios."""
    chance = random.Random(1)
    return [compare(chance.choices(pairs, k=len(pairs))) for _ in range(DRAWS)]


def interval(ratios):
    ratios = sorted(ratios)
    return ratios[int(0.025 * DRAWS)], ratios[int(0.975 * DRAWS) - 1]


def mean_and_margin(values):
    """Three standard errors to either side."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0
    return statistics.fmean(values), 3 * error


class Side:
    """One side's blocks of a job."""

    def __init__(self, ops, wakeups, allocs, needless, blocks):
        self.times = [time / ops for time, _ in blocks]
        self.ns = statistics.median(self.times)
        self.calm_ns = tenth(self.times)
        self.block_signals = [signals / ops for _, signals in blocks]
        self.signals = statistics.fmean(self.block_signals)
        self.needless = needless
        self.wakeups = wakeups / ops / (2 * len(blocks))  # each after one not timed
        self.allocs = allocs / ops


class Job:
    """Both sides' blocks, compared."""

    def __init__(self, name, size, raw, kmcl):
        self.name, self.size, self.raw, self.kmcl = name, size, raw, kmcl
        pairs = list(zip(raw.times, kmcl.times))
        self.ratio = compare(pairs)
        self.draws = draws(pairs)
        self.low, self.high = interval(self.draws)
        self.calm = kmcl.calm_ns / raw.calm_ns
        self.more_signals, self.margin = mean_and_margin(
            [second - first for first, second in
             zip(raw.block_signals, kmcl.block_signals)])
        self.growth = None

    def grown_from(self, first):
        """How much higher the ratio is than that of a smaller size, and its interval."""
        self.growth = (self.ratio / first.ratio,
                       *interval([mine / its for mine, its in
                                  zip(self.draws, first.draws)]))

    def line(self):
        return (f"bench: {self.name} {self.size} raw_ns={self.raw.ns:.0f} "
                f"kmcl_ns={self.kmcl.ns:.0f} ratio={self.ratio:.3f} "
                f"ci={self.low:.3f}..{self.high:.3f} "
                f"allocs={self.kmcl.allocs:.2f} "
                f"signals_raw={self.raw.signals:.3f} "
                f"signals_kmcl={self.kmcl.signals:.3f}")

    def excess(self, limits):
        """What is above its limit, in words."""
        ratio, upper, growth = limits.get((self.name, self.size), (None,) * 3)
        found = []
        if ratio and self.ratio > ratio:
            found.append(f"ratio {self.ratio:.3f} > {ratio}")
        if upper and self.high > upper:
            found.append(f"interval to {self.high:.3f} > {upper}")
        if growth and self.growth and self.growth[0] > growth:
            found.append(f"growth {self.growth[0]:.3f} > {growth}")
        if self.more_signals > self.margin:
            found.append(f"signals +{self.more_signals:.4f} > {self.margin:.4f}")
        if self.kmcl.needless or self.raw.needless:
            found.append(f"needless signals: {self.raw.needless} {self.kmcl.needless}")
        return found


def read_blocks(path):
    """Jobs, and lines about memory, as the guest wrote them."""
    sides, jobs, memory = {}, [], []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("memory: "):
                memory.append(line.strip())
            match = BLOCKS.match(line)
            if not match:
                continue
            name, size, side = match[1], int(match[2]), match[3]
            sides[side] = Side(*(int(match[i]) for i in range(4, 8)),
                               [tuple(map(int, block.split(":")))
                                for block in match[8].split(",")])
            if side == "kmcl":
                jobs.append(Job(name, size, sides.pop("raw"), sides.pop(side)))
    first = {}
    for job in jobs:
        if job is not first.setdefault(job.name, job):
            job.grown_from(first[job.name])
    return jobs, memory


def read_limits(path):
    limits = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            name, size, *values = line.split()
            limits[name, int(size)] = tuple(None if value == "-" else float(value)
                                            for value in values)
    return limits


def table(jobs, memory, limits):
    head = (f"{'job':<16}{'size':>8}{'raw us':>11}{'kmcl us':>11}{'ratio':>8}"
            f"{'95 %':>14}{'calm us':>20}{'calm':>7}{'allocs':>15}{'signals':>14}"
            f"{'more':>17}{'wake-ups':>14}{'growth':>8}  above")
    rows = [head, "-" * len(head)]
    for job in jobs:
        rows.append(
            f"{job.name:<16}{job.size:>8}{job.raw.ns / 1000:>11.2f}"
            f"{job.kmcl.ns / 1000:>11.2f}{job.ratio:>8.3f}"
            f"{job.low:>8.3f}-{job.high:.3f}"
            f"{job.raw.calm_ns / 1000:>10.2f}{job.kmcl.calm_ns / 1000:>10.2f}"
            f"{job.calm:>7.3f}"
            f"{job.raw.allocs:>8.2f} {job.kmcl.allocs:>6.2f}"
            f"{job.raw.signals:>7.3f} {job.kmcl.signals:>6.3f}"
            f"  {job.more_signals:>+7.4f} ±{job.margin:.4f}"
            f"{job.raw.wakeups:>7.3f} {job.kmcl.wakeups:>6.3f}"
            f"{f'{job.growth[0]:.3f}' if job.growth else '':>8}"
            f"  {'; '.join(job.excess(limits))}")
    rows.append("allocs, signals, wake-ups: per operation, raw and kmcl. more: signals of "
                "KMCL's, three standard errors. calm: what a tenth of the blocks are faster "
                "than. growth: the ratio to that of the job's first size")
    return "\n".join(rows + memory + growths(jobs)) + "\n"


def growths(jobs):
    return [f"growth: {job.name} {job.size}: {job.growth[0]:.3f} "
            f"({job.growth[1]:.3f}-{job.growth[2]:.3f})" for job in jobs if job.growth]


def plot(jobs, limits):
    """Ratios with their intervals, one below the other, as SVG."""
    left, width, row, top = 190, 560, 18, 40
    low = min([0.9] + [job.low for job in jobs])
    high = max([1.2] + [job.high for job in jobs])
    height = top + row * len(jobs) + 30

    def x(ratio):
        return left + (ratio - low) / (high - low) * width

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" '
           f'height="{height}" font-family="sans-serif" font-size="11">',
           f'<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="16" font-size="13">time with KMCL / by hand, '
           f'with 95 % interval; red: limit</text>']
    step = 0.05 if high - low < 0.8 else 0.25 if high - low < 4 else 1
    tick = round(low / step) * step
    while tick <= high:
        colour = "#888" if abs(tick - 1) < 1e-9 else "#ddd"
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 8}" '
                   f'y2="{height - 20}" stroke="{colour}"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{height - 6}" '
                   f'text-anchor="middle">{tick:.2f}</text>')
        tick += step
    for i, job in enumerate(jobs):
        y = top + row * i + row / 2
        limit = limits.get((job.name, job.size), (None,))[0]
        out.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">'
                   f'{job.name} {job.size}</text>')
        if limit:
            out.append(f'<line x1="{x(limit):.1f}" x2="{x(limit):.1f}" '
                       f'y1="{y - 7}" y2="{y + 7}" stroke="#c00"/>')
        out.append(f'<line x1="{x(job.low):.1f}" x2="{x(job.high):.1f}" y1="{y}" '
                   f'y2="{y}" stroke="#235" stroke-width="2"/>')
        out.append(f'<circle cx="{x(job.ratio):.1f}" cy="{y}" r="3.5" fill="#235"/>')
        out.append(f'<text x="{left + width + 10}" y="{y + 4}">{job.ratio:.3f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("blocks", help="what the guest wrote")
    parser.add_argument("--jobs", required=True, help="the jobs and their limits")
    parser.add_argument("--out", required=True, help="where to write files")
    parser.add_argument("--fail-above", action="store_true",
                        help="exit with 1 when a limit is exceeded")
    args = parser.parse_args()

    jobs, memory = read_blocks(args.blocks)
    if not jobs:
        sys.exit(f"no job was measured: {args.blocks}")
    limits = read_limits(args.jobs)
    lines = "".join(job.line() + "\n" for job in jobs)
    os.makedirs(args.out, exist_ok=True)
    write(args.out, "bench.txt", lines)
    write(args.out, "table.txt", table(jobs, memory, limits))
    write(args.out, "ratios.svg", plot(jobs, limits))
    print(lines + "\n".join(memory))
    above = [(job, excess) for job in jobs for excess in job.excess(limits)]
    for job, excess in above:
        print(f"above: {job.name} {job.size}: {excess}")
    print(f"{len(jobs)} measured, {len(above)} above a limit: {args.out}")
    sys.exit(1 if above and args.fail_above else 0)


if __name__ == "__main__":
    main()
