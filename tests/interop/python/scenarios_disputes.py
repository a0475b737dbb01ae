"""Where the broker differed from SPEC.md when last looked at. What passes moves to its chapter."""

import os

import wire
from handshake import shake_hands
from scenario import equal, expect, same_code, say, scenario
from scenarios_session import answer
from transport import WebSocket
from wire import Code


def _hello(world, **fields):
    given = dict(versions=[0], suite=1, key=world.host.key, nonce=os.urandom(32),
                 ephemeral=os.urandom(32))
    given.update(fields)
    socket = WebSocket(world.broker.uri)
    socket.send(wire.frame("Hello", **given))
    return answer(socket)


@scenario("a Hello without a version is unsupported", (False,), "SES-004: malformed")
def no_version(world, bound):
    same_code(_hello(world, versions=[]), Code.unsupported)


@scenario("a Hello over 16 384 bytes is too_large", (False,), "FRM-009: WebSocket 1009, no Close")
def long_hello(world, bound):
    same_code(_hello(world, versions=[0] * 8192), Code.too_large)


@scenario("the largest frame is as large when it is sealed", (False,),
          "FRM-001: the 16 bytes of the seal count against the frame")
def largest_sealed(world, bound):
    a = world.newcomer(bound)
    a.session.send_frame(bytes(a.session.terms.frame_bytes_max))
    same_code(a.session.closing_code(), Code.malformed)


@scenario("a frame over the limit is too_large", dispute="FRM-009: closed without a Close")
def too_large(world, bound):
    a = world.newcomer(bound)
    a.session.send_frame(bytes(a.session.terms.frame_bytes_max + 1))
    same_code(a.session.closing_code(), Code.too_large)


@scenario("nobody answers a Close", dispute="SES: a Close comes back")
def unanswered(world, bound):
    a = world.newcomer(bound)
    a.session.emit("Close", code=Code.closing)
    equal(a.session.closing_code(), None, "answer")


@scenario("a client may Close before its Proof", dispute="DLV: Close(malformed) comes back")
def early_close(world, bound):
    socket, _ = shake_hands(world.broker, world.newcomer(bound).agent, bound)
    socket.send(wire.frame("Close", code=Code.unauthenticated))
    equal(answer(socket), None, "answer")


@scenario("a message that does not open is followed by no Close", (False,),
          "SES-022: a sealed Close(unauthenticated) comes")
def unopened(world, bound):
    a = world.newcomer(bound)
    a.session.socket.send(os.urandom(99))
    equal(a.session.closing_code(), None, "answer")


@scenario("an entry that was refused out of turn does not come again",
          dispute="DLV-028: it comes again after a reconnect")
def early_nack(world, bound):
    a, b = world.conversation(bound)
    envelopes = [say(a)[0] for _ in range(2)]
    b.session.grant(2)
    first, second = b.session.take(2)
    b.session.nack(b.agent, second.sequence, envelopes[1], Code.undecryptable)
    equal(a.next_entry().item.table, "Refused", "A is told")
    b.reconnect()
    b.session.grant(2)
    equal(b.session.take(1)[0].sequence, first.sequence, "the one before")
    expect(b.session.nothing_comes(), "the refused one came again")


@scenario("a tombstone costs what it is long", dispute="DLV-031: it needs its envelope's credit")
def tombstone_cost(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a, bytes(1000))
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.blocked)
    b.reconnect()
    b.session.grant(1, size=len(envelope.header_bytes) + 32 + 64)
    expect(not b.session.nothing_comes(), "it did not come")


@scenario("a Nack that another key signed is malformed", dispute="DLV-032: unauthenticated")
def foreign_nack(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a)
    b.session.grant(1)
    entry = b.session.take(1)[0]

    class Forger:
        key, seed = b.key, a.agent.seed
    b.session.nack(Forger, entry.sequence, envelope, Code.undecryptable)
    same_code(b.session.closing_code(), Code.malformed)
