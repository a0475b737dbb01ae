"""SPEC chapter KEY: agents, their statements, invites, and their text forms."""

import base64
import os

import wire
from crypto import SUITE, H, L, now_ms, public, sign, verify, x25519_keys

HOUR_MS = 3_600_000
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

LABELS = {
    wire.INCEPTION: "sealwire/0 inception",
    wire.PREKEY: "sealwire/0 prekey",
    wire.REDEMPTION: "sealwire/0 redemption",
    wire.ACCEPTANCE: "sealwire/0 acceptance",
    wire.REFUSAL: "sealwire/0 refusal",
}


def signed(seed, identifier, name, **fields):
    """Signed{statement, signature}, as a table to put into others."""
    statement = wire.build(identifier, name, **fields)
    return wire.table("Signed", statement=statement,
                      signature=sign(seed, L(LABELS[identifier], statement)))


def check_signed(value, identifier, name, key):
    """The statement in a Signed whose signature by `key` holds."""
    verify(key, L(LABELS[identifier], value.statement), value.signature)
    return wire.parse(identifier, name, value.statement)


def base58(raw):
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def unbase58(text):
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def did_key(key):
    return "did:key:z" + base58(b"\xed\x01" + key)


def agent_id(inception):
    """Of a Signed, made here or parsed."""
    return H(L("sealwire/0 agent id", bytes(inception.statement), bytes(inception.signature)))


def check_inception(value):
    """KEY-003: (agent id, key) of an Inception in a Signed."""
    claimed = wire.parse(wire.INCEPTION, "Inception", value.statement)
    check_signed(value, wire.INCEPTION, "Inception", claimed.key)
    if claimed.suite != SUITE or len(value.statement) > 8192:
        raise wire.Malformed("inception")
    return agent_id(value), claimed.key


class Agent:
    """An identity with its secrets: one instance, whose key is the inception's."""

    def __init__(self, seed=None):
        self.seed = seed or os.urandom(32)
        self.key = public(self.seed)
        self.inception = signed(self.seed, wire.INCEPTION, "Inception", suite=SUITE, key=self.key,
                                created_ms=now_ms())
        self.id = agent_id(self.inception)
        self.text = "agent:z" + base58(self.id)
        self.prekeys = {}  # public to secret

    def sign(self, label, *parts):
        return sign(self.seed, L(label, *parts))

    def prekey(self, days=7):
        """A new signed Prekey; its secret stays here."""
        secret, key = x25519_keys()
        self.prekeys[key] = secret
        now = now_ms()
        return signed(self.seed, wire.PREKEY, "Prekey", suite=SUITE, instance=self.key, key=key,
                      created_ms=now, expires_ms=now + days * 24 * HOUR_MS)


def check_prekey(value, key):
    """KEY-005: the X25519 key in a Prekey of the instance `key`."""
    prekey = check_signed(value, wire.PREKEY, "Prekey", key)
    lifetime = prekey.expires_ms - prekey.created_ms
    if prekey.instance != key or not 0 < lifetime <= 7 * 24 * HOUR_MS:
        raise wire.Malformed("prekey")
    if not prekey.created_ms - 300_000 <= now_ms() <= prekey.expires_ms:
        raise wire.Malformed("prekey's time")
    return prekey.key


def redemption(seed, agent, transcript):
    """KEY-020: what an invitee shows in the session of that transcript."""
    return signed(seed, wire.REDEMPTION, "Redemption", suite=SUITE, invite=public(seed),
                  agent=agent.id, transcript=transcript)


def check_redeemed(item, seed):
    """KEY-024: (agent id, key) of who redeemed the invite that was made with `seed`."""
    redeemed = check_signed(item.redemption, wire.REDEMPTION, "Redemption", public(seed))
    agent, key = check_inception(item.inception)
    if redeemed.agent != agent or redeemed.invite != public(seed):
        raise wire.Malformed("redemption of another")
    return agent, key


def invite_text(inviter, broker, endpoints, expires_ms, seed):
    raw = wire.build(wire.INVITE, "Invite", inviter=inviter.inception, broker=broker,
                     endpoints=endpoints, expires_ms=expires_ms, seed=seed)
    return "sealwire-invite:" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parse_invite(text):
    """The Invite in its text, its inviter's inception verified."""
    prefix, _, encoded = text.strip().partition(":")
    raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    if prefix != "sealwire-invite" or base64.urlsafe_b64encode(raw).decode().rstrip("=") != encoded:
        raise wire.Malformed("invite")
    invite = wire.parse(wire.INVITE, "Invite", raw)
    check_inception(invite.inviter)
    return invite
