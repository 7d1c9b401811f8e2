#!/usr/bin/python3
"""A foreign server: a CA by openssl(1), Enroll, ReportState and Channel.

It prints one line of JSON per event and reads commands from stdin, one a
line, which go to the last agent that opened a Channel:

	list			ListContainersRequest
	stop|start|restart NAME	ContainerActionRequest
	logs NAME LINES		FetchLogsRequest
	update NAME IMAGE	UpdateContainerRequest
	raw HEX			these bytes as a ServerMessage
	again			the last command once more, same request id
	end CODE TEXT		ends the stream with this gRPC status
	quit

Its token is the first thing it prints.  It carries the pin of the CA unless
another is asked for with --pin.
"""

import argparse
import os
import queue
import secrets
import sys
import time
from concurrent import futures

import grpc

import peer

pb = None
EXT = """[ca]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[server]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=%s
subjectAltName=%s
authorityKeyIdentifier=keyid
[agent]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
authorityKeyIdentifier=keyid
"""

CA = """[c]
new_certs_dir=%s
database=%s/index.txt
default_md=sha256
policy=any
unique_subject=no
rand_serial=yes
[any]
commonName=supplied
"""


class Authority:
    def __init__(self, args):
        self.dir = args.dir
        self.ext = args.dir + "/ext.cnf"
        peer.write(self.ext, (EXT % (args.purpose, args.san)).encode())
        self.key = args.dir + "/ca-key.pem"
        self.pem = args.dir + "/ca.pem"
        if not os.path.exists(self.pem):
            peer.make_key(self.key)
            csr = peer.make_csr(self.key, "Foreign CA")
            peer.write(self.pem, peer.openssl(
                "x509", "-req", "-inform", "DER", "-signkey", self.key,
                "-days", "3650", "-extfile", self.ext, "-extensions", "ca",
                data=csr))
        self.leafkey = args.dir + "/server-key.pem"
        peer.make_key(self.leafkey)
        self.leaf = self.sign(
            peer.make_csr(self.leafkey, "sentinel-server"), "server",
            args.days)

    def brief(self, csr, subject, seconds):
        """A certificate of an agent that lives for seconds."""
        name = self.dir + "/" + secrets.token_hex(4)
        peer.write(self.dir + "/index.txt", b"")
        peer.write(self.dir + "/ca.cnf", (CA % (self.dir, self.dir)).encode())
        peer.write(name + ".der", csr)
        now = time.time()

        def stamp(t):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t))
        peer.openssl(
            "ca", "-batch", "-config", self.dir + "/ca.cnf", "-name", "c",
            "-in", name + ".der", "-inform", "DER", "-out", name + ".pem",
            "-cert", self.pem, "-keyfile", self.key, "-notext",
            "-subj", "/CN=" + subject, "-extfile", self.ext,
            "-extensions", "agent", "-startdate", stamp(now - 1),
            "-enddate", stamp(now + seconds))
        return peer.read(name + ".pem")

    def sign(self, csr, section, days=365, subject=None):
        args = ["x509", "-req", "-inform", "DER", "-CA", self.pem,
                "-CAkey", self.key, "-set_serial",
                "0x" + secrets.token_hex(16), "-days", str(days),
                "-extfile", self.ext, "-extensions", section]
        if subject is not None:
            # x509 -subj comes only with OpenSSL 3.
            args += ["-subj", "/CN=" + subject]
        return peer.openssl(*args, data=csr)


class Cluster:
    """The three methods."""

    def __init__(self, args, authority, token):
        self.args = args
        self.ca = authority
        self.token = token
        self.queue = None
        self.last = None
        self.host = None
        self.csr = None         # of the key that the agent shows
        self.refused = set()    # serials

    def enroll(self, request, context):
        # For the man in the middle: this line shows that a token came.
        peer.say("enroll", token=request.token, name=request.host_name)
        if request.token != self.token:
            context.abort(grpc.StatusCode.PERMISSION_DENIED,
                          "invalid enrollment token")
        if self.args.enroll_status:
            context.abort(
                getattr(grpc.StatusCode, self.args.enroll_status), "as asked")
        host_id = secrets.token_hex(16)
        csr = request.csr
        if self.args.wrong_key:
            other = self.args.dir + "/other.pem"
            peer.make_key(other)
            csr = peer.make_csr(other, "other")
        leaf = self.issue(csr, host_id)
        self.host, self.csr = host_id, csr
        peer.write(self.args.dir + "/host", host_id.encode())
        peer.write(self.args.dir + "/csr", csr)
        return pb.EnrollResponse(host_id=host_id, agent_cert=leaf,
                                 ca_cert=peer.read(self.ca.pem))

    def issue(self, csr, host_id):
        if self.args.agent_seconds:
            return self.ca.brief(csr, host_id, self.args.agent_seconds)
        return self.ca.sign(csr, "agent", subject=host_id)

    def renew(self, csr):
        """As --renewal says; the server in Go sets no request id."""
        how = self.args.renewal
        if how == "none":
            return
        if how == "wrong-key":
            other = self.args.dir + "/other.pem"
            peer.make_key(other)
            csr = peer.make_csr(other, "other")
        leaf = self.issue(csr, "f" * 32 if how == "wrong-name" else self.host)
        if how == "refused":
            self.refused.add(peer.openssl("x509", "-noout", "-serial",
                                          data=leaf))
        elif how == "good":
            self.csr = csr
            peer.write(self.args.dir + "/csr", csr)
        m = pb.ServerMessage()
        m.cert_renewal_response.agent_cert = leaf
        self.queue.put(m)

    def report(self, request, context):
        auth = context.auth_context()
        shown = auth.get("x509_pem_cert", [b""])[0]
        serial = peer.openssl("x509", "-noout", "-serial",
                              data=shown) if shown else b""
        peer.say("report", host_id=request.host_id,
                 version=request.agent_version,
                 features=list(request.supported_features),
                 engine_id=request.engine_id,
                 nonce=len(request.session_nonce),
                 docker_error=request.docker_error,
                 identity=[n.decode() for n in
                           auth.get("x509_common_name", [])],
                 serial=serial.decode().strip(),
                 containers=[c.name for c in request.containers])
        if self.args.report_status:
            context.abort(
                getattr(grpc.StatusCode, self.args.report_status),
                self.args.report_text)
        if serial in self.refused:
            context.abort(grpc.StatusCode.PERMISSION_DENIED,
                          "certificate has been revoked")
        return pb.StateAck(accepted=True, message="state received")

    def channel(self, requests, context):
        peer.say("channel")
        out = queue.Queue()
        self.queue = out
        context.add_callback(lambda: (peer.say("closed"), out.put(None)))

        def reader():
            try:
                for m in requests:
                    self.incoming(m)
            except Exception:           # the stream ended
                pass
        futures.ThreadPoolExecutor(1).submit(reader)
        while True:
            message = out.get()
            if message is None:
                return
            if isinstance(message, tuple):
                context.abort(*message)
            yield message

    def incoming(self, m):
        kind = m.WhichOneof("payload")
        facts = {}
        if kind == "container_list":
            facts = dict(request_id=m.container_list.request_id,
                         error=m.container_list.error,
                         containers={c.name: c.state for c in
                                     m.container_list.containers})
        elif kind == "container_action_result":
            r = m.container_action_result
            facts = dict(request_id=r.request_id, name=r.container_name,
                         action=r.action, outcome=r.outcome, error=r.error)
        elif kind == "update_result":
            r = m.update_result
            facts = dict(request_id=r.request_id, name=r.container_name,
                         outcome=r.outcome, error=r.error,
                         new_image=r.new_image)
        elif kind == "fetch_logs_result":
            r = m.fetch_logs_result
            facts = dict(request_id=r.request_id, logs=r.logs, error=r.error)
        elif kind == "cert_renewal":
            facts = dict(bytes=len(m.cert_renewal.csr))
        elif kind == "offline_journal":
            facts = dict(entries=[[e.id, e.action, e.container, e.outcome,
                                   e.error] for e in
                                  m.offline_journal.entries])
        elif kind == "heartbeat":
            facts = dict(version=m.heartbeat.agent_version)
        peer.say(kind or "empty", **facts)
        if kind == "cert_renewal":
            self.renew(m.cert_renewal.csr)

    def command(self, line):
        """A line of stdin; False at the end."""
        words = line.split()
        if not words or words[0] == "quit":
            return False
        deadline = time.time() + 10
        while self.queue is None and time.time() < deadline:
            time.sleep(0.05)
        if self.queue is None:
            peer.say("error", why="no agent")
            return True
        m = pb.ServerMessage(request_id=secrets.token_hex(8))
        what = words[0]
        if what == "list":
            m.list_containers.SetInParent()
        elif what in ("stop", "start", "restart"):
            m.container_action.container_name = words[1]
            m.container_action.action = what
        elif what == "logs":
            m.fetch_logs.container_name = words[1]
            m.fetch_logs.lines = int(words[2])
        elif what == "update":
            m.update_container.container_name = words[1]
            m.update_container.target_image = words[2]
        elif what == "raw":
            m = bytes.fromhex("".join(words[1:]))
        elif what == "push":
            # Unasked, over the key that the agent has.
            m = pb.ServerMessage()
            m.cert_renewal_response.agent_cert = self.issue(self.csr,
                                                            self.host)
        elif what == "again":
            m = self.last
        elif what == "end":
            m = (getattr(grpc.StatusCode, words[1]), " ".join(words[2:]))
        else:
            peer.say("error", why="unknown command " + what)
            return True
        self.last = m
        if not isinstance(m, (bytes, tuple)):
            peer.say("sent", what=what, request_id=m.request_id)
        self.queue.put(m)
        return True

    def handlers(self):
        def unary(fn, kind):
            return grpc.unary_unary_rpc_method_handler(
                fn, kind.FromString, peer.raw)
        return (
            grpc.method_handlers_generic_handler(
                "sentinel.cluster.EnrollmentService",
                {"Enroll": unary(self.enroll, pb.EnrollRequest)}),
            grpc.method_handlers_generic_handler(
                "sentinel.cluster.AgentService",
                {"ReportState": unary(self.report, pb.StateReport),
                 "Channel": grpc.stream_stream_rpc_method_handler(
                     self.channel, pb.AgentMessage.FromString, peer.raw)}))


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--listen", default="127.0.0.1:9443")
    p.add_argument("--dir", required=True, help="CA and keys, kept")
    p.add_argument("--san", default="IP:127.0.0.1,DNS:localhost")
    p.add_argument("--purpose", default="serverAuth,clientAuth")
    p.add_argument("--days", type=int, default=365,
                   help="life of the server's certificate; 0: over at once")
    p.add_argument("--leaf-only", action="store_true",
                   help="do not send the CA, as the server in Go")
    p.add_argument("--mtls", action="store_true",
                   help="demand a client certificate")
    p.add_argument("--token", help="default: a fresh one with the CA's pin")
    p.add_argument("--wrong-key", action="store_true",
                   help="answer Enroll with a certificate for another key")
    p.add_argument("--agent-seconds", type=int, default=0,
                   help="life of agents' certificates; 0: a year")
    p.add_argument("--renewal", default="good",
                   choices=("good", "none", "wrong-key", "wrong-name",
                            "refused"),
                   help="answer to CertRenewalCSR; refused: a certificate "
                   "that is not taken afterwards")
    p.add_argument("--enroll-status", help="refuse Enroll with this status")
    p.add_argument("--report-status", help="refuse ReportState with it")
    p.add_argument("--report-text", default="as asked")
    return p


def main():
    args = options().parse_args()
    global pb
    pb = peer.messages()

    os.makedirs(args.dir, exist_ok=True)
    authority = Authority(args)
    token = args.token or secrets.token_hex(16) + \
        peer.spki_hash(peer.read(authority.pem))[:32]
    chain = authority.leaf
    if not args.leaf_only:
        chain += peer.read(authority.pem)
    credentials = grpc.ssl_server_credentials(
        [(peer.read(authority.leafkey), chain)],
        peer.read(authority.pem) if args.mtls else None, args.mtls)

    cluster = Cluster(args, authority, token)
    if args.mtls and os.path.exists(args.dir + "/host"):
        cluster.host = peer.read(args.dir + "/host").decode()
        cluster.csr = peer.read(args.dir + "/csr")
    server = grpc.server(futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers(cluster.handlers())
    if server.add_secure_port(args.listen, credentials) == 0:
        peer.say("error", why="cannot listen on " + args.listen)
        return 1
    server.start()
    peer.say("ready", token=token)
    for line in sys.stdin:
        if not cluster.command(line):
            break
    server.stop(0.2)
    # Streams with a waiting thread must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
