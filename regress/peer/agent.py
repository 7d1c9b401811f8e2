#!/usr/bin/python3
"""A foreign agent: behaves like the one in Go, or badly if asked.

enroll	token and CSR in, the four identity files in --dir
race	for every token two enrolments at the same time
run	ReportState, Channel, heartbeats; answers commands; keeps a new
	certificate as the agent in Go does, or asks for one (--renew)
renewals  renews over a new key again and again, whatever becomes of the server
call	one unary call with raw bytes
"""

import argparse
import hashlib
import json
import queue
import secrets
import sys
import threading
import time

import grpc

import peer

pb = None


def enroll(args):
    key = args.dir + "/agent-key.pem"
    if not args.keep_key:
        peer.make_key(key)
    csr = peer.make_csr(key, args.name or "foreign")
    if args.csr == "garbage":
        csr = b"\x30\x03\x02\x01\x00"
    elif args.csr == "broken-signature":
        csr = csr[:-1] + bytes((csr[-1] ^ 1,))
    elif args.csr == "empty":
        csr = b""
    elif args.csr == "trailing":
        csr += b"\x00"
    elif args.csr == "huge":
        csr = b"\x30" * 20000
    request = pb.EnrollRequest(token=args.token, host_name=args.name, csr=csr)
    data = request.SerializeToString()
    if args.misbehave == "bad-utf8":
        data = peer.field(1, args.token.encode()) + \
            peer.field(2, b"\xff\xfe") + peer.field(3, csr)
    elif args.misbehave == "nul":
        data = peer.field(1, args.token.encode()) + \
            peer.field(2, b"a\x00b") + peer.field(3, csr)
    elif args.misbehave == "unknown-field":
        data += peer.field(999, b"from the future")
    with peer.channel(args.server, args.ca) as ch:
        call = ch.unary_unary(peer.ENROLL, peer.raw,
                              pb.EnrollResponse.FromString)
        try:
            answer = call(data, timeout=15)
        except grpc.RpcError as error:
            peer.say("refused", status=peer.status(error))
            return 1
    peer.write(args.dir + "/ca.pem", answer.ca_cert)
    peer.write(args.dir + "/agent.pem", answer.agent_cert)
    peer.write(args.dir + "/host-id", answer.host_id.encode())
    # What is kept must be usable: chain and key.
    peer.openssl("verify", "-CAfile", args.dir + "/ca.pem", "-purpose",
                 "sslclient", args.dir + "/agent.pem")
    subject = peer.openssl("x509", "-noout", "-subject", "-nameopt",
                           "multiline", "-in", args.dir + "/agent.pem")
    if answer.host_id.encode() not in subject:
        peer.say("bad", why="the certificate's name is not the host id")
        return 1
    if peer.openssl("x509", "-noout", "-pubkey", "-in",
                    args.dir + "/agent.pem") != \
            peer.openssl("pkey", "-pubout", "-in", key):
        peer.say("bad", why="the certificate is for another key")
        return 1
    peer.say("enrolled", host_id=answer.host_id)
    return 0


def race(args):
    """Exactly one of two must win, the other must be told so."""
    tokens = open(args.tokens).read().split()
    csrs = []
    for i in range(2):
        key = "%s/race%d.pem" % (args.dir, i)
        peer.make_key(key)
        csrs.append(peer.make_csr(key, "race"))
    channels = [peer.channel(args.server, args.ca) for _ in csrs]
    calls = [ch.unary_unary(peer.ENROLL, peer.raw,
                            pb.EnrollResponse.FromString)
             for ch in channels]
    for ch in channels:
        grpc.channel_ready_future(ch).result(timeout=10)
    bad = 0
    for round_, token in enumerate(tokens):
        start = threading.Barrier(2)
        results = [None, None]

        def go(i):
            request = pb.EnrollRequest(token=token, csr=csrs[i],
                                       host_name="race-%d" % round_)
            start.wait()
            try:
                results[i] = calls[i](request, timeout=15).host_id
            except grpc.RpcError as error:
                results[i] = peer.status(error)
        threads = [threading.Thread(target=go, args=(i,)) for i in (0, 1)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        lost = "PERMISSION_DENIED: token already used"
        won = [r for r in results if r != lost]
        if len(won) != 1 or len(won[0]) != 32:
            bad += 1
            peer.say("bad", round=round_, results=results)
    for ch in channels:
        ch.close()
    peer.say("race", rounds=len(tokens), bad=bad)
    return 1 if bad or not tokens else 0


class Session:
    """One session as the Go agent has it."""

    def __init__(self, args):
        self.args = args
        self.host_id = peer.read(args.dir + "/host-id").decode().strip()
        self.out = queue.Queue()
        self.names = args.container or []
        self.began = time.monotonic()

    def state(self, i):
        """The first one ends after --lose seconds; nobody says so."""
        lost = self.args.lose and i == 0 and \
            time.monotonic() - self.began > self.args.lose
        return "exited" if lost else "running"

    def containers(self):
        return [pb.ContainerInfo(
            id="%064x" % (i + 1), name=name, image="example/%s:1" % name,
            image_digest="example/%s@sha256:%064x" % (name, i + 1),
            state=self.state(i), labels={"sentinel.policy": "manual"},
            ports=[pb.PortMapping(host_ip="0.0.0.0", host_port=8080,
                                  container_port=80, protocol="tcp")])
            for i, name in enumerate(self.names)]

    def heartbeat(self):
        words = ["update", "hooks", "pull", "list", "logs"]
        beat = pb.Heartbeat(agent_version="v2.15.3 (foreign)",
                            supported_features=words + self.args.feature,
                            host_id=self.host_id)
        beat.timestamp.GetCurrentTime()
        if self.args.misbehave == "wrong-hash":
            beat.list_hash = secrets.token_bytes(32)
        elif "container-delta" in words + self.args.feature:
            beat.list_hash = self.list_hash()
        return pb.AgentMessage(heartbeat=beat)

    def list_hash(self):
        """As sentinel-protocol(7) has it."""
        total = 0
        for c in self.containers():
            text = "".join(s + "\0" for s in (
                c.id, c.name, c.image, c.image_digest, c.state, c.health))
            total ^= int.from_bytes(
                hashlib.sha256(text.encode()).digest(), "big")
        return total.to_bytes(32, "big")

    def outgoing(self):
        """What goes up: heartbeats, and whatever is queued."""
        bad = self.args.misbehave
        for path in self.args.journal or ():
            yield self.journal(path)
        if bad == "bad-utf8":
            yield peer.field(1, peer.field(2, b"\xff\xfe"))
        elif bad == "nul":
            yield peer.field(1, peer.field(2, b"v\x00x"))
        elif bad == "oversize":
            yield peer.field(9, peer.field(3, b"x" * (5 << 20)))
        elif bad == "garbage":
            yield b"\x07\x07\x07\x07"
        elif bad == "unknown-field":
            yield peer.field(999, b"from the future")
        elif bad == "empty":
            yield b""
        elif bad == "late":
            yield pb.AgentMessage(update_result=pb.UpdateResult(
                request_id="00" * 8, container_name="none",
                outcome="success"))
        elif bad == "bomb":
            # 200,000 empty containers: small on the wire, large in memory.
            yield peer.field(2, b"\x12\x00" * 200000)
        while True:
            try:
                message = self.out.get(timeout=self.args.heartbeat)
            except queue.Empty:
                message = self.heartbeat()
            if message is None:
                return
            yield message

    @staticmethod
    def journal(path):
        """An offline_journal.json as the Go agent replays it."""
        entries = []
        with open(path, encoding="utf-8") as f:
            found = json.load(f)
        for e in found:
            entry = pb.JournalEntry(**{
                key: e.get(key, "") for key in (
                    "id", "action", "container", "old_image", "new_image",
                    "old_digest", "new_digest", "outcome", "error")})
            entry.timestamp.FromJsonString(e["timestamp"])
            entry.duration.FromNanoseconds(e.get("duration", 0))
            entries.append(entry)
        peer.say("replay", entries=len(entries))
        return pb.AgentMessage(offline_journal=pb.OfflineJournal(
            entries=entries))

    def answer(self, m):
        """Answers to a command, in the order of the Go agent."""
        kind = m.WhichOneof("payload")
        if kind == "policy_sync":
            s = m.policy_sync
            peer.say("policies", policies=dict(s.policies),
                     default=s.default_policy, revision=s.revision)
            return
        if kind == "settings_sync":
            s = m.settings_sync
            peer.say("settings", poll=s.poll_interval.ToMilliseconds(),
                     grace=s.grace_period.ToMilliseconds(),
                     hooks=s.hooks_enabled, cleanup=s.image_cleanup,
                     latest=s.latest_auto_update, deps=s.dependency_aware,
                     rollback=s.rollback_policy, revision=s.revision)
            return
        peer.say("command", kind=kind, request_id=m.request_id,
                 name=getattr(getattr(m, kind), "container_name", "")
                 if kind else "")
        if self.args.misbehave == "silent":
            return
        fresh = pb.AgentMessage(container_list=pb.ContainerList(
            containers=self.containers()))
        if kind == "list_containers":
            fresh.container_list.request_id = m.request_id
            self.out.put(fresh)
        elif kind == "container_action":
            a = m.container_action
            known = a.container_name in self.names
            self.out.put(pb.AgentMessage(
                container_action_result=pb.ContainerActionResult(
                    request_id=m.request_id, container_name=a.container_name,
                    action=a.action,
                    outcome="success" if known else "failed",
                    error="" if known else 'container "%s" not found' %
                    a.container_name)))
            self.out.put(fresh)
        elif kind == "update_container":
            u = m.update_container
            self.out.put(fresh)
            known = u.container_name in self.names
            result = pb.UpdateResult(
                request_id=m.request_id, container_name=u.container_name,
                old_image="example/%s:1" % u.container_name,
                new_image=u.target_image,
                outcome="success" if known else "failed",
                error="" if known else 'container "%s" not found' %
                u.container_name)
            result.duration.FromMilliseconds(1500)
            self.out.put(pb.AgentMessage(update_result=result))
        elif kind == "rollback":
            # As the protocol has it: no images, no digests, no duration.
            name = m.rollback.container_name
            known = name in self.names
            self.out.put(fresh)
            self.out.put(pb.AgentMessage(rollback_result=pb.RollbackResult(
                request_id=m.request_id, container_name=name,
                outcome="success" if known else "failed",
                error="" if known else 'container "%s" not found' % name)))
        elif kind == "run_hook":
            self.hook(m)
        elif kind == "cert_renewal_response":
            self.renewed(m.cert_renewal_response.agent_cert)
        elif kind == "fetch_logs":
            f = m.fetch_logs
            self.out.put(pb.AgentMessage(fetch_logs_result=pb.FetchLogsResult(
                request_id=m.request_id, container_name=f.container_name,
                logs="a line of %s\n" % f.container_name, lines=f.lines)))
        elif kind == "cert_renewal_response" and \
                m.cert_renewal_response.agent_cert:
            # Over the key that it has; used from the next connection on.
            peer.write(self.args.dir + "/agent.pem",
                       m.cert_renewal_response.agent_cert)
            peer.say("renewed")

    def hook(self, m):
        """Cut at blanks, no shell; "/exit N" ends with that code."""
        h = m.run_hook
        words = h.command.split()
        peer.say("hook", phase=h.phase, words=words,
                 timeout=h.timeout_seconds)
        result = pb.HookResult(request_id=m.request_id,
                               container_name=h.container_name, phase=h.phase)
        if not words:
            result.exit_code, result.error = -1, "empty command"
        elif h.container_name not in self.names:
            result.exit_code = -1
            result.error = 'container "%s" not found' % h.container_name
        else:
            result.output = "ran %s\n" % words[0]
            if words[0] == "/exit":
                result.exit_code = int(words[1])
        self.out.put(pb.AgentMessage(hook_result=result))

    def ask_renewal(self):
        """CertRenewalCSR over a new key, which is kept beside the old one."""
        key = self.args.dir + "/agent-key.pem.new"
        peer.make_key(key)
        csr = peer.make_csr(key, "anything")
        if self.args.csr == "broken-signature":
            csr = csr[:-1] + bytes((csr[-1] ^ 1,))
        self.out.put(pb.AgentMessage(
            cert_renewal=pb.CertRenewalCSR(csr=csr)))

    def renewed(self, pem):
        """The agent in Go writes what comes beside the key it has."""
        d = self.args.dir
        if self.args.renew:
            peer.write(d + "/agent-key.pem",
                       peer.read(d + "/agent-key.pem.new"))
        peer.write(d + "/agent.pem", pem)
        fits = peer.openssl("x509", "-noout", "-pubkey", data=pem) == \
            peer.openssl("pkey", "-pubout", "-in", d + "/agent-key.pem")
        peer.say("renewed", serial=peer.serial(pem), fits=fits)

    def run(self):
        if self.args.renew:
            self.ask_renewal()
        report = pb.StateReport(host_id=self.host_id,
                                containers=self.containers(),
                                agent_version="v2.15.3 (foreign)",
                                supported_features=self.args.feature,
                                engine_id=self.args.engine_id)
        report.timestamp.GetCurrentTime()
        with peer.channel(self.args.server, self.args.ca,
                          self.args.dir) as ch:
            try:
                ack = ch.unary_unary(
                    peer.REPORT, peer.raw, pb.StateAck.FromString)(
                        report, timeout=15)
            except grpc.RpcError as error:
                peer.say("refused", status=peer.status(error))
                return 1
            peer.say("session", accepted=ack.accepted, message=ack.message)
            stream = ch.stream_stream(
                peer.CHANNEL, peer.raw, pb.ServerMessage.FromString)(
                    self.outgoing())
            timer = threading.Timer(self.args.seconds, stream.cancel)
            timer.start()
            try:
                for message in stream:
                    self.answer(message)
                peer.say("end", status="OK: ")
            except grpc.RpcError as error:
                peer.say("end", status=peer.status(error))
            finally:
                timer.cancel()
                self.out.put(None)
        return 0


def run(args):
    return Session(args).run()


class Renewals:
    """One host, whose certificates are (key, certificate), youngest first."""

    def __init__(self, args):
        self.args = args
        self.pairs = [(peer.read(args.dir + "/agent-key.pem"),
                       peer.read(args.dir + "/agent.pem"))]
        self.in_ = self.asked = self.renewed = 0

    def session(self, pair):
        """In with it, and out with a younger one; how it ended."""
        key = self.args.dir + "/next-key.pem"
        peer.make_key(key)
        out = queue.Queue()
        out.put(pb.AgentMessage(heartbeat=pb.Heartbeat(
            supported_features=["progress"])))
        out.put(pb.AgentMessage(cert_renewal=pb.CertRenewalCSR(
            csr=peer.make_csr(key, "x"))))
        with peer.channel(self.args.server, self.args.ca, pair=pair) as ch:
            ack = ch.unary_unary(peer.REPORT, peer.raw,
                                 pb.StateAck.FromString)(
                pb.StateReport(supported_features=["progress"]), timeout=5)
            assert ack.accepted
            self.in_ += 1
            if pair is not self.pairs[-1]:
                # It was used, so the one before it counts no more.
                del self.pairs[1:]
            stream = ch.stream_stream(
                peer.CHANNEL, peer.raw, pb.ServerMessage.FromString)(
                    iter(out.get, None), timeout=1)
            self.asked += 1
            for m in stream:
                if m.WhichOneof("payload") == "cert_renewal_response":
                    self.renewed += 1
                    self.pairs.insert(0, (
                        peer.read(key), m.cert_renewal_response.agent_cert))
                    stream.cancel()
                    break
            out.put(None)

    def run(self):
        end = time.monotonic() + self.args.seconds
        refused = 0
        while time.monotonic() < end:
            # Youngest first; one that is refused makes room for the other.
            pair = self.pairs[min(refused, len(self.pairs) - 1)]
            try:
                self.session(pair)
                refused = 0
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.PERMISSION_DENIED:
                    refused += 1
                    if refused >= len(self.pairs):
                        peer.say("locked-out", status=peer.status(error),
                                 serials=[peer.serial(p[1])
                                          for p in self.pairs])
                        return 1
                elif error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                    time.sleep(0.05)
        peer.say("done", sessions=self.in_, asked=self.asked,
                 renewed=self.renewed,
                 serials=[peer.serial(p[1]) for p in self.pairs])
        return 0


def renewals(args):
    return Renewals(args).run()


def call(args):
    data = bytes.fromhex(args.data) if args.size is None \
        else peer.field(1, b"x" * args.size)
    directory = args.dir if args.cert else None
    with peer.channel(args.server, args.ca, directory) as ch:
        try:
            answer = ch.unary_unary(args.method, peer.raw, bytes)(
                data, timeout=15)
        except grpc.RpcError as error:
            peer.say("refused", status=peer.status(error))
            return 1
    peer.say("answer", data=answer.hex())
    return 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=("enroll", "race", "run", "renewals",
                                     "call"))
    p.add_argument("--server", default="127.0.0.1:9443")
    p.add_argument("--ca", required=True, help="CA of the server, PEM")
    p.add_argument("--dir", default=".")
    p.add_argument("--token", default="")
    p.add_argument("--tokens", help="race: file with one token a line")
    p.add_argument("--name", default="")
    p.add_argument("--csr", default="good")
    p.add_argument("--keep-key", action="store_true",
                   help="enroll: with the key that is in --dir")
    p.add_argument("--misbehave", default="")
    p.add_argument("--feature", action="append", default=[],
                   help="run: one more word of supported_features")
    p.add_argument("--renew", action="store_true",
                   help="run: send a CertRenewalCSR over a new key")
    p.add_argument("--container", action="append")
    p.add_argument("--lose", type=float, default=0,
                   help="run: the delta of the first container's end")
    p.add_argument("--journal", action="append",
                   help="offline_journal.json to begin with")
    p.add_argument("--engine-id", default="FOREIGN:" + secrets.token_hex(8))
    p.add_argument("--heartbeat", type=float, default=1)
    p.add_argument("--seconds", type=float, default=60,
                   help="run: end the session after this time")
    p.add_argument("--method")
    p.add_argument("--data", default="", help="call: hex")
    p.add_argument("--size", type=int)
    p.add_argument("--cert", action="store_true")
    args = p.parse_args()
    global pb
    pb = peer.messages()
    return globals()[args.what](args)


if __name__ == "__main__":
    sys.exit(main())
