#!/usr/bin/python3
"""journalkill.py JOURNAL N SIGNAL [PID|@WHO...]

Watch an update journal and send SIGNAL to the processes as soon as it holds
N whole records.  @helper, @agent and @dockerd are whoever is that by then, of
all that can be seen from here.  Prints the records seen and exits 0; 1 when the transaction
ended before that or nothing came within 40 s.  N = 0 only counts.
"""

import os
import signal
import struct
import sys
import time

KINDS = {1: "begin", 2: "plan", 3: "step", 4: "created", 5: "good",
         6: "undo", 7: "end", 8: "told"}


def records(data):
    """Kinds of the whole records, a step with its name."""
    out = []
    at = 0
    while at + 8 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        if length < 13 or at + 8 + length > len(data):
            break
        body = data[at + 8:at + 8 + length]
        name = KINDS.get(body[0], "?")
        if body[0] == 3 and len(body) > 15:
            n = struct.unpack_from(">H", body, 13)[0]
            name += " " + body[15:15 + n].decode(errors="replace")
        out.append(name)
        at += 8 + length
    return out


def is_who(who, pid):
    """Is this process @who?  One that has ended is nobody."""
    try:
        with open("/proc/%s/comm" % pid) as f:
            comm = f.read().strip()
        with open("/proc/%s/cmdline" % pid) as f:
            line = f.read().replace("\0", " ")
    except OSError:
        return False
    if who == "@dockerd":
        return comm == "dockerd"
    helper = "-P helper" in line or line.startswith("sentinel-agentd: helper")
    agent = line.startswith("sentinel-agentd")
    return agent and helper == (who == "@helper")


def find(names):
    """The pids of those that are meant."""
    out = [int(n) for n in names if n.isdigit()]
    for who in (n for n in names if n.startswith("@")):
        out += [int(p) for p in os.listdir("/proc")
                if p.isdigit() and is_who(who, p)]
    return out


def main():
    path, wanted, sig = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    sig = getattr(signal, "SIG" + sig)
    deadline = time.monotonic() + 40
    most = []
    with open(path, "rb", buffering=0) as f:
        while time.monotonic() < deadline:
            seen = records(os.pread(f.fileno(), 1 << 20, 0))
            if len(seen) > len(most):
                most = seen
            elif most and not seen:
                break
            if wanted and len(most) >= wanted:
                for pid in find(sys.argv[4:]):
                    try:
                        os.kill(pid, sig)
                    except ProcessLookupError:
                        pass
                print("%d: %s" % (len(most), most[-1]))
                return 0
            time.sleep(0.0003)
    print("%d: %s" % (len(most), ", ".join(most)))
    return 0 if most and not wanted else 1


if __name__ == "__main__":
    sys.exit(main())
