#!/usr/bin/python3
"""A cluster process in the hands of somebody else: it has the streams and the
TLS side of the CA, and sees every command that the real engine signs, but it
cannot sign one itself.

As server.py, it prints one line of JSON per event and reads commands from
stdin.  The engine that signs is played here, too, with a certificate of its
own from the CA; what the attacker does with its commands is up to him.

	genuine WHAT		a signed command: start stop restart update pull logs
	again			the last one once more, byte by byte
	replay			all that were ever signed, byte by byte
	forge			every kind of message in every false way
	end CODE TEXT		ends the stream with this gRPC status
	quit

forge, again and replay print a line "verdict" with the faults found in the
agent's answers, once a signed request for logs that came last is answered.
"""

import argparse
import base64
import hashlib
import json
import os
import secrets
import sys
import threading
import time
from concurrent import futures

import grpc

import peer
import server

pb = None
COMMAND_OID = "2.25.20655884377386768098541794340951983567"
EXT = """[%s]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=%s
authorityKeyIdentifier=keyid
"""
# Credentials as X-Registry-Auth has them; nobody's, and nobody asks for them.
AUTH = base64.urlsafe_b64encode(json.dumps({
    "username": "forged", "password": "forged",
    "serveraddress": "registry.example"}).encode()).decode()
# Kinds that have a result of their own, and its name.
ANSWERS = {
    "list_containers": "container_list",
    "update_container": "update_result",
    "pull_image": "pull_result",
    "container_action": "container_action_result",
    "fetch_logs": "fetch_logs_result",
    "run_hook": "hook_result",
    "rollback": "rollback_result",
    "plan": "plan_result",
    "detail": "detail_result",
    "follow_logs": "fetch_logs_result",
}


class Signer:
    """A key and a certificate that says what it may be used for."""

    def __init__(self, directory, name, issuer=None, purpose=COMMAND_OID,
                 subject="sentinel-command", days=365):
        self.key = "%s/%s-key.pem" % (directory, name)
        peer.make_key(self.key)
        issuer = issuer or directory
        ext = "%s/%s.cnf" % (directory, name)
        peer.write(ext, (EXT % (name, purpose)).encode())
        pem = peer.openssl(
            "x509", "-req", "-inform", "DER", "-CA", issuer + "/ca.pem",
            "-CAkey", issuer + "/ca-key.pem", "-set_serial",
            "0x" + secrets.token_hex(16), "-days", str(days), "-extfile", ext,
            "-extensions", name,
            data=peer.make_csr(self.key, subject))
        self.der = peer.openssl("x509", "-outform", "DER", data=pem)

    def sign(self, body, statement=True):
        data = body
        if statement:
            data = b"sentinel-command\0" + hashlib.sha256(body).digest()
        return peer.openssl("dgst", "-sha256", "-sign", self.key, data=data)


def signed(body, signature, certificate, request_id=""):
    out = pb.ServerMessage(request_id=request_id)
    out.signed_command.body = body
    out.signed_command.signature = signature
    out.signed_command.certificate = certificate
    return out.SerializeToString()


class Forger(server.Cluster):
    def __init__(self, args, authority, token):
        super().__init__(args, authority, token)
        os.makedirs(args.dir + "/evil", exist_ok=True)
        evil = argparse.Namespace(**vars(args))
        evil.dir = args.dir + "/evil"
        server.Authority(evil)
        d = args.dir
        self.engine = Signer(d, "engine")
        self.others = {
            "a certificate of another CA": Signer(evil.dir, "evil"),
            "a server's certificate": Signer(d, "asserver",
                                             purpose="serverAuth"),
            "an agent's certificate": Signer(d, "asagent",
                                             purpose="clientAuth"),
            "a certificate for another name": Signer(d, "asname",
                                                     subject="engine"),
            "an expired certificate": Signer(d, "expired", days=-1),
        }
        self.stranger = Signer(d, "stranger")
        self.host = self.nonce = None
        self.sessions = 0
        self.captured = []          # bytes, as the engine signed them
        self.results = {}           # request id: [(kind, outcome, error)]
        self.changed = threading.Condition()

    def report(self, request, context):
        super().report(request, context)
        self.host = request.host_id
        self.nonce = request.session_nonce
        self.sessions += 1
        return pb.StateAck(accepted=True, message="state received",
                           signed_commands=True, supported_features=[
                               "list-error", "pull-result",
                               "signed-command"])

    def incoming(self, m):
        super().incoming(m)
        kind = m.WhichOneof("payload")
        r = getattr(m, kind) if kind else None
        if r is None or not getattr(r, "request_id", ""):
            return
        with self.changed:
            self.results.setdefault(r.request_id, []).append(
                (kind, getattr(r, "outcome", ""), r.error))
            self.changed.notify_all()

    # --- messages ---------------------------------------------------------

    def fill(self, kind, m):
        """One that would do something, were it believed."""
        name, image = self.args.container, self.args.image
        if kind == "heartbeat":
            m.heartbeat.agent_version = "forged"
        elif kind == "list_containers":
            m.list_containers.SetInParent()
        elif kind == "update_container":
            m.update_container.container_name = name
            m.update_container.target_image = image
            m.update_container.registry_auth = AUTH
        elif kind == "pull_image":
            m.pull_image.image_ref = image
            m.pull_image.registry_auth = AUTH
        elif kind == "run_hook":
            m.run_hook.container_name = name
            m.run_hook.command = "touch /tmp/forged"
            m.run_hook.timeout_seconds = 5
        elif kind == "follow_logs":
            m.follow_logs.container_name = name
            m.follow_logs.stream_id = secrets.token_bytes(16)
            m.follow_logs.streams = 3
        elif kind == "rollback":
            m.rollback.container_name = name
        elif kind == "policy_sync":
            m.policy_sync.default_policy = "auto"
            m.policy_sync.policies[name] = "auto"
        elif kind == "settings_sync":
            m.settings_sync.hooks_enabled = True
            m.settings_sync.rollback_policy = "forged"
        elif kind == "cert_renewal_response":
            m.cert_renewal_response.agent_cert = self.ca.leaf
        elif kind == "container_action":
            m.container_action.container_name = name
            m.container_action.action = "restart"
        elif kind == "fetch_logs":
            m.fetch_logs.container_name = name
            m.fetch_logs.lines = 5
        elif kind == "plan":
            m.plan.container_name = name
            m.plan.target_image = image
        elif kind == "journal_ack":
            m.journal_ack.ids.append("forged")
        elif kind == "detail":
            m.detail.container_name = name
        else:
            raise KeyError("no example of ServerMessage." + kind)
        return m

    def kinds(self):
        """All there are: one that comes new needs an example above."""
        oneof = pb.ServerMessage.DESCRIPTOR.oneofs_by_name["payload"]
        return [f.name for f in oneof.fields if f.name != "signed_command"]

    def body(self, m, **other):
        facts = dict(host_id=self.host, session_nonce=self.nonce,
                     request_id=m.request_id, message=m.SerializeToString())
        facts.update(other)
        return pb.CommandBody(**facts).SerializeToString()

    def genuine(self, m):
        body = self.body(m)
        out = signed(body, self.engine.sign(body), self.engine.der)
        self.captured.append((m.request_id, m.WhichOneof("payload"), out))
        return out

    def message(self, kind):
        return self.fill(kind, pb.ServerMessage(
            request_id=secrets.token_hex(8)))

    def falsehoods(self, kind):
        """(what, request id or None, bytes, answered with this or None)."""
        def one(what, make, answer=None):
            m = self.message(kind)
            out.append((what, m.request_id, make(m), answer))

        def by_engine(body):
            return signed(body, self.engine.sign(body), self.engine.der)

        def flipped(m):
            body = bytearray(self.body(m))
            signature = self.engine.sign(bytes(body))
            body[-1] ^= 1
            return signed(bytes(body), signature, self.engine.der)

        def cut(m, part):
            whole = by_engine(self.body(m))
            return whole[:len(whole) * part // 8]

        def nested(m):
            body = self.body(m, message=by_engine(self.body(m)))
            return by_engine(body)

        out = []
        one("plain", lambda m: m.SerializeToString(), "unsigned commands")
        for who, signer in self.others.items():
            one(who, lambda m, s=signer: signed(
                self.body(m), s.sign(self.body(m)), s.der))
        one("another key", lambda m: signed(
            self.body(m), self.stranger.sign(self.body(m)), self.engine.der))
        one("a bare digest", lambda m: signed(
            self.body(m), self.engine.sign(self.body(m), False),
            self.engine.der))
        one("no signature", lambda m: signed(
            self.body(m), b"", self.engine.der))
        one("no certificate", lambda m: signed(
            self.body(m), self.engine.sign(self.body(m)), b""))
        one("no body", lambda m: signed(
            b"", self.engine.sign(b""), self.engine.der))
        one("one bit", flipped)
        one("another host", lambda m: by_engine(
            self.body(m, host_id=secrets.token_hex(16))))
        one("another nonce", lambda m: by_engine(
            self.body(m, session_nonce=secrets.token_bytes(16))),
            "stale session")
        one("no nonce", lambda m: by_engine(
            self.body(m, session_nonce=b"")))
        one("two request ids", lambda m: by_engine(
            self.body(m, request_id=secrets.token_hex(8))))
        one("one inside of another", nested)
        for part in range(1, 8):
            one("%d/8 of it" % part, lambda m, p=part: cut(m, p))
        return out

    # --- what the agent makes of them -------------------------------------

    def fence(self):
        """Whatever was sent before has been dealt with afterwards."""
        m = self.message("fetch_logs")
        self.queue.put(self.genuine(m))
        self.captured.pop()
        deadline = time.time() + 20
        with self.changed:
            while m.request_id not in self.results:
                if not self.changed.wait(deadline - time.time()):
                    return ["the agent does not answer any more"]
        return []

    def forge(self):
        sent = []
        for kind in self.kinds():
            for what, rid, data, answer in self.falsehoods(kind):
                sent.append((kind, what, rid, answer))
                self.queue.put(data)
        faults = self.fence()
        for kind, what, rid, answer in sent:
            have = self.results.get(rid, [])
            if answer is None or kind not in ANSWERS:
                if have:
                    faults.append("%s, %s: answered %s" % (kind, what, have))
                continue
            if len(have) != 1 or have[0][0] != ANSWERS[kind] or \
                    have[0][1] not in ("", "failed") or \
                    answer not in have[0][2]:
                faults.append("%s, %s: %s" % (kind, what, have))
        peer.say("verdict", sent=len(sent), faults=faults)

    def replay(self):
        """Of another session: each is answered once more, and refused."""
        before = {rid: len(v) for rid, v in self.results.items()}
        for _, _, data in self.captured:
            self.queue.put(data)
        faults = self.fence()
        for rid, kind, _ in self.captured:
            more = self.results.get(rid, [])[before.get(rid, 0):]
            # The result of the first time may come once more.
            if [r[0] for r in more if "stale session" in r[2]] != [
                    ANSWERS[kind]]:
                faults.append("%s: %s" % (kind, more))
        peer.say("verdict", sent=len(self.captured), faults=faults)

    def again(self):
        rid, kind, data = self.captured[-1]
        before = len(self.results.get(rid, []))
        for _ in range(5):
            self.queue.put(data)
        faults = self.fence()
        if len(self.results.get(rid, [])) != before:
            faults.append("%s: answered again" % kind)
        peer.say("verdict", sent=5, faults=faults)

    def command(self, line):
        words = line.split()
        if not words or words[0] == "quit":
            return False
        deadline = time.time() + 10
        while self.queue is None and time.time() < deadline:
            time.sleep(0.05)
        if words[0] == "genuine":
            kind = {"update": "update_container", "pull": "pull_image",
                    "logs": "fetch_logs"}.get(words[1], "container_action")
            m = self.message(kind)
            if kind == "container_action":
                m.container_action.action = words[1]
            self.queue.put(self.genuine(m))
        elif words[0] == "end":
            self.queue.put((getattr(grpc.StatusCode, words[1]),
                            " ".join(words[2:])))
        elif words[0] in ("forge", "again", "replay"):
            getattr(self, words[0])()
        else:
            peer.say("error", why="unknown command " + words[0])
        return True


def main():
    p = server.options()
    p.add_argument("--container", required=True)
    p.add_argument("--image", required=True, help="to pull and update to")
    args = p.parse_args()
    global pb
    pb = server.pb = peer.messages()

    os.makedirs(args.dir, exist_ok=True)
    authority = server.Authority(args)
    ca = peer.read(authority.pem)
    token = secrets.token_hex(16) + peer.spki_hash(ca)[:32]
    credentials = grpc.ssl_server_credentials(
        [(peer.read(authority.leafkey), authority.leaf + ca)], ca, False)
    forger = Forger(args, authority, token)
    listener = grpc.server(futures.ThreadPoolExecutor(16))
    listener.add_generic_rpc_handlers(forger.handlers())
    if listener.add_secure_port(args.listen, credentials) == 0:
        peer.say("error", why="cannot listen on " + args.listen)
        return 1
    listener.start()
    peer.say("ready", token=token)
    for line in sys.stdin:
        if not forger.command(line):
            break
    listener.stop(0.2)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
