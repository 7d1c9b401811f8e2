#!/usr/bin/python3
# The shape of the C sources: prints what is too long, one line each, and
# exits 1 then.
#
#	lines		80 columns, tabs of 8
#	functions	60 lines between the braces in column 0
#	files		600 lines, tests 800
#
# Tests' functions may be longer: tables and scripts of calls are.
import os
import sys

SOURCES = ["lib", "sentineld", "sentinel-agentd", "sentinelctl"]
TESTS = ["regress"]
COLUMNS = 80
FUNCTION_LINES = 60
FILE_LINES = 600
TEST_FILE_LINES = 800
bad = []


def files(tops):
    for top in tops:
        for where, _, names in os.walk(top):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.join(where, name)


def check(path, file_lines, functions):
    begin, name = None, ""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    if len(lines) > file_lines:
        bad.append(f"{path}: {len(lines)} lines, want {file_lines} at most")
    for n, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            bad.append(f"{path}:{n}: {width} columns")
        if line == "{":
            begin = n
        elif line.startswith("}"):
            if begin and functions and n - begin - 1 > FUNCTION_LINES:
                bad.append(f"{path}:{begin}: {name}: {n - begin - 1} lines")
            begin = None
        elif line[:1].isalpha() and "(" in line:
            name = line.split("(")[0]


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    for path in files(SOURCES):
        check(path, FILE_LINES, True)
    for path in files(TESTS):
        check(path, TEST_FILE_LINES, False)
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


main()
