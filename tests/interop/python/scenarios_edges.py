"""Sizes at their limits, and who signed what: the cases that SPEC.md had to be made clearer for."""

import os

import wire
from scenario import same_code, say, scenario
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


@scenario("a Hello without a version is malformed", (False,))
def no_version(world, bound):
    same_code(_hello(world, versions=[]), Code.malformed)


@scenario("the largest message is read, and its frame refused for what it is")
def largest(world, bound):
    a = world.newcomer(bound)
    seal = 0 if bound else 16
    a.session.send_frame(bytes(a.session.terms.frame_bytes_max - seal))
    same_code(a.session.closing_code(), Code.malformed)


@scenario("a Nack that another key signed is unauthenticated")
def foreign_nack(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a)
    b.session.grant(1)
    entry = b.session.take(1)[0]

    class Forger:
        key, seed = b.key, a.agent.seed
    b.session.nack(Forger, entry.sequence, envelope, Code.undecryptable)
    same_code(b.session.closing_code(), Code.unauthenticated)
