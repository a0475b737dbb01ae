"""Chapter SES: handshake, bindings, sealed frames, resumption of nothing but the truth."""

import os

import wire
from OpenSSL import SSL
from client import Session, connect
from crypto import BadSignature, now_ms
from handshake import Handshake, SessionClosed, raise_close, shake_hands
from scenario import equal, expect, same_code, scenario
from transport import Closed, Refused, WebSocket
from wire import Binding, Code


def answer(socket):
    """The code of the Close that comes on a connection that is not Ready."""
    try:
        while True:
            raise_close(socket.receive())
    except SessionClosed as closed:
        return closed.code
    except Closed:
        return None


def closes_unread(person):
    """SES-022."""
    expect(person.session.closing_code() in (None, Code.unauthenticated), "another code")


@scenario("handshake, Ready, Ping")
def handshake(world, bound):
    a = world.newcomer(bound)
    ready, terms = a.session.ready, a.session.terms
    equal((len(ready.session), len(ready.incarnation)), (16, 16), "sizes in Ready")
    expect(abs(ready.now_ms - now_ms()) < 60_000, "the broker's clock")
    equal(terms.frame_bytes_max, 4_194_304, "frame_bytes_max")
    equal(terms.envelope_bytes_max, 1_053_696, "envelope_bytes_max")
    expect(terms.idle_ms > 0, "idle_ms")
    equal(a.session.socket.subprotocol, "sealwire.0", "subprotocol")
    a.session.emit("Ping", nonce=7)
    a.session.pump()
    equal(a.session.pongs, [7], "pong")
    a.close()


@scenario("a broker with another key than the pinned one is refused")
def other_broker(world, bound):
    class Impostor:
        uri, key = world.broker.uri, os.urandom(32)
    try:
        connect(Impostor, world.host.agent, bound)
    except BadSignature:
        return
    raise AssertionError("took it")


@scenario("the exporter of TLS 1.2 binds too", bindings=(True,))
def older_tls(world, bound):
    agent = world.newcomer(bound).agent
    socket = WebSocket(world.broker.uri, tls_version=SSL.TLS1_2_VERSION)
    handshake = Handshake(agent, world.broker.key, Binding.tls_exporter, socket.exporter())
    socket.send(handshake.hello)
    handshake.challenge(socket.receive())
    proof = handshake.proof()
    socket.send(proof)
    expect(Session(socket, handshake, handshake.sealers(proof)).nothing_comes(), "an entry")


@scenario("a replayed Proof is refused")
def replayed_proof(world, bound):
    agent = world.newcomer(bound).agent
    socket, handshake = shake_hands(world.broker, agent, bound)
    proof = handshake.proof()
    socket.send(proof)
    Session(socket, handshake, handshake.sealers(proof)).close()

    socket = WebSocket(world.broker.uri)
    socket.send(handshake.hello)  # the same Hello too: only the broker's half is fresh
    socket.receive()
    socket.send(proof)
    same_code(answer(socket), Code.unauthenticated)


@scenario("a Proof by another key than Hello's is refused")
def proof_of_another(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    socket, handshake = shake_hands(world.broker, a.agent, bound)
    handshake.agent = b.agent
    socket.send(handshake.proof())
    same_code(answer(socket), Code.unauthenticated)


@scenario("an inception of another key is refused")
def inception_of_another(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    socket, handshake = shake_hands(world.broker, a.agent, bound)
    a.agent.inception = b.agent.inception
    socket.send(handshake.proof())
    same_code(answer(socket), Code.unauthenticated)


@scenario("a Challenge or Proof over another channel's exporter is refused", bindings=(True,))
def relayed(world, bound):
    """Who terminates TLS in between cannot make both ends see one exporter value."""
    agent = world.newcomer(bound).agent
    socket, elsewhere = WebSocket(world.broker.uri), WebSocket(world.broker.uri).exporter()
    handshake = Handshake(agent, world.broker.key, Binding.tls_exporter, elsewhere)
    socket.send(handshake.hello)
    challenge = socket.receive()
    try:
        handshake.challenge(challenge)
    except BadSignature:
        pass
    else:
        raise AssertionError("took another channel's Challenge")
    handshake.binding_value = socket.exporter()
    handshake.challenge(challenge)
    handshake.transcript = handshake.transcript_over(challenge, elsewhere)
    socket.send(handshake.proof())
    same_code(answer(socket), Code.unauthenticated)


@scenario("a binding that the transport does not have is refused", bindings=(False,))
def wrong_binding(world, bound):
    hello = dict(versions=[0], suite=1, key=world.host.key, nonce=os.urandom(32),
                 ephemeral=os.urandom(32))
    socket = WebSocket(world.broker.uri)
    socket.send(wire.frame("Hello", binding=Binding.curve, **hello))
    same_code(answer(socket), Code.unauthenticated)


@scenario("no common version or suite is refused", bindings=(False,))
def nothing_in_common(world, bound):
    for versions, suite in (([1], 1), ([0], 2)):
        socket = WebSocket(world.broker.uri)
        socket.send(wire.frame("Hello", versions=versions, suite=suite, key=world.host.key,
                               nonce=os.urandom(32), ephemeral=os.urandom(32)))
        same_code(answer(socket), Code.unsupported, f"versions {versions}, suite {suite}")


@scenario("a small-order ephemeral key is refused", bindings=(False,))
def small_order(world, bound):
    agent = world.newcomer(bound).agent
    socket = WebSocket(world.broker.uri)
    handshake = Handshake(agent, world.broker.key, Binding.none, b"")
    handshake.hello = wire.frame("Hello", versions=[0], suite=1, key=agent.key,
                                 nonce=os.urandom(32), ephemeral=bytes(32))
    socket.send(handshake.hello)
    handshake.challenge(socket.receive())
    socket.send(handshake.proof())
    code = answer(socket)
    same_code(code, Code.unauthenticated)


@scenario("a changed sealed frame closes the session", bindings=(False,))
def changed_frame(world, bound):
    a = world.newcomer(bound)
    sealed = bytearray(a.session.outgoing.seal(wire.frame("Ping", nonce=1)))
    sealed[9] ^= 1
    a.session.socket.send(bytes(sealed))
    closes_unread(a)


@scenario("a replayed sealed frame closes the session", bindings=(False,))
def replayed_frame(world, bound):
    a = world.newcomer(bound)
    sealed = a.session.outgoing.seal(wire.frame("Ping", nonce=1))
    a.session.socket.send(sealed)
    a.session.socket.send(sealed)
    closes_unread(a)


@scenario("a frame in clear on a sealed session closes it", bindings=(False,))
def clear_frame(world, bound):
    a = world.newcomer(bound)
    a.session.socket.send(wire.frame("Ping", nonce=1))
    closes_unread(a)


@scenario("a newer session replaces the older one")
def replaced(world, bound):
    a = world.newcomer(bound)
    older = a.session
    a.reconnect()
    same_code(older.closing_code(), Code.replaced)
    expect(a.session.nothing_comes(), "the newer one lives")


@scenario("the broker closes a connection without a Proof in time", bindings=(False,))
def too_slow(world, bound):
    socket = WebSocket(world.broker.uri)
    started = now_ms()
    code = answer(socket)
    expect(code in (Code.timeout, None), wire.code_name(code))
    expect(4_000 < now_ms() - started < 15_000, f"after {now_ms() - started} ms")


@scenario("a foreign Origin gets 403; no subprotocol, no session", bindings=(False,))
def upgrade(world, bound):
    try:
        WebSocket(world.broker.uri, origin="https://evil.example")
    except Refused as refused:
        equal(refused.status, 403, "status")
    else:
        raise AssertionError("let in")
    try:
        WebSocket(world.broker.uri, subprotocols=("other.1",)).receive()
    except (Refused, Closed):
        return
    raise AssertionError("took another subprotocol")


@scenario("a session id is used once", bindings=(False,))
def fresh_ids(world, bound):
    a = world.newcomer(bound)
    first, incarnation = a.session.ready.session, a.session.ready.incarnation
    a.close()
    a.reconnect()
    expect(a.session.ready.session != first, "the same id")
    equal(a.session.ready.incarnation, incarnation, "incarnation")
