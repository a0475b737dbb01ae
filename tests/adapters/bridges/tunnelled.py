"""A bridge with one tunnel that also tries every other way out. It tells what came of each."""
import errno
import json
import socket
import sys


def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def reach(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(2)
        tcp.connect((host, port))


def through(address):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as tcp:
        tcp.sendall(b"ping")
        return tcp.recv(100).decode()


print(json.dumps({"op": "hello", "contract": 1, "name": "tunnelled"}), flush=True)
for line in sys.stdin:
    told = json.loads(line)
    if told["event"] == "start":
        found = {
            "door": through(told["options"]["door"]),
            "outside": attempt(lambda: reach("127.0.0.1", int(told["options"]["outside"]))),
            "far": attempt(lambda: reach("192.0.2.1", 80)),
            "unix": attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
            "udp": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
            "raw": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
            "six": attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM)),
            "netlink": attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)),
        }
        print(json.dumps({"op": "receive", "id": "1", "chat": "c", "user": "u", "json": found}), flush=True)
