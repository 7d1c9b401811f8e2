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
"""A foreign gRPC server for grpc_interop_test.c.

usage: grpc_interop_server.py DIR    (DIR: ca.pem server.pem server.key)
Prints its port, serves until its standard input closes.
"""
import sys
import time
from concurrent import futures

import grpc

DIR = sys.argv[1]


def read(name):
    with open(DIR + "/" + name, "rb") as f:
        return f.read()


def echo(request, context):
    return request


def big(request, context):
    return bytes(5 << 20)


def slow(request, context):
    while context.is_active():
        time.sleep(0.02)
    return b""


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "host: 100% \u00e9\n")


def channel(requests, context):
    for r in requests:
        yield r


def early(requests, context):
    next(requests)
    yield b"one"
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "no more")


unary = grpc.unary_unary_rpc_method_handler
stream = grpc.stream_stream_rpc_method_handler
server = grpc.server(futures.ThreadPoolExecutor(8), options=[
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.S", {
    "Unary": unary(echo), "Big": unary(big), "Slow": unary(slow),
    "Fail": unary(fail), "Channel": stream(channel), "Early": stream(early)}),))
port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(
    [(read("server.key"), read("server.pem"))], read("ca.pem"), True))
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(1).wait()
