#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Break the packet path in small ways, and see whether the tests notice.

usage: mutate.py [--count N] [--seed N] [--jobs N] [FILE...]
       mutate.py --list [FILE...]      print the mutants and do nothing

A mutant is the module with one small change: a statement is deleted, a condition is
negated, a comparison is off by one, a barrier or both calls of a lock are dropped. The
FILEs are names of vmbkmcl/, tx.c for instance; by default those of the packet path. Of
their mutants, N are drawn (100 by default, 0 for all) with the seed, which is printed. The
suites of the file run with each in a plain guest, until something fails. A mutant that
survives them is tried again with their slow cases and a search for leaks.

A mutant that does not compile, or whose object code is the original's, is not counted.
scripts/mutate.accepted lists survivors that are known, with the reason. The exit status is
1 if there are others. build/mutate/SEED has the diffs, and the logs of the survivors.

From the environment: KERNEL=VERSION of the guests (default: 6.12)
"""

import argparse
import difflib
import filecmp
import functools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
SCRIPTS = TREE / "scripts"
ACCEPTED = SCRIPTS / "mutate.accepted"

# The suites of each file, those first that are likely to notice.
RX = "rx tx_request pipe channel_state stress"
TX = "tx_request tx rx tx_gpa_direct channel_state nomem stress"
SUITES = {
    "poll.c": RX,
    "passive.c": RX,
    "ring.c": "ring tx_request rx tx",
    "ring_size.c": "ring channel_settings tx_request rx",
    "rx.c": RX,
    "rx_deliver.c": RX,
    "rx_packet.c": RX + " channel_settings nomem",
    "rx_transfer_pages.c": "rx",
    "tx.c": TX,
    "tx_gpa_direct.c": "tx_gpa_direct tx fault",
    "tx_packet.c": "tx tx_gpa_direct channel_settings nomem channel",
    "tx_request.c": "tx_request tx_gpa_direct pipe nomem channel_state",
    "tx_send.c": TX,
}

# Calls that come in pairs: a mutant drops both.
PAIRS = [
    (r"(?:raw_)?spin_lock(?:_bh|_irq)?", r"(?:raw_)?spin_unlock(?:_bh|_irq)?"),
    (r"mutex_lock", r"mutex_unlock"),
    (r"local_bh_disable", r"local_bh_enable"),
    (r"rcu_read_lock", r"rcu_read_unlock"),
]

# What an ordered access becomes without its order
WEAKER = [
    (r"\b(?:smp|virt)_store_release\(&?", "WRITE_ONCE("),
    (r"\b(?:smp|virt)_load_acquire\(&?", "READ_ONCE("),
    (r"\b(atomic_\w+?)_(?:acquire|release)\(", r"\1_relaxed("),
]
# What no suite looks at: tracepoints, and a check of debug kernels
UNSEEN = re.compile(r"trace_vmbkmcl_|might_sleep\(")
BARRIER = re.compile(r"\b(?:smp|virt)_(?:mb|rmb|wmb)\(\);")

DECLARATION = re.compile(
    r"(?:const |static |struct |enum |union |unsigned |bool\b|int\b|long\b|char\b|void\b|u8\b|"
    r"u16\b|u32\b|u64\b|s64\b|size_t\b|ktime_t\b|gfp_t\b|NTSTATUS\b|U?INT\w* |P[A-Z_]+ |"
    r"case\b|default\b|return\b|goto\b|else\b|do\b)")

# In the log: a case failed, or the kernel reported something
FAILED = re.compile(rb"^(?:\[[^]]*\])?\s*not ok ", re.M)


@dataclass(frozen=True)
class Mutant:
    """One change of a file: the text from start to end becomes another."""
    file: str
    function: str
    kind: str
    line: int
    was: str
    edits: tuple        # of (start, end, text)

    @property
    def name(self):
        return f"{self.file}: {self.function}: {self.kind}: {' '.join(self.was.split())}"


@functools.cache
def source(file):
    """The text of a file. It is read once: somebody may edit the file meanwhile."""
    return (TREE / "vmbkmcl" / file).read_text(encoding="utf-8")


def blank(match):
    """Spaces for what is not code, so that all positions stay what they are."""
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|^#(?:[^\n]*\\\n)*[^\n]*$', blank,
                  text, flags=re.S | re.M)


def matching(code, start):
    """The position behind the bracket that closes the one at start."""
    depth = 0
    pairs = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}
    for i in range(start, len(code)):
        depth += pairs.get(code[i], 0)
        if not depth:
            return i + 1
    return len(code)


def functions(code):
    """(name, start, end) of the body of each function, without its braces"""
    for match in re.finditer(r"^([a-zA-Z_][^;{}()=]*?\b(\w+)\s*\([^;{}]*\))\n\{", code, re.M):
        yield match[2], match.end(), matching(code, match.end() - 1) - 1


def statements(code, start, end):
    """(start, end) of the simple statements of a body that can be deleted"""
    at = start
    for match in re.finditer(r"[^;{}]*;", code[start:end]):
        begin = start + match.start()
        finish = start + match.end()
        if begin < at:
            continue
        text = code[begin:finish]
        # What precedes the statement proper: conditions of if, while and for, labels.
        while True:
            skip = re.match(r"\s*(?:\w+:(?!:)|else\b|do\b|\b(?:if|while|for|switch|"
                            r"list_for_each_entry\w*|llist_for_each\w*)\s*(?=\())", text)
            if not skip:
                break
            begin += skip.end()
            if code[begin] == "(":
                begin = matching(code, begin)
            # The semicolons of a for are in its brackets.
            finish = max(finish, code.find(";", begin) + 1)
            text = code[begin:finish]
        at = finish
        begin += len(text) - len(text.lstrip())
        text = code[begin:finish]
        if text.count("(") != text.count(")") or DECLARATION.match(text):
            continue
        if re.match(r"\w[\w ]* \**\w+(?: =[^=]|;|,|\[)", text):
            continue            # a declaration with a type that is not listed
        if re.match(r"[\w*(+-]", text):
            yield begin, finish


def conditions(code, start, end):
    """(start, end) of the conditions of a body, without their brackets"""
    for match in re.finditer(r"\b(?:if|while)\s*\(", code[start:end]):
        begin = start + match.end()
        yield begin, matching(code, begin - 1) - 1


def mutants_of(file):
    """All mutants of a file, in the order of their place"""
    text = source(file)
    code = code_of(text)
    found = []
    names = Counter()

    def add(kind, function, *edits):
        begin, finish, _ = edits[0]
        line = text.count("\n", 0, begin) + 1
        was = " ".join(text[begin:finish].split())
        mutant = Mutant(file, function, kind, line, was, edits)
        names[mutant.name] += 1
        if names[mutant.name] > 1:
            mutant = Mutant(file, function, kind, line, f"{was} #{names[mutant.name]}", edits)
        found.append(mutant)

    for name, start, end in functions(code):
        body = code[start:end]
        for begin, finish in statements(code, start, end):
            if not (BARRIER.match(code, begin) or UNSEEN.match(code, begin)):
                kept = re.sub(r"[^\n]", "", text[begin:finish])
                add("delete", name, (begin, finish, ";" + kept))
        for begin, finish in conditions(code, start, end):
            add("negate", name, (begin, finish, f"!({text[begin:finish]})"))
        for match in re.finditer(r"(?<![<>=!-])(<=|>=|<|>)(?![<>=])|(?<![<>=!])(==|!=)(?!=)",
                                 body):
            other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
            begin = start + match.start()
            near = text[max(start, begin - 20):begin + 20]
            add("compare", name, (begin, begin + len(match[0]), other[match[0]]))
            found[-1] = Mutant(file, name, "compare", found[-1].line,
                               f"{match[0]} in {' '.join(near.split())}", found[-1].edits)
        for match in BARRIER.finditer(body):
            begin = start + match.start()
            add("barrier", name, (begin, start + match.end(), ";"))
        for pattern, weaker in WEAKER:
            for match in re.finditer(pattern, body):
                begin = start + match.start()
                text_now = match.expand(weaker)
                add("barrier", name, (begin, start + match.end(), text_now))
        for lock, unlock in PAIRS:
            taken = list(re.finditer(rf"\b{lock}\([^;]*\);", body))
            given = list(re.finditer(rf"\b{unlock}\([^;]*\);", body))
            if taken and given:
                add("lock", name, *((start + m.start(), start + m.end(), ";")
                                    for m in (*taken, *given)))
    return sorted(found, key=lambda m: (m.line, m.edits))


def apply(mutant):
    """The text of the file with the change"""
    text = source(mutant.file)
    for start, end, new in sorted(mutant.edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def diff_of(mutant):
    path = f"vmbkmcl/{mutant.file}"
    before = source(mutant.file).splitlines(keepends=True)
    after = apply(mutant).splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=2))


def accepted():
    """{name of a mutant: why it may survive}"""
    reasons = {}
    for line in ACCEPTED.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, why = line.partition(" -- ")
            reasons[name.strip()] = why.strip()
    return reasons


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


class Worker:
    """A directory in which the modules are built, and the guest that runs them"""

    def __init__(self, number, logs):
        self.logs = logs / f"worker-{number}"
        self.logs.mkdir(parents=True)
        version = os.environ.get("KERNEL")
        kernel = ["--kernel", version] if version else []
        self.kdir = Path(output(SCRIPTS / "guest/guest-kernel.sh", *kernel))
        self.make = ["make", "-s", "-C", self.kdir, "VMBKMCL_KUNIT=y", f"MUTATE={number}",
                     "KCFLAGS=-g"]
        self.dir = Path(output(SCRIPTS / "build-modules.sh", self.kdir, "VMBKMCL_KUNIT=y",
                               f"MUTATE={number}"))
        # An object file may be of a mutant of an earlier campaign.
        for file in SUITES:
            self.put(file, source(file))
        self.build("modules")
        self.process = None     # the guest that runs
        self.originals = self.logs / "objects"
        self.originals.mkdir()
        self.pack("vmbkmcl_kunit")

    def pack(self, module):
        """Copy a module as a guest gets it."""
        subprocess.run(["strip", "--strip-debug", "-o", self.logs / f"{module}.ko",
                        self.dir / f"{module}.ko"], check=True)

    def build(self, *targets):
        return subprocess.run([*self.make, f"M={self.dir}", *targets], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def code(self, file, name):
        """The object code of a file, without what only a debugger reads"""
        to = self.originals / name
        subprocess.run(["strip", "--strip-debug", "-o", to,
                        self.dir / "vmbkmcl" / file.replace(".c", ".o")], check=True)
        return to

    def original(self, file):
        path = self.originals / f"{file}.original"
        return path if path.exists() else self.code(file, path.name)

    def put(self, file, text):
        (self.dir / "vmbkmcl" / file).write_text(text, encoding="utf-8")

    def run(self, file, quick, limit):
        """Run the suites of a file. Returns "survived", "caught" or "platform"."""
        suites = [f"vmbkmcl_{suite}" for suite in SUITES[file].split()]
        guest = self.logs / "guest"
        shutil.rmtree(guest, ignore_errors=True)
        guest.mkdir()
        words = "kunit.autorun=1" + (" quick=1 kmemleak=off" if quick else "")
        command = [SCRIPTS / "guest/run-guest.sh", "--plain", "--kernel", self.kdir / "bzImage",
                   "--append", words, "--timeout", str(limit), "--logs", guest,
                   "--file", f"{TREE}/kunit/guest/run-kunit:/run-kunit",
                   "--command", f"sh /run-kunit {' '.join(suites)}"]
        for module in "vmbkmcl", "vmbkmcl_kunit":
            command += ["--file", f"{self.logs}/{module}.ko:/modules/{module}.ko"]
        self.pack("vmbkmcl")
        with (self.logs / "run.log").open("wb") as log, \
                subprocess.Popen(command, stdout=log, stderr=log) as self.process:
            while self.process.poll() is None:
                time.sleep(0.5)
                if self.has_failed(guest / "console.log"):
                    self.stop()
                    return "caught"
        return {0: "survived", 1: "caught"}.get(self.process.returncode, "platform")

    def stop(self):
        """End the guest, if one runs."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    @staticmethod
    def has_failed(console):
        """True as soon as the guest's console shows a failure"""
        try:
            if FAILED.search(console.read_bytes()):
                return True
        except OSError:
            return False
        return subprocess.run([SCRIPTS / "guest/kernel-reports.sh", console], check=False,
                              stdout=subprocess.DEVNULL).returncode == 1

    def measure(self, file, quick):
        """The time limit of a file's suites; None if they fail without any change."""
        # The modules may still be those of a mutant.
        self.put(file, source(file))
        if self.build("modules"):
            return None
        began = time.monotonic()
        if self.run(file, quick, 1800) != "survived":
            return None
        return int(60 + 3 * (time.monotonic() - began))

    def judge(self, mutant, limit_of):
        """What becomes of a mutant: "no build", "equal", "caught", "survived", "platform"."""
        target = f"vmbkmcl/{mutant.file.replace('.c', '.o')}"
        original = self.original(mutant.file)
        try:
            self.put(mutant.file, apply(mutant))
            if self.build(target):
                return "no build"
            if filecmp.cmp(original, self.code(mutant.file, "mutant"), shallow=False):
                return "equal"
            for quick in True, False:
                limit = limit_of(mutant.file, quick)
                self.put(mutant.file, apply(mutant))
                if self.build("modules"):
                    return "no build"
                outcome = self.run(mutant.file, quick, limit)
                if outcome == "platform":
                    outcome = self.run(mutant.file, quick, limit)
                if outcome != "survived":
                    return outcome
            return "survived"
        finally:
            self.put(mutant.file, source(mutant.file))


class Broken(Exception):
    """The suites of a file fail without any change."""


class Campaign:
    """The mutants that are still to be tried, shared by the workers"""

    def __init__(self, mutants, count, logs):
        self.waiting = list(reversed(mutants))
        self.count = count
        self.logs = logs
        self.lock = threading.Lock()
        self.limits = {}
        self.tried = []         # of (mutant, outcome)
        self.broken = []        # files whose suites fail without any change
        self.reasons = accepted()

    def counted(self):
        return sum(outcome in ("caught", "survived") for _, outcome in self.tried)

    def next(self):
        with self.lock:
            if not self.waiting or (self.count and self.counted() >= self.count):
                return None
            return self.waiting.pop()

    def limit_of(self, worker, file, quick):
        with self.lock:
            limit = self.limits.get((file, quick))
        if limit is None:
            limit = worker.measure(file, quick)
            if limit is None:
                raise Broken(file)
            with self.lock:
                self.limits[file, quick] = limit
        return limit

    def note(self, worker, mutant, outcome):
        with self.lock:
            self.tried.append((mutant, outcome))
            number = len(self.tried)
            why = self.reasons.get(mutant.name)
        diff = diff_of(mutant)
        (self.logs / f"{number:04}.diff").write_text(diff, encoding="utf-8")
        if outcome == "survived":
            shutil.copytree(worker.logs / "guest", self.logs / f"{number:04}")
        known = f" (accepted: {why})" if outcome == "survived" and why else ""
        print(f"{number:4} {outcome:8} vmbkmcl/{mutant.file}:{mutant.line}: {mutant.kind} in "
              f"{mutant.function}{known}")
        if outcome == "survived":
            print(diff)
        sys.stdout.flush()

    def work(self, worker):
        try:
            while (mutant := self.next()) is not None:
                outcome = worker.judge(mutant, functools.partial(self.limit_of, worker))
                self.note(worker, mutant, outcome)
        except Broken as broken:
            print(f"the suites of {broken} fail without any change: see "
                  f"{worker.logs}/guest", flush=True)
            with self.lock:
                self.broken.append(str(broken))
                self.waiting.clear()

    def report(self):
        """Print the score. Returns the number of survivors that are not accepted."""
        count = Counter(outcome for _, outcome in self.tried)
        survivors = [m for m, outcome in self.tried if outcome == "survived"]
        unknown = [m for m in survivors if m.name not in self.reasons]
        by_file = Counter((m.file, outcome) for m, outcome in self.tried)
        for file in sorted({m.file for m, _ in self.tried}):
            print(f"{file}: {by_file[file, 'caught']} caught, "
                  f"{by_file[file, 'survived']} survived")
        total = count["caught"] + count["survived"]
        print(f"{total} mutants: {count['caught']} caught, {len(survivors)} survived, "
              f"{len(survivors) - len(unknown)} of these accepted; not counted: "
              f"{count['no build']} do not compile, {count['equal']} have the same code, "
              f"{count['platform']} died with the platform")
        if total:
            print(f"score: {100 * count['caught'] / total:.1f} %")
        for mutant in unknown:
            print(f"survived, not in {ACCEPTED.relative_to(TREE)}:\n  {mutant.name}")
        return len(unknown)


def draw(files, seed):
    """All mutants of the files, in an order that depends on the seed alone"""
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    random.Random(seed).shuffle(mutants)
    return mutants


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args()
    files = options.files or sorted(SUITES)
    for file in files:
        if file not in SUITES:
            parser.error(f"{file} is none of {' '.join(sorted(SUITES))}")
    if options.list:
        for file in files:
            for mutant in mutants_of(file):
                print(f"{mutant.line:5} {mutant.name}")
        return 0

    seed = options.seed if options.seed is not None else random.randrange(1000000)
    logs = TREE / "build/mutate" / str(seed)
    shutil.rmtree(logs, ignore_errors=True)
    mutants = draw(files, seed)
    print(f"seed {seed}: {options.count or 'all'} of {len(mutants)} mutants, logs in {logs}",
          flush=True)
    subprocess.run([SCRIPTS / "setup.sh"], check=True)
    campaign = Campaign(mutants, options.count, logs)
    workers = [Worker(number, logs) for number in range(options.jobs)]
    threads = [threading.Thread(target=campaign.work, args=(worker,), daemon=True)
               for worker in workers]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for worker in workers:
            worker.stop()
    return 1 if campaign.report() or campaign.broken else 0


if __name__ == "__main__":
    sys.exit(main())
