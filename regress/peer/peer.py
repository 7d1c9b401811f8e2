"""What the foreign agent and the foreign server share.

Nothing here is Sentinel's own code: messages are generated from
proto/sentinel.proto by grpc_tools, HTTP/2 and TLS are grpcio's, and keys and
certificates are made by openssl(1).
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading

import grpc

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ENROLL = "/sentinel.cluster.EnrollmentService/Enroll"
REPORT = "/sentinel.cluster.AgentService/ReportState"
CHANNEL = "/sentinel.cluster.AgentService/Channel"
_lock = threading.Lock()


def messages():
    """Generate and import the messages; returns the module."""
    out = tempfile.mkdtemp(prefix="pb.", dir=os.environ.get("T", "/tmp"))
    try:
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc",
             "-I" + TOP + "/proto", "-I/usr/include",
             "--python_out=" + out, TOP + "/proto/sentinel.proto"],
            check=True)
        sys.path.insert(0, out)
        import sentinel_pb2
    finally:
        subprocess.run(["rm", "-rf", out], check=False)
    return sentinel_pb2


def say(event, **facts):
    """One line of JSON on stdout: what happened."""
    with _lock:
        print(json.dumps(dict(event=event, **facts)), flush=True)


def openssl(*args, data=None):
    """Run openssl and return its output."""
    return subprocess.run(("openssl",) + args, input=data, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)


def make_key(path):
    write(path, openssl("ecparam", "-name", "prime256v1", "-genkey",
                        "-noout"))


def make_csr(key, name):
    """PKCS#10 in DER."""
    return openssl("req", "-new", "-key", key, "-subj", "/CN=" + name,
                   "-outform", "DER")


def spki_hash(pem):
    """SHA-256 of a certificate's public key, as a token carries it."""
    pub = openssl("x509", "-noout", "-pubkey", data=pem)
    der = openssl("pkey", "-pubin", "-outform", "DER", data=pub)
    return hashlib.sha256(der).hexdigest()


def varint(n):
    out = b""
    while n > 0x7f:
        out += bytes((n & 0x7f | 0x80,))
        n >>= 7
    return out + bytes((n,))


def field(number, data):
    """A length-delimited field in wire format, unchecked."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def raw(message):
    """Serializer that also lets bytes through as they are."""
    return message if isinstance(message, bytes) \
        else message.SerializeToString()


def status(error):
    """"NAME: details" of a failed call."""
    return "%s: %s" % (error.code().name, error.details())


def serial(pem):
    """Of a certificate, as the server writes it."""
    line = openssl("x509", "-noout", "-serial", data=pem).decode().strip()
    return line.split("=")[1].lower().lstrip("0")


def channel(address, ca, directory=None, name=None, pair=None):
    """A TLS channel; with a directory or a pair (key, certificate) it has a
    client certificate."""
    key, cert = pair or (None, None)
    if directory is not None:
        key = read(directory + "/agent-key.pem")
        cert = read(directory + "/agent.pem")
    options = [("grpc.max_receive_message_length", -1),
               ("grpc.max_send_message_length", -1),
               # Each channel a connection of its own.
               ("grpc.use_local_subchannel_pool", 1)]
    if name is not None:
        options.append(("grpc.ssl_target_name_override", name))
    return grpc.secure_channel(
        address, grpc.ssl_channel_credentials(read(ca), key, cert), options)
