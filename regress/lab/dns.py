"""A name server for one scenario, on UDP.

dns.py PORT NAME=ADDRESS...: answers A and AAAA for these names, NXDOMAIN for
others, and nothing at all for names that begin with "silent".  Every question
is a line on stdout.
"""

import ipaddress
import socket
import struct
import sys

names = {}
for arg in sys.argv[2:]:
    name, address = arg.split("=")
    names.setdefault(name.lower(), []).append(ipaddress.ip_address(address))

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    query, peer = sock.recvfrom(4096)
    pos, labels = 12, []
    while query[pos] != 0:
        labels.append(query[pos + 1:pos + 1 + query[pos]].decode("ascii"))
        pos += 1 + query[pos]
    kind = struct.unpack("!H", query[pos + 1:pos + 3])[0]
    name = ".".join(labels).lower()
    print("asked", kind, name, flush=True)
    if name.startswith("silent"):
        continue
    version = {1: 4, 28: 6}.get(kind)
    found = [a for a in names.get(name, []) if a.version == version]
    flags = 0x8180 if name in names else 0x8183
    answer = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
    answer += query[12:pos + 5]
    for a in found:
        answer += struct.pack("!HHHIH", 0xc00c, kind, 1, 60, len(a.packed))
        answer += a.packed
    sock.sendto(answer, peer)
