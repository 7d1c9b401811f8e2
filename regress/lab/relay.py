#!/usr/bin/python3
"""relay.py LISTEN CONNECT: bytes between two UNIX sockets, until killed."""

import os
import socket
import sys
import threading


def copy(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, path):
    try:
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(path)
    except OSError as error:
        print(error, flush=True)
        client.close()
        return
    t = threading.Thread(target=copy, args=(client, upstream), daemon=True)
    t.start()
    copy(upstream, client)
    client.close()
    upstream.close()


def main():
    listen, connect = sys.argv[1:3]
    if os.path.exists(listen):
        os.unlink(listen)
    s = socket.socket(socket.AF_UNIX)
    s.bind(listen)
    s.listen(16)
    while True:
        client, _ = s.accept()
        threading.Thread(target=serve, args=(client, connect),
                         daemon=True).start()


if __name__ == "__main__":
    main()
