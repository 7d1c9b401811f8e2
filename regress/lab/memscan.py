#!/usr/bin/python3
"""memscan.py PID KEYFILE...: search a process's memory for key bytes.

Every readable mapping is read through /proc/PID/mem.  A key file is PEM (its
32 secret bytes are looked for, in both byte orders, and the base64 text of
the file) or raw bytes.  Exit status 1 when something is found, 2 when memory
could not be read.
"""

import base64
import re
import subprocess
import sys


def needles(path):
    with open(path, "rb") as f:
        data = f.read()
    if not data.startswith(b"-----"):
        return [data]
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    priv = re.search(r"priv:\s*([0-9a-f:\s]+?)pub:", text).group(1)
    key = bytes.fromhex(re.sub(r"[:\s]", "", priv))[-32:]
    lines = data.split(b"-----")[2].split()
    text = b"".join(lines)
    # Of the base64 text only what stands for the secret itself, and that on
    # one line: the rest is the same in every key.
    begin = (base64.b64decode(text).index(key) + 2) // 3 * 4
    width = len(lines[0])
    if begin % width > width - 20:
        begin += width - begin % width
    end = min(begin + 24, (begin // width + 1) * width)
    return [key, key[::-1], text[begin:end]]


def main():
    pid = sys.argv[1]
    wanted = [(path, n) for path in sys.argv[2:] for n in needles(path)]
    found = 0
    total = 0
    with open("/proc/%s/maps" % pid) as maps, \
            open("/proc/%s/mem" % pid, "rb", 0) as mem:
        for line in maps:
            where, perms = line.split()[:2]
            if "r" not in perms or "[v" in line:
                continue
            begin, end = (int(x, 16) for x in where.split("-"))
            try:
                mem.seek(begin)
                data = mem.read(end - begin)
            except OSError:
                continue
            total += len(data)
            for path, needle in wanted:
                if needle in data:
                    print("%s of %s is in %s" % (
                        "a key", path, line.strip()))
                    found = 1
    print("%d bytes of process %s searched" % (total, pid))
    if total < 100000:
        return 2
    return found


if __name__ == "__main__":
    sys.exit(main())
