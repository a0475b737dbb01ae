"""Chapters ENV, E2E and DLV where all goes well: conversations, mailboxes, letters, receipts."""

from time import sleep

import wire
from crypto import H, L, ZERO_LINK, now_ms, verify
from envelope import (Chain, check_envelope, check_remains, content_batch, digest_of, letter,
                      link_of, open_letter)
from identity import LABELS, check_prekey, check_signed
from scenario import accepted, equal, expect, same_code, say, scenario
from wire import Code, Durability, Kind


@scenario("an opening bundle comes whole, and the state is a member's to see")
def opening(world, bound):
    a, b = world.pair(bound)
    a.chain = Chain()
    commit, welcome = a.chain.opening(a.agent, b.key)
    receipts = accepted(a.session.send([commit, welcome])[0])
    equal([r.sequence for r in receipts], [1, 2], "conversation sequences")
    received = [b.next_envelope()]
    while received[-1].header.kind != Kind.welcome:
        received.append(b.next_envelope())
    expect(received[-1].bytes == welcome.bytes, "the welcome's bytes")
    equal(received[-1].header.names, commit.link, "names")
    for one in (a, b):
        state = one.session.call("GetConversation", conversation=a.chain.conversation)
        equal((state.incarnation, state.epoch, state.sequence), (1, 1, 2), "state")
    state = a.session.call("GetConversation", conversation=a.chain.conversation)
    check_remains(state.last_header, state.last_body_hash, state.last_signature)
    equal(link_of(state.last_header, state.last_body_hash), commit.link, "A's own last")


@scenario("application envelopes both ways, in chain and in order")
def applications(world, bound):
    a, b = world.conversation(bound)
    sent = [say(a, b"body %d" % i)[0] for i in range(3)]
    chain = Chain(a.chain.conversation, 1, 1, sent[0].header.previous)
    numbers = []
    b.session.grant(3)
    for entry in b.session.take(3):
        got = check_envelope(entry.item.envelope)
        chain.take(got.header, got.link)
        numbers.append(entry.conversation_sequence)
        expect(got.bytes == sent[len(numbers) - 1].bytes, "the exact bytes")
        b.session.ack(entry.sequence)
    equal(numbers, [3, 4, 5], "conversation sequences")
    first, receipt = say(b, b"an answer")
    equal(first.header.previous, None, "B's chain starts")
    equal(receipt.sequence, 6, "sequence")
    expect(a.next_envelope().bytes == first.bytes, "the answer")
    say(b)
    a.next_envelope()


@scenario("several bundles in one Send, several envelopes in one bundle")
def batches(world, bound):
    a, b = world.conversation(bound)
    envelopes = []
    for i in range(5):
        envelopes.append(a.chain.application(a.agent, b"%d" % i))
        a.chain.take(envelopes[-1].header, envelopes[-1].link)
    answers = a.session.send(envelopes[:1], envelopes[1:4], envelopes[4:])
    equal([[r.sequence for r in accepted(x)] for x in answers], [[3], [4, 5, 6], [7]], "sequences")
    for wanted in envelopes:
        expect(b.next_envelope().bytes == wanted.bytes, "in order")


@scenario("the broker's Accepted verifies, and not when it is changed")
def acceptance(world, bound):
    a, _ = world.conversation(bound)
    envelope, receipt = say(a)
    equal(receipt.digest, envelope.digest, "digest")
    signed = a.session.acceptances[-1]
    verify(world.broker.key, L(LABELS[wire.ACCEPTANCE], signed.acceptance), signed.signature)
    changed = signed.acceptance[:-1] + bytes([signed.acceptance[-1] ^ 1])
    try:
        verify(world.broker.key, L(LABELS[wire.ACCEPTANCE], changed), signed.signature)
    except Exception:
        return
    raise AssertionError("verified")


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
    b.session.grant(2, size=len(envelope.bytes))
    b.session.take(1)
    expect(b.session.nothing_comes(), "a second one in the bytes of one")


@scenario("a duplicate gets the same receipt, and is not delivered again")
def duplicate(world, bound):
    a, b = world.conversation(bound)
    envelope, receipt = say(a)
    later, _ = say(a)
    again = accepted(a.session.send([envelope])[0])[0]
    equal(vars(again), vars(receipt), "receipt")
    equal([b.next_envelope().id, b.next_envelope().id], [envelope.id, later.id], "delivered")
    b.session.grant(1)
    expect(b.session.nothing_comes(), "delivered again")


@scenario("a commit raises the epoch; an older epoch is taken until it is 3 behind")
def epochs(world, bound):
    a, b = world.conversation(bound)
    members = [a.key, b.key]
    late = [b.chain.application(b.agent, b"late")]
    for epoch in (2, 3):
        commit = a.chain.commit(a.agent, members, b"an update")
        accepted(a.session.send([commit])[0])
        a.chain.take(commit.header, commit.link)
        a.chain.enter(epoch)
        equal(b.next_envelope().id, commit.id, "commit")
    accepted(b.session.send(late)[0])  # epoch 1 in 3: two behind
    b.chain.take(late[0].header, late[0].link)
    say(a)
    state = a.session.call("GetConversation", conversation=a.chain.conversation)
    equal((state.incarnation, state.epoch), (1, 3), "state")


@scenario("a wedged conversation is opened again in the next incarnation")
def reopening(world, bound):
    a, b = world.conversation(bound)
    say(a)
    b.next_envelope()
    b.chain = Chain(a.chain.conversation, incarnation=2)
    bundle = b.chain.opening(b.agent, a.key)
    receipts = accepted(b.session.send(bundle)[0])
    equal([r.sequence for r in receipts], [4, 5], "the sequence goes on")
    b.chain.take(bundle[0].header, bundle[0].link)
    b.chain.enter(1)
    while a.next_envelope().header.kind != Kind.welcome:
        pass
    a.chain = Chain(a.chain.conversation, 2, 1, ZERO_LINK)
    say(a)
    say(b)
    equal(b.next_envelope().header.incarnation, 2, "incarnation")


@scenario("letters both ways")
def letters(world, bound):
    a, b = world.pair(bound)
    for sender, receiver in ((a, b), (b, a)):
        receiver.session.call("Publish", prekey=receiver.agent.prekey())
        prekey = check_prekey(sender.session.call("Lookup", agent=receiver.agent.id).prekey,
                              receiver.key)
        for texts in (("hello",), ("one", "x" * 5000)):
            sent = letter(sender.agent, receiver.key, prekey, content_batch(*texts))
            equal(accepted(sender.session.send([sent])[0])[0].sequence, 0, "sequence")
            got = receiver.next_envelope()
            equal(open_letter(receiver.agent, got), list(texts), "content")
            equal(got.header.sender, sender.key, "sender")


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


@scenario("a large envelope goes through", bindings=(False,))
def large(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a, bytes(200_000))
    expect(b.next_envelope().bytes == envelope.bytes, "bytes")


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
    got = b.next_envelope()
    while got.header.kind != Kind.application:
        got = b.next_envelope()
    equal(got.id, sent.id, "id")
