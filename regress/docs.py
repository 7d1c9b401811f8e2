#!/usr/bin/python3
# What the documents say about the tree, checked against it.  Prints what is
# wrong, one line each, and exits 1 then.
#
#	files	names of files in backticks, and sources in the lists of
#		doc/architecture.md, are there
#	pages	manual pages of ours that are referred to exist
#	targets	"make TARGET" is a target
#	numbers	proto/README and the numbers from 100 in sentinel.proto agree,
#		and the words of features are in the code
import fnmatch
import glob
import os
import re
import sys

DOCS = ["README.md", "doc/architecture.md", "regress/README", "proto/README"]
MAKEFILES = ["Makefile", "demo.mk", "bench.mk", "image.mk",
             "regress/Makefile.inc"]
bad = []


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def tree():
    for top in ("lib", "sentineld", "sentinel-agentd", "sentinelctl", "proto",
                "etc", "man", "doc", "regress", ".ci"):
        for where, _, names in os.walk(top):
            for name in names:
                yield os.path.join(where, name)


def check_files(paths):
    names = {os.path.basename(p) for p in paths}
    for doc in DOCS:
        for tok in re.findall(r"`([^`\s]+)`", text(doc)):
            if not re.search(r"\.(c|h|def|sh|py|proto|mk|md)$", tok):
                continue
            if glob.glob(tok) or fnmatch.filter(names, tok):
                continue
            bad.append(f"{doc}: {tok}: no such file")
    # The tables of lib/ by topic: words, globs and "name*".
    stems = {os.path.basename(p).rsplit(".", 1)[0] for p in paths
             if p.startswith("lib/")}
    block = re.search(r"^lib/ by topic.*?```\n(.*?)```", text(
        "doc/architecture.md"), re.M | re.S).group(1)
    block = re.sub(r"\([^)]*\)", " ", block)
    for line in block.splitlines():
        for word in re.split(r",| and ", line[20:]):
            word = word.strip()
            if not re.fullmatch(r"[a-z0-9_.]+\*?", word):
                continue
            stem = word.replace(".def", "").rstrip("*")
            if stem not in stems and not (word.endswith("*") and any(
                    s.startswith(stem) for s in stems)):
                bad.append(f"doc/architecture.md: lib/ by topic: {word}: "
                           "no such file")


def check_pages():
    ours = {os.path.basename(p) for p in glob.glob("man/*.[1-9]")}
    for doc in DOCS + ["ChangeLog"]:
        for name, sec in re.findall(r"\b(sentinel[a-z.-]*)\((\d)\)",
                                    text(doc)):
            if f"{name}.{sec}" not in ours:
                bad.append(f"{doc}: {name}({sec}): no such page")


def check_targets():
    targets = set()
    for mk in MAKEFILES:
        for line in re.findall(r"^([a-z][a-z0-9 -]*):", text(mk), re.M):
            targets.update(line.split())
    for doc in DOCS:
        for target in re.findall(r"(?:`|^ {4}|\t)make ([a-z][a-z-]*)",
                                 text(doc), re.M):
            if target not in targets:
                bad.append(f"{doc}: make {target}: no such target")


def proto_numbers():
    found, stack = set(), []
    for line in text("proto/sentinel.proto").splitlines():
        line = re.sub(r"//.*", "", line)
        for tok in re.findall(r"(?:message|oneof|enum|service)\s+\w+\s*\{|\{"
                              r"|\}|\w+\s*=\s*\d+\s*[;\[]", line):
            if tok == "}":
                stack.pop()
            elif tok.endswith("{"):
                stack.append(tok.split()[:2])
            else:
                number = int(re.search(r"\d+\s*[;\[]$", tok).group()[:-1])
                owner = [s[1] for s in stack if s[0] == "message"]
                if number >= 100 and owner and stack[-1][0] != "enum":
                    found.add((owner[-1], number))
    return found


def check_numbers(paths):
    registered, words = set(), set()
    row = None
    for line in text("proto/README").splitlines():
        cols = [c for c in line.split("\t") if c != ""]
        m = re.match(r"(\d{3,})\t", line)
        if m and len(cols) >= 4:
            row = cols[1]
            registered.add((row, int(m.group(1))))
            words.add(cols[2])
        elif not line.startswith("\t"):
            row = None
        if row is not None:
            m = re.search(r"\band (\d{3})(?: to (\d{3}))?\b", line)
            if m:
                last = int(m.group(2) or m.group(1))
                registered.update((row, n) for n in range(int(m.group(1)),
                                                          last + 1))
    used = proto_numbers()
    for owner, number in sorted(used - registered):
        bad.append(f"proto/README: {number} of {owner} is not registered")
    for owner, number in sorted(registered - used):
        bad.append(f"proto/README: {number} of {owner} is not in "
                   "sentinel.proto")
    code = "".join(text(p) for p in paths if p.endswith((".c", ".h")) and
                   not p.startswith("regress/"))
    for word in sorted(words - {"-"}):
        if f'"{word}"' not in code:
            bad.append(f"proto/README: {word}: the code has no such word")


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    paths = list(tree())
    check_files(paths)
    check_pages()
    check_targets()
    check_numbers(paths)
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


main()
