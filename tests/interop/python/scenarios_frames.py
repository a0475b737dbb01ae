"""Chapter FRM, and frames that the session's state forbids: each ends in Close(malformed)."""

import os
import struct

import wire
from crypto import sign
from scenario import closes, expect, same_code, scenario
from scenarios_session import answer
from transport import WebSocket
from wire import Code


def _bad_frames():
    """(what is wrong, bytes) of frames that no state allows."""
    ping = wire.frame("Ping", nonce=1)
    unknown = wire.table("Frame", body=wire.table("Ping", nonce=1))
    unknown.bodyType = 99
    none = wire.table("Frame", body=wire.table("Ping", nonce=1))
    none.bodyType = 0
    one = wire.table("EnvelopeBytes", bytes=b"x")
    contact = wire.table("SetContact", agent=bytes(32), contact=7)
    key = wire.table("SetContact", agent=bytes(31), contact=1)
    return [
        ("nothing", b""),
        ("noise", os.urandom(64)),
        ("a truncated frame", ping[:-6]),
        ("an offset out of bounds", struct.pack("<I", 1 << 20) + ping[4:]),
        ("another identifier", ping[:4] + b"SWEN" + ping[8:]),
        ("an unknown union tag", wire.finish(wire.FRAME, unknown)),
        ("a union without a tag", wire.finish(wire.FRAME, none)),
        ("a missing required field", wire.frame("Send")),
        ("an unknown enum value", wire.frame("Call", id=1, request=contact)),
        ("a key of 31 bytes", wire.frame("Call", id=1, request=key)),
        ("an empty Send", wire.frame("Send", bundles=[])),
        ("an empty Bundle", wire.frame("Send", bundles=[wire.table("Bundle", envelopes=[])])),
        ("17 envelopes", wire.frame("Send", bundles=[
            wire.table("Bundle", envelopes=[one] * 17)])),
        ("257 bundles", wire.frame("Send", bundles=[
            wire.table("Bundle", envelopes=[one])] * 257)),
        ("too many tables", _many_tables()),
        ("a second Hello", wire.frame("Hello", versions=[0], suite=1, key=bytes(32),
                                      nonce=bytes(32), ephemeral=bytes(32))),
        ("the broker's own frame", wire.frame("Reply", id=1, code=0)),
        ("an Ack of what was not delivered", wire.frame("Ack", sequence=1 << 40)),
    ]


def _many_tables():
    """A Publish with 5 000 key packages: over the 4 096 tables of FRM-002."""
    packages = [wire.table("KeyPackageBytes", bytes=b"x")] * 5000
    return wire.frame("Call", id=1, request=wire.table("Publish", key_packages=packages))


@scenario("malformed frames close the session")
def malformed(world, bound):
    failures = []
    for what, frame in _bad_frames():
        a = world.newcomer(bound)
        a.session.send_frame(frame)
        code = a.session.closing_code()
        if code != (Code.unsupported if "union" in what else Code.malformed):
            failures.append(f"{what}: {wire.code_name(code)}")
    expect(not failures, "; ".join(failures))


@scenario("a text message closes the session")
def text(world, bound):
    a = world.newcomer(bound)
    a.session.socket.send_text("no frame")
    expect(a.session.closing_code() in (Code.malformed, None), "another code")


@scenario("lowered credit closes the session")
def lowered_credit(world, bound):
    a = world.newcomer(bound)
    a.session.emit("Credit", entries=5, bytes=100)
    a.session.emit("Credit", entries=4, bytes=100)
    same_code(a.session.closing_code(), Code.malformed)


@scenario("a statement over 8 192 bytes is refused")
def long_statement(world, bound):
    a = world.newcomer(bound)
    long = bytes(a.agent.inception.statement) + bytes(8192)
    signed = wire.table("Signed", statement=long,
                        signature=sign(a.agent.seed, b"whatever"))
    closes(Code.malformed, lambda: a.session.call("Redeem", redemption=signed))


@scenario("a message of the largest size is read")
def largest(world, bound):
    """Of zeros: what it is refused for is its content."""
    a = world.newcomer(bound)
    a.session.send_frame(bytes(a.session.terms.frame_bytes_max - (0 if bound else 16)))
    same_code(a.session.closing_code(), Code.malformed)


@scenario("what may not come before Ready closes the connection", bindings=(False,))
def too_early(world, bound):
    hello = wire.frame("Hello", versions=[0], suite=1, key=world.host.key, nonce=os.urandom(32),
                       ephemeral=os.urandom(32))
    failures = []
    for what, frame in (("a Ping", wire.frame("Ping", nonce=1)),
                        ("a Call", wire.frame("Call", id=1, request=wire.table("ListContacts"))),
                        ("a Send", wire.frame("Send", bundles=[wire.table("Bundle", envelopes=[
                            wire.table("EnvelopeBytes", bytes=b"x")])])),
                        ("noise", os.urandom(99)),
                        ("a short key", wire.frame("Hello", versions=[0], suite=1, key=bytes(31),
                                                   nonce=bytes(32), ephemeral=bytes(32)))):
        socket = WebSocket(world.broker.uri)
        socket.send(frame)
        code = answer(socket)
        if code != Code.malformed:
            failures.append(f"{what}: {wire.code_name(code)}")
    socket = WebSocket(world.broker.uri)
    socket.send(hello)
    socket.receive()
    socket.send(hello)
    if answer(socket) != Code.malformed:
        failures.append("a second Hello")
    expect(not failures, "; ".join(failures))
