"""A bridge gone bad: tries what a bridge may not do, and tells what became of each attempt. With a
number, it makes that system call alone, which is to end it; with `crash`, it crashes; with `log`,
it writes to the log."""
import ctypes
import errno
import json
import os
import platform
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)


def say(**message):
    print(json.dumps(message), flush=True)


def attempt(name, action):
    try:
        result = action()
        outcome = "ALLOWED" if result is None or result >= 0 else errno.errorcode[ctypes.get_errno()]
    except OSError as error:
        outcome = errno.errorcode.get(error.errno, str(error))
    say(op="receive", id=name, chat="c", user="u", text=outcome)


def syscall(number, *arguments):
    return lambda: libc.syscall(number, *arguments)


def reading(path):
    return lambda: len(open(path, "rb").read(1)) and None


def forking():
    child = os.fork()
    if child == 0:
        os._exit(0)
    return child


def connecting(family, address):
    def action():
        with socket.socket(family) as one:
            one.connect(address)
    return action


if sys.argv[1:] == ["log"]:
    sys.stderr.buffer.write(b"\x1b[2J\x1b]0;title\x07\na\rbridge: all is well\n\xe2\x80\xaeevil\n\xff\x00\n")
    sys.exit()
if sys.argv[1:] == ["crash"]:
    ctypes.string_at(0)
if len(sys.argv) > 1:
    libc.syscall(int(sys.argv[1]), 0, 0, 0, 0, 0, 0)
    say(op="receive", id="after", chat="c", user="u", text="ALLOWED")
    sys.exit()

X86 = platform.machine() == "x86_64"
parent = os.getppid()
say(op="hello", contract=1, name="hostile")
for name, action in {
    "read passwd": reading("/etc/passwd"),
    "read host's environment": reading(f"/proc/{parent}/environ"),
    "read host's memory": reading(f"/proc/{parent}/mem"),
    "read own environment": reading("/proc/self/environ"),
    "list root": lambda: len(os.listdir("/")) and None,
    "write file": lambda: os.open("/tmp/sealwire-hostile", os.O_CREAT | os.O_WRONLY) and None,
    "write beside itself": lambda: os.open(__file__, os.O_WRONLY) and None,
    "remove": lambda: os.unlink("/tmp/sealwire-hostile-none"),
    "connect": connecting(socket.AF_INET, ("127.0.0.1", 22)),
    "connect locally": connecting(socket.AF_UNIX, "/run/x"),
    "fork": forking,
    "execve": lambda: os.execv("/bin/sh", ["sh", "-c", "exit"]),
    "execve itself": lambda: os.execv(sys.executable, ["python3"]),
    "kill host": lambda: os.kill(parent, 0),
    "io_uring_setup": syscall(425, 8, ctypes.create_string_buffer(256)),
    "unshare": syscall(272 if X86 else 97, 0x10000000),
    "setuid": lambda: os.setuid(1),
}.items():
    attempt(name, action)
say(op="delivered", delivery="end")
sys.stdin.read()
