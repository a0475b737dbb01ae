"""SPEC chapter SES up to Ready: four frames, what is signed in them, and the keys that follow."""

import os

import wire
from crypto import SUITE, FrameSealer, H, L, session_keys, verify, x25519, x25519_keys
from identity import redemption
from transport import WebSocket
from wire import Binding


class SessionClosed(Exception):
    """The broker sent Close; `code` says why (None: it closed without)."""

    def __init__(self, code):
        super().__init__(f"Close({wire.code_name(code)})")
        self.code = code


def raise_close(frame):
    """A Close in clear is what may come instead of a handshake's frame."""
    if frame[4:8] == wire.FRAME:
        body = wire.parse(wire.FRAME, "Frame", frame).body
        if body.table == "Close":
            raise SessionClosed(body.code)


class Handshake:
    """SES-001 to SES-023 without a transport."""

    def __init__(self, agent, broker_key, binding, binding_value):
        self.agent, self.broker_key = agent, broker_key
        self.binding, self.binding_value = binding, binding_value
        self.secret, ephemeral = x25519_keys()
        self.hello = wire.frame("Hello", versions=[0], suite=SUITE, key=agent.key,
                                nonce=os.urandom(32), ephemeral=ephemeral, binding=binding)

    def challenge(self, frame):
        """SES-010 to SES-012; afterwards `transcript` is T."""
        body = wire.parse(wire.FRAME, "Frame", frame).body
        verify(self.broker_key,
               L("sealwire/0 challenge", H(self.hello), body.terms, self.binding_value),
               body.signature)
        self.terms = wire.parse(wire.TERMS, "Terms", body.terms)
        if (self.terms.version, self.terms.suite, self.terms.binding) != (0, SUITE, self.binding) \
                or self.terms.broker != self.broker_key:
            raise wire.Malformed("terms that were not offered")
        self.transcript = self.transcript_over(frame, self.binding_value)

    def transcript_over(self, challenge, binding_value):
        """T."""
        return H(L("sealwire/0 transcript", H(self.hello), H(challenge), bytes([self.binding]),
                   binding_value))

    def proof(self, invite_seed=None, acked=0, incarnation=None):
        redeemed = invite_seed and redemption(invite_seed, self.agent, self.transcript)
        claims = wire.build(wire.CLAIMS, "Claims", inception=self.agent.inception,
                            redemption=redeemed, acked=acked, incarnation=incarnation)
        return wire.frame("Proof", claims=claims,
                          signature=self.agent.sign("sealwire/0 proof", self.transcript, claims))

    def sealers(self, proof):
        """(outgoing, incoming), or a pair of None on a bound session."""
        if self.binding != Binding.none:
            return None, None
        keys = session_keys(self.transcript, H(proof), x25519(self.secret, self.terms.ephemeral))
        return tuple(map(FrameSealer, keys))


def shake_hands(broker, agent, bound):
    """A connection and a Handshake that have got as far as the checked Challenge."""
    socket = WebSocket(broker.uri)
    binding = Binding.tls_exporter if bound else Binding.none
    handshake = Handshake(agent, broker.key, binding, socket.exporter() if bound else b"")
    socket.send(handshake.hello)
    frame = socket.receive()
    raise_close(frame)
    handshake.challenge(frame)
    return socket, handshake
