#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""List the functions of the KMCL API, and check that each is complete.

usage: api-table.py             print the table, as reStructuredText
       api-table.py --update    write it to Documentation/api-table.rst
       api-table.py --check     print what is missing or out of date, and fail

The headers define the list: the structs of include/vmbkmcl/interface.h say which
interface version a function belongs to, include/vmbkmcl/server.h declares the
functions for servers, and include/vmbkmcl/linux.h those of Linux alone. Each function must be exported, and a KUnit case must call it.
The kernel-doc at its definition must describe every parameter and have Context:,
Source: and, if the function returns something, Return:.
"""

import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
API = TREE / "include/vmbuskernelmodeclientlibapi.h"
INTERFACE = TREE / "include/vmbkmcl/interface.h"
SERVER = TREE / "include/vmbkmcl/server.h"
LINUX = TREE / "include/vmbkmcl/linux.h"
TABLE = TREE / "Documentation/api-table.rst"

V1_FUNCTIONS = 41
SERVER_FUNCTIONS = 15
PROTOTYPE = re.compile(r"^([A-Z][A-Z_0-9]+)\s+(Vmb\w+)\(([^;]*)\);", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def text_of(path):
    return path.read_text(encoding="utf-8")


def prototypes(path):
    return {m[2]: m[1] for m in PROTOTYPE.finditer(COMMENT.sub("", text_of(path)))}


def declarations():
    return {**prototypes(API), **prototypes(SERVER), **prototypes(LINUX)}


def interfaces():
    """[(interface, [function, ...])], as the headers have them."""
    header = text_of(INTERFACE)
    lists = []
    for version in range(1, 6):
        members = re.search(rf"#define KMCL_CLIENT_INTERFACE_V{version}_MEMBERS(.*?)\n\n",
                            header, re.S)[1]
        lists.append((f"V{version}", re.findall(r"\b(Vmb\w+)", members)))
    lists.append(("server", list(prototypes(SERVER))))
    lists.append(("Linux", list(prototypes(LINUX))))
    return lists


def parameters(arguments):
    """Names of the parameters in a definition."""
    return [re.search(r"(\w+)$", a.strip())[1]
            for a in arguments.split(",") if a.strip() not in ("", "void", "VOID")]


def documented(sources, name, returns):
    """What the kernel-doc of a function lacks."""
    found = re.search(rf"/\*\*\n \* {name}\(\) - [^\n]+\n((?: \*[^\n]*\n)+?) \*/\n"
                      rf"[\w \*]+\s{name}\(([^{{]*)\)\n{{", sources)
    if not found:
        return ["kernel-doc"]
    comment, arguments = found[1], found[2]
    wanted = [f"@{p}:" for p in parameters(arguments)] + ["Context:", "Source:"]
    if returns != "VOID":
        wanted.append("Return:")
    return [w for w in wanted if f" * {w}" not in comment]


def rows():
    """[(interface, function, [what it lacks])]"""
    sources = "\n".join(text_of(p) for p in sorted((TREE / "vmbkmcl").glob("*.c")))
    tests = "\n".join(COMMENT.sub("", text_of(p))
                      for p in sorted((TREE / "kunit").glob("*_test.c")))
    declared = declarations()
    for interface, functions in interfaces():
        for name in functions:
            lacks = []
            if name not in declared:
                lacks.append("prototype")
            if f"EXPORT_SYMBOL_GPL({name});" not in sources:
                lacks.append("export")
            lacks += documented(sources, name, declared.get(name))
            if not re.search(rf"\b{name}\(", tests):
                lacks.append("KUnit case")
            yield interface, name, lacks


def complaints(table):
    listed = [name for _, name, _ in table]
    for name in declarations():
        if name not in listed:
            yield f"{name}: declared, and in no interface"
    for interface, count in ("V1", V1_FUNCTIONS), ("server", SERVER_FUNCTIONS):
        here = sum(row[0] == interface for row in table)
        if here != count:
            yield f"{interface}: {here} functions instead of {count}"
    for _, name, lacks in table:
        if lacks:
            yield f"{name}: lacks {', '.join(lacks)}"


def mark(lacks, *kinds):
    return "no" if any(k in lacks for k in kinds) else "yes"


def rst(table):
    width = max(len(name) for _, name, _ in table) + 4
    rule = " ".join("=" * n for n in (9, width, 8, 10, 10))
    yield ".. SPDX-License-Identifier: GPL-2.0-only"
    yield ".. Made by scripts/check/api-table.py --update; make check sees that it is true."
    yield ""
    yield "========================"
    yield "Every function, in a row"
    yield "========================"
    yield ""
    yield "Documented means: each parameter, the context, every status and the source."
    yield "Tested means: a KUnit case calls it. V1 to V5 are the versions of"
    yield "``KMCL_CLIENT_INTERFACE``; a function is also a symbol to link to. The functions of"
    yield "``vmbkmcl/linux.h`` are in no interface, because Microsoft's KMCL has none of them."
    yield ""
    yield rule
    yield f"{'Interface':9} {'Function':{width}} {'Exported':8} {'Documented':10} Tested"
    yield rule
    for interface, name, lacks in table:
        rest = [x for x in lacks if x not in ("export", "KUnit case", "prototype")]
        yield (f"{interface:9} {'``' + name + '``':{width}} {mark(lacks, 'export'):8} "
               f"{'no' if rest else 'yes':10} {mark(lacks, 'KUnit case')}")
    yield rule


def main(arguments):
    table = list(rows())
    text = "\n".join(rst(table)) + "\n"
    if arguments == []:
        print(text, end="")
    elif arguments == ["--update"]:
        TABLE.write_text(text, encoding="utf-8")
    elif arguments == ["--check"]:
        wrong = list(complaints(table))
        if not TABLE.exists() or text_of(TABLE) != text:
            wrong.append(f"{TABLE.relative_to(TREE)} is out of date: run api-table.py --update")
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
