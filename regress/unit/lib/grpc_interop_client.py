#!/usr/bin/python3
#
# Copyright (c) 2026 The Sentinel developers
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.
#
# THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
# WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
# MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
# ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
# WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
# ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
# OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
#
"""A foreign gRPC client: calls the server of grpc_interop_test.c.

usage: grpc_interop_client.py PORT DIR    (DIR: ca.pem client.pem client.key)
Exits 0 when every answer is as it should be, else says which is not.
"""
import sys
import threading

import grpc

PORT, DIR = sys.argv[1:3]
UNARY, SLOW, CHANNEL = "/t.S/Unary", "/t.S/Slow", "/t.S/Channel"


def read(name):
    with open(DIR + "/" + name, "rb") as f:
        return f.read()


def connect(with_cert):
    creds = grpc.ssl_channel_credentials(
        read("ca.pem"),
        read("client.key") if with_cert else None,
        read("client.pem") if with_cert else None)
    return grpc.secure_channel(
        "127.0.0.1:" + PORT, creds,
        options=[("grpc.max_send_message_length", -1),
                 ("grpc.max_receive_message_length", -1)])


def check(what, ok):
    if not ok:
        sys.exit("not as expected: " + what)


def fails(what, code, text, fn):
    try:
        fn()
    except grpc.RpcError as e:
        check("%s: %s %s" % (what, e.code(), e.details()),
              e.code() == code and (text is None or text in e.details()))
        return
    sys.exit("no error: " + what)


def unary_calls(ch):
    unary = ch.unary_unary(UNARY)
    for size in 0, 1, 16379, 16380, 70000, 1 << 20:
        data = bytes(i & 255 for i in range(size))
        check("echo of %d bytes" % size, unary(data, timeout=10) == data)
    fails("5 MiB", grpc.StatusCode.RESOURCE_EXHAUSTED,
          "received message larger than max (5242880 vs. 4194304)",
          lambda: unary(bytes(5 << 20), timeout=10))
    check("usable after 5 MiB", unary(b"x", timeout=10) == b"x")
    fails("unknown method", grpc.StatusCode.UNIMPLEMENTED, "unknown method",
          lambda: ch.unary_unary("/t.S/Other")(b"x", timeout=10))
    fails("gzip", grpc.StatusCode.UNIMPLEMENTED, "compressed",
          lambda: unary(b"x" * 9000, timeout=10,
                        compression=grpc.Compression.Gzip))
    fails("deadline", grpc.StatusCode.DEADLINE_EXCEEDED, None,
          lambda: ch.unary_unary(SLOW)(b"x", timeout=0.2))
    fails("big metadata", grpc.StatusCode.RESOURCE_EXHAUSTED, None,
          lambda: unary(b"x", timeout=10,
                        metadata=[("x-big", "y" * 9000)]))
    check("metadata", unary(b"x", timeout=10,
                            metadata=[("x-ok", "y" * 3000)]) == b"x")
    futures = [unary.future(b"%d" % i, timeout=10) for i in range(100)]
    for i, f in enumerate(futures):
        check("future %d" % i, f.result() == b"%d" % i)


def streams(ch):
    stream = ch.stream_stream(CHANNEL)
    data = [b"%d" % i * (i * 700) for i in range(60)]
    check("stream echo", list(stream(iter(data), timeout=20)) == data)

    # The server ends the call while we could still send.
    stop = threading.Event()

    def talk():
        yield b"one"
        yield b"quit"
        stop.wait(10)

    got = []
    call = stream(talk(), timeout=10)

    def drain():
        for m in call:
            got.append(m)

    fails("server's end", grpc.StatusCode.NOT_FOUND,
          "host ID not registered: 100% \u00e9", drain)
    stop.set()
    check("echo before the end", got == [b"one"])

    # We end it.
    stop.clear()

    def wait():
        yield b"one"
        stop.wait(10)

    call = stream(wait(), timeout=10)
    check("first answer", next(call) == b"one")
    call.cancel()
    stop.set()
    fails("cancelled", grpc.StatusCode.CANCELLED, None, lambda: next(call))
    check("usable after cancel",
          ch.unary_unary(UNARY)(b"x", timeout=10) == b"x")


for with_cert in False, True:
    with connect(with_cert) as ch:
        unary_calls(ch)
        streams(ch)
