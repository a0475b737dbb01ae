"""Conversations as they should go: opening, chains, epochs, receipts, letters (ENV, E2E, DLV)."""

import wire
from crypto import L, BadSignature, verify
from envelope import (Chain, check_envelope, check_remains, content_batch, letter, link_of,
                      open_letter)
from identity import LABELS, check_prekey
from scenario import accepted, equal, expect, say, scenario


@scenario("an opening bundle comes whole, and the state is a member's to see")
def opening(world, bound):
    a, b = world.pair(bound)
    a.chain = Chain()
    commit, welcome = a.chain.opening(a.agent, b.key)
    receipts = accepted(a.session.send([commit, welcome])[0])
    equal([r.sequence for r in receipts], [1, 2], "conversation sequences")
    received = b.next_envelope()
    expect(received.bytes == welcome.bytes, "the welcome's bytes")
    equal(received.header.names, commit.link, "names")
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


@scenario("several bundles in one Send")
def batches(world, bound):
    a, b = world.conversation(bound)
    envelopes = []
    for i in range(5):
        envelopes.append(a.chain.application(a.agent, b"%d" % i))
        a.chain.take(envelopes[-1].header, envelopes[-1].link)
    answers = a.session.send(*([e] for e in envelopes))
    equal([accepted(x)[0].sequence for x in answers], [3, 4, 5, 6, 7], "sequences")
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
    except BadSignature:
        return
    raise AssertionError("verified")


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
    equal(a.next_envelope().id, bundle[1].id, "the welcome")
    a.chain = Chain(a.chain.conversation, 2, 1)
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


@scenario("a large envelope goes through", bindings=(False,))
def large(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a, bytes(200_000))
    expect(b.next_envelope().bytes == envelope.bytes, "bytes")
