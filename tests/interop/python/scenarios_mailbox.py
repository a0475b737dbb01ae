"""Mailboxes: credit, Ack, Nack, resumption, tombstones, transients (DLV-020 to DLV-041)."""

from time import sleep

import wire
from crypto import H, now_ms
from envelope import Chain, check_envelope, check_remains, digest_of, link_of
from identity import check_signed
from scenario import accepted, equal, expect, same_code, say, scenario
from wire import Code, Durability


@scenario("nothing beyond credit, nothing again after Ack, everything again without")
def resume(world, bound):
    a, b = world.conversation(bound)
    sent = [say(a)[0].id for _ in range(4)]
    expect(b.session.nothing_comes(), "an entry without credit")
    b.session.grant(2)
    first, second = b.session.take(2)
    expect(b.session.nothing_comes(), "an entry beyond credit")
    b.session.ack(first.sequence)
    expect(b.session.nothing_comes(), "the Ack gave no credit")  # and the Ack has come
    b.session.socket.drop()

    b.reconnect()
    equal(b.session.ready.mailbox_acked, first.sequence, "mailbox_acked")
    equal(b.session.ready.mailbox_last, first.sequence + 3, "mailbox_last")
    b.session.grant(100)
    entries = b.session.take(3)
    equal([e.sequence for e in entries], [second.sequence + i for i in range(3)], "sequences")
    equal([check_envelope(e.item.envelope).id for e in entries], sent[1:], "ids")
    incarnation = b.session.ready.incarnation
    b.session.close()

    b.reconnect(acked=entries[1].sequence, incarnation=incarnation)  # the cursor is an Ack
    b.session.grant(100)
    equal(b.session.take(1)[0].sequence, entries[2].sequence, "after the cursor")
    b.session.ack(entries[2].sequence)
    expect(b.session.nothing_comes(), "more than there is")
    b.session.close()

    b.reconnect(acked=0, incarnation=bytes(16))  # a cursor of another store says nothing
    b.session.grant(100)
    expect(b.session.nothing_comes(), "an acknowledged entry came again")


@scenario("credit in bytes holds too")
def credit_bytes(world, bound):
    a, b = world.conversation(bound)
    envelope = say(a)[0]
    say(a)
    b.reconnect()  # for credit that starts from nothing
    b.session.grant(2, size=len(envelope.bytes))
    equal(check_envelope(b.session.take(1)[0].item.envelope).id, envelope.id, "the first")
    expect(b.session.nothing_comes(), "a second one in the bytes of one")


@scenario("an entry that expires in the mailbox becomes a tombstone, and its sender is told")
def tombstone(world, bound):
    a, b = world.conversation(bound)
    short, _ = say(a, expires_ms=now_ms() + 1500)
    long, _ = say(a)
    while now_ms() < short.header.expires_ms + 50:  # the clock is what is waited for
        sleep(0.05)
    item = b.next_entry().item
    equal(item.table, "Tombstone", "item")
    header = check_remains(item.header, item.body_hash, item.signature)
    equal((header.id, item.body_hash), (short.id, H(short.body)), "of the envelope")
    equal(digest_of(item.header, item.body_hash, item.signature), short.digest, "digest")
    equal(b.next_envelope().header.previous, link_of(item.header, item.body_hash), "link")
    refusal_of(a, short, world.broker.key, Code.expired)


@scenario("what an entry costs of the byte credit")
def costs(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a, bytes(1000))
    b.reconnect()
    entry_costs(b, len(envelope.bytes), "Delivery")
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.blocked)
    b.reconnect()
    equal(b.next_entry().item.table, "Tombstone", "item")
    a.session.grant(1)
    refused = a.session.take(1)[0].item
    a.reconnect()
    entry_costs(a, len(refused.refusal.statement) + 64, "Refused")


def entry_costs(person, size, item):
    """The next entry is this item and needs exactly so many bytes of credit."""
    person.session.grant(1, size=size - 1)
    expect(person.session.nothing_comes(), f"a {item} for less than {size} bytes")
    person.session.grant(1, size=size)
    equal(person.session.take(1)[0].item.table, item, "item")


@scenario("a Nack comes to the sender, and counts as an acknowledgement")
def nack(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a)
    b.session.grant(1)
    entry = b.session.take(1)[0]
    b.session.nack(b.agent, entry.sequence, envelope, Code.undecryptable)
    refusal_of(a, envelope, b.key, Code.undecryptable)
    b.reconnect()
    equal(b.session.ready.mailbox_acked, entry.sequence, "mailbox_acked")


def refusal_of(sender, envelope, issuer, code):
    """The sender's next entry is this Refused item."""
    item = sender.next_entry().item
    equal(item.table, "Refused", "item")
    refusal = check_signed(item.refusal, wire.REFUSAL, "Refusal", issuer)
    equal((refusal.issuer, refusal.id, refusal.digest), (issuer, envelope.id, envelope.digest),
          "refusal")
    same_code(refusal.code, code)


@scenario("a transient comes at once or never")
def transients(world, bound):
    a, b = world.conversation(bound)

    def transient():
        envelope = a.chain.application(a.agent, b"typing", durability=Durability.transient)
        equal(accepted(a.session.send([envelope])[0])[0].sequence, 0, "receipt")
        return envelope

    transient()  # no credit: dropped
    b.session.grant(1)
    expect(b.session.nothing_comes(), "a stored transient")
    envelope = transient()
    entry = b.session.take(1)[0]
    equal((entry.sequence, entry.conversation_sequence), (0, 0), "sequences")
    equal(check_envelope(entry.item.envelope).id, envelope.id, "id")
    durable, _ = say(a)  # has the position that the transient had
    equal(durable.header.sender_seq, envelope.header.sender_seq, "position")
    transient()  # behind an entry that is not delivered: dropped
    b.session.grant(2)
    equal(check_envelope(b.session.take(1)[0].item.envelope).id, durable.id, "durable")
    expect(b.session.nothing_comes(), "the dropped transient")


@scenario("who was offline finds it all", bindings=(False,))
def offline(world, bound):
    a, b = world.pair(bound)
    b.close()
    a.chain = Chain()
    bundle = a.chain.opening(a.agent, b.key)
    accepted(a.session.send(bundle)[0])
    a.chain.take(bundle[0].header, bundle[0].link)
    a.chain.enter(1)
    sent = say(a)[0]
    b.reconnect()
    equal([b.next_envelope().id for _ in range(2)], [bundle[1].id, sent.id], "ids")
