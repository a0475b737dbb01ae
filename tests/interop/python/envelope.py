"""SPEC chapter ENV: making envelopes along a chain, checking those of others, and letters."""

import os
import struct
from dataclasses import dataclass

import wire
from crypto import (SUITE, ZERO_LINK, H, L, hpke_open, hpke_seal, is_uuid7, now_ms, padme, uuid7,
                    verify)
from identity import HOUR_MS
from wire import Kind

LETTER_INFO = b"sealwire/0 letter"


@dataclass(frozen=True)
class Envelope:
    """An envelope of which the signature holds."""
    bytes: bytes
    header: wire.Record
    header_bytes: bytes
    body: bytes
    signature: bytes

    @property
    def id(self):
        return self.header.id

    @property
    def link(self):
        return link_of(self.header_bytes, H(self.body))

    @property
    def digest(self):
        return digest_of(self.header_bytes, H(self.body), self.signature)


def signing_input(header, body_hash):
    return L("sealwire/0 envelope", header, body_hash)


def link_of(header, body_hash):
    """ENV-005."""
    return H(signing_input(header, body_hash))


def digest_of(header, body_hash, signature):
    """ENV-006."""
    return H(L("sealwire/0 envelope digest", header, body_hash, signature))


def header_bytes(sender, kind, **fields):
    now = now_ms()
    given = dict(suite=SUITE, id=uuid7(now), sender=sender.key, kind=kind, created_ms=now,
                 expires_ms=now + HOUR_MS)
    given.update(fields)
    if given.get("recipients") is not None:
        given["recipients"] = [wire.table("Recipient", instance=r) for r in given["recipients"]]
    return wire.build(wire.HEADER, "Header", **given)


def sealed(sender, header, body, signature=None):
    """ENV-004: the envelope of these header bytes and this body."""
    signature = signature or sender.sign("sealwire/0 envelope", header, H(body))
    raw = wire.build(wire.ENVELOPE, "Envelope", header=header, body=body, signature=signature)
    return Envelope(raw, wire.parse(wire.HEADER, "Header", header), header, body, signature)


def check_remains(header, body_hash, signature):
    """The header of which these are the remains (tombstone, Rejection, ConversationState)."""
    read = wire.parse(wire.HEADER, "Header", header)
    verify(read.sender, signing_input(header, body_hash), signature)
    return read


def check_envelope(raw):
    """What a receiver checks of one envelope before its chain (ENV-001 to ENV-021)."""
    outer = wire.parse(wire.ENVELOPE, "Envelope", raw)
    header = wire.parse(wire.HEADER, "Header", outer.header)
    letter = header.kind == Kind.letter
    rules = [
        len(raw) <= 1_053_696 and len(outer.body) <= 1_048_576 and len(outer.header) <= 4096,
        header.suite == SUITE and not header.critical and is_uuid7(header.id),
        Kind.application <= header.kind <= Kind.letter and len(header.sender) == 32,
        letter == (not any(header.conversation or b"")) and letter == (header.incarnation == 0),
        not letter or not (header.epoch or header.sender_seq or any(header.previous or b"")),
        (header.kind == Kind.welcome) == any(header.names or b""),
        (header.kind == Kind.application) == (not header.recipients),
        header.durability == wire.Durability.durable or header.kind == Kind.application,
        0 < header.expires_ms - header.created_ms <= (7 if letter else 30) * 24 * HOUR_MS,
        header.created_ms <= now_ms() + 300_000,
        header.kind in (Kind.commit, Kind.welcome) or now_ms() < header.expires_ms,
    ]
    if not all(rules):
        raise wire.Malformed(f"header rule {rules.index(False)}")
    verify(header.sender, signing_input(outer.header, H(outer.body)), outer.signature)
    return Envelope(raw, header, outer.header, outer.body, outer.signature)


class Chain:
    """A sender's position in one incarnation of a conversation (ENV-030 to ENV-033).

    `application`, `commit` and `welcome` make envelopes that stand next in it and do not move it;
    `take` moves it, for a sender when its envelope was accepted, for a receiver when it has come.
    """

    def __init__(self, conversation=None, incarnation=1, epoch=0, previous=ZERO_LINK):
        self.conversation = conversation or os.urandom(16)
        self.incarnation, self.epoch, self.seq, self.previous = incarnation, epoch, 0, previous

    def _next(self, sender, kind, body, fields):
        given = dict(conversation=self.conversation, incarnation=self.incarnation, epoch=self.epoch,
                     sender_seq=self.seq,
                     previous=None if self.previous == ZERO_LINK else self.previous)
        given.update(fields)
        return sealed(sender, header_bytes(sender, kind, **given), body)

    def application(self, sender, body, **fields):
        return self._next(sender, Kind.application, body, fields)

    def commit(self, sender, members, body, **fields):
        return self._next(sender, Kind.commit, body, dict(recipients=members, **fields))

    def welcome(self, sender, joiners, commit, body, **fields):
        fields = dict(recipients=joiners, names=commit.link, **fields)
        return self._next(sender, Kind.welcome, body, fields)

    def opening(self, sender, peer_key):
        """E2E-020: commit of epoch 0 and welcome. Bodies are opaque here."""
        commit = self.commit(sender, [sender.key, peer_key], b"a commit")
        return [commit, self.welcome(sender, [peer_key], commit, b"a welcome")]

    def follows(self, header):
        """ENV-030, ENV-031."""
        place = (header.conversation, header.incarnation, header.epoch, header.sender_seq,
                 header.previous or ZERO_LINK)
        return place == (self.conversation, self.incarnation, self.epoch, self.seq, self.previous)

    def take(self, header, link):
        if not self.follows(header):
            raise ChainBroken(f"epoch {header.epoch}, seq {header.sender_seq}")
        self.seq, self.previous = self.seq + 1, link

    def enter(self, epoch):
        """The group is in another epoch: numbers start over, links go on."""
        self.epoch, self.seq = epoch, 0


class ChainBroken(Exception):
    pass


def content_batch(*texts):
    items = [wire.table("Content", media_type="text/plain", data=t.encode()) for t in texts]
    return wire.build(wire.CONTENT, "ContentBatch", items=items)


def letter(sender, recipient, prekey, batch, **fields):
    """E2E-040."""
    header = header_bytes(sender, Kind.letter, recipients=[recipient], **fields)
    content = struct.pack(">I", len(batch)) + batch
    content += bytes(padme(len(content)) - len(content))
    enc, ciphertext = hpke_seal(prekey, LETTER_INFO, header, content)
    return sealed(sender, header, prekey + enc + ciphertext)


def open_letter(receiver, envelope):
    """The texts in a letter of which check_envelope saw the signature (E2E-041, E2E-043)."""
    prekey, enc, ciphertext = envelope.body[:32], envelope.body[32:64], envelope.body[64:]
    content = hpke_open(receiver.prekeys[prekey], LETTER_INFO, envelope.header_bytes, enc,
                        ciphertext)
    size = 4 + struct.unpack(">I", content[:4])[0]
    if size > len(content) or len(content) != padme(size) or any(content[size:]):
        raise wire.Malformed("letter's padding")
    batch = wire.parse(wire.CONTENT, "ContentBatch", content[4:size])
    return [item.data.decode() for item in batch.items]
