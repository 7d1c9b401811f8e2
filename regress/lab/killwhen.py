#!/usr/bin/python3
"""killwhen.py PATH PROGRAM: as soon as PATH exists, SIGKILL every process of
PROGRAM in this pid namespace.  Exit status 1 when it did not within 15 s."""

import os
import signal
import sys
import time


def main():
    path, program = sys.argv[1:3]
    deadline = time.monotonic() + 15
    while not os.path.lexists(path):
        if time.monotonic() > deadline:
            return 1
        time.sleep(0.0002)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid) as f:
                title = f.read().replace("\0", " ")
            if title.startswith(program + ":"):
                os.kill(int(pid), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
