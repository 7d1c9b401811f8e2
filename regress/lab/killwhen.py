#!/usr/bin/python3
"""killwhen.py PATH LAST PROGRAM: as soon as PATH exists, SIGKILL every process
of PROGRAM in this pid namespace.  A file that comes and goes can be missed on
a busy machine: then LAST, which comes after it, is the moment, and a line says
so.  Exit status 1 when neither came within 15 s."""

import os
import signal
import sys
import time


def main():
    path, last, program = sys.argv[1:4]
    deadline = time.monotonic() + 15
    while not os.path.lexists(path):
        if os.path.lexists(last):
            print("# %s was missed, killed at %s" % (path, last), flush=True)
            break
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
