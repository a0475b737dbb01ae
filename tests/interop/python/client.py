"""A session from Ready on, as SPEC chapters SES and DLV have it, from the agent's side.

It sends, answers pings, sorts what comes and checks the broker's signatures. Python's FlatBuffers
has no verifier as FRM-002 asks, so this client trusts its broker not to send hostile buffers.
"""

import os
from collections import deque

import wire
from crypto import L, now_ms, sign, verify
from handshake import SessionClosed, raise_close, shake_hands
from identity import LABELS
from transport import TIMEOUT_S, Closed
from wire import Code

CREDIT_BYTES = 1 << 40


class Denied(Exception):
    """A Reply with a code other than ok."""

    def __init__(self, code):
        super().__init__(wire.code_name(code))
        self.code = code


def connect(broker, agent, bound, invite_seed=None, acked=0, incarnation=None):
    """A Session that is Ready."""
    socket, handshake = shake_hands(broker, agent, bound)
    proof = handshake.proof(invite_seed, acked, incarnation)
    socket.send(proof)
    return Session(socket, handshake, handshake.sealers(proof))


class Session:
    """From Ready on. One thread; everything that waits gives up after TIMEOUT_S."""

    def __init__(self, socket, handshake, sealers):
        self.socket, self.broker_key = socket, handshake.broker_key
        self.transcript, self.terms = handshake.transcript, handshake.terms
        self.outgoing, self.incoming = sealers
        self.entries, self.receipts, self.rejections = deque(), {}, {}
        self.replies, self.pongs, self.acceptances = {}, [], []
        self.calls, self.credit_entries = 0, 0
        message = socket.receive()
        raise_close(message)
        self.ready = self._open(message)
        if self.ready.table != "Ready":
            raise wire.Malformed(f"{self.ready.table} instead of Ready")

    def _open(self, message):
        frame = self.incoming.open(message) if self.incoming else message
        return wire.parse(wire.FRAME, "Frame", frame).body

    def send_frame(self, frame):
        try:
            self.socket.send(self.outgoing.seal(frame) if self.outgoing else frame)
        except Closed:
            raise SessionClosed(self.closing_code()) from None  # it said why before it closed

    def emit(self, table, **fields):
        self.send_frame(wire.frame(table, **fields))

    def pump(self, timeout_s=TIMEOUT_S):
        """Takes one frame and puts it where it belongs."""
        try:
            body = self._open(self.socket.receive(timeout_s))
        except Closed as error:
            raise SessionClosed(None) from error
        getattr(self, "_on_" + body.table.lower())(body)

    def _on_close(self, body):
        raise SessionClosed(body.code)

    def _on_ping(self, body):
        self.emit("Pong", nonce=body.nonce)

    def _on_pong(self, body):
        self.pongs.append(body.nonce)

    def _on_deliver(self, body):
        self.entries.extend(body.entries)

    def _on_reply(self, body):
        if body.id in self.replies:
            raise AssertionError("a second Reply (DLV-050)")
        self.replies[body.id] = body

    def _on_rejected(self, body):
        self.rejections.update((r.id, r) for r in body.rejections)

    def _on_accepted(self, body):
        """DLV-003."""
        verify(self.broker_key, L(LABELS[wire.ACCEPTANCE], body.acceptance), body.signature)
        acceptance = wire.parse(wire.ACCEPTANCE, "Acceptance", body.acceptance)
        if acceptance.incarnation != self.ready.incarnation:
            raise wire.Malformed("acceptance of another store")
        if abs(acceptance.accepted_ms - now_ms()) > 60_000:
            raise wire.Malformed("acceptance of another time")
        self.acceptances.append(body)
        self.receipts.update((r.id, r) for r in acceptance.receipts)

    def _until(self, ready):
        while not ready():
            self.pump()

    def send(self, *bundles):
        """For each bundle its list of receipts, or its Rejection. A bundle: a list of Envelopes."""
        for envelope in (e for b in bundles for e in b):
            self.receipts.pop(envelope.id, None)
            self.rejections.pop(envelope.id, None)
        self.emit("Send", bundles=[bundle_table(b) for b in bundles])
        self._until(lambda: all(b[0].id in self.receipts or b[0].id in self.rejections
                                for b in bundles))
        return [self.rejections.get(b[0].id) or self._checked(b) for b in bundles]

    def _checked(self, bundle):
        receipts = [self.receipts[e.id] for e in bundle]
        if [r.digest for r in receipts] != [e.digest for e in bundle]:
            raise wire.Malformed("receipt of another envelope")
        return receipts

    def call(self, table, **fields):
        """The Reply's response; raises Denied."""
        self.calls += 1
        number = self.calls
        self.emit("Call", id=number, request=wire.table(table, **fields))
        self._until(lambda: number in self.replies)
        reply = self.replies[number]
        if reply.code != Code.ok:
            if reply.response is not None:
                raise wire.Malformed("a response to what was refused (DLV-055)")
            raise Denied(reply.code)
        return reply.response

    def grant(self, entries, size=CREDIT_BYTES):
        """Credit for this many entries more."""
        self.credit_entries += entries
        self.emit("Credit", entries=self.credit_entries, bytes=size)

    def take(self, count):
        """The next `count` entries, for which credit must be there."""
        self._until(lambda: len(self.entries) >= count)
        return [self.entries.popleft() for _ in range(count)]

    def nothing_comes(self):
        """Proves by an answered Ping that the broker has no entry on its way to us."""
        nonce = int.from_bytes(os.urandom(8), "big")
        self.emit("Ping", nonce=nonce)
        self._until(lambda: nonce in self.pongs)
        return not self.entries

    def ack(self, sequence):
        self.emit("Ack", sequence=sequence)

    def nack(self, agent, sequence, envelope, code):
        """DLV-028."""
        refusal = wire.build(wire.REFUSAL, "Refusal", issuer=agent.key, id=envelope.id,
                             digest=envelope.digest, code=code, created_ms=now_ms())
        signature = sign(agent.seed, L(LABELS[wire.REFUSAL], refusal))
        self.emit("Nack", sequence=sequence,
                  refusal=wire.table("Signed", statement=refusal, signature=signature))

    def closing_code(self):
        """Waits for the broker to close, and says with which code."""
        try:
            while True:
                self.pump()
        except SessionClosed as closed:
            return closed.code

    def close(self):
        try:
            self.emit("Close", code=Code.closing)
        except SessionClosed:
            pass
        self.socket.close()


def bundle_table(envelopes):
    return wire.table("Bundle", envelopes=[
        wire.table("EnvelopeBytes", bytes=getattr(e, "bytes", e)) for e in envelopes])
