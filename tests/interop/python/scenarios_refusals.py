"""What the broker refuses for its state: policy, ids, chain, epochs. And nothing of it remains."""

import os

import wire
from envelope import Chain, check_remains, content_batch, digest_of, letter, link_of, sealed
from identity import Agent
from scenario import accepted, denied, equal, expect, goes_on, refuse, say, scenario
from wire import Code


@scenario("who is no contact, who blocked, and who does not exist are one answer")
def no_contact(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    answers = []
    for peer in (b.key, Agent().key):
        answers.append(refuse(a, Chain().opening(a.agent, peer), Code.denied))
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.blocked)
    answers.append(refuse(a, Chain().opening(a.agent, b.key), Code.denied))
    for answer in answers:
        answer.id = None  # the only thing in which they may differ
    expect(answers[0] == answers[1] == answers[2], answers)
    b.session.grant(1)
    expect(b.session.nothing_comes(), "a refused envelope")


@scenario("a contact that is blocked is denied, and allowed again goes on")
def blocked(world, bound):
    a, b = world.conversation(bound)
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.blocked)
    refuse(a, a.chain.application(a.agent, b"no"), Code.denied)
    b.session.call("Publish", prekey=b.agent.prekey())
    refuse(a, letter(a.agent, b.key, next(iter(b.agent.prekeys)), content_batch("no")), Code.denied)
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.allowed)
    goes_on(a, b)


@scenario("an entry whose sender was blocked meanwhile becomes a tombstone")
def blocked_meanwhile(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a)
    b.session.call("SetContact", agent=a.agent.id, contact=wire.Contact.blocked)
    item = b.next_entry().item
    equal(item.table, "Tombstone", "item")
    equal(digest_of(item.header, item.body_hash, item.signature), envelope.digest, "digest")
    equal(a.next_entry().item.table, "Refused", "A is told")


@scenario("id_conflict: another envelope of the same id")
def id_conflict(world, bound):
    a, b = world.conversation(bound)
    envelope, _ = say(a)
    refuse(a, a.chain.application(a.agent, b"another", id=envelope.id), Code.id_conflict)
    b.next_envelope()
    goes_on(a, b)


@scenario("chain_broken gives back the sender's own last envelope")
def chain_broken(world, bound):
    a, b = world.conversation(bound)
    last, _ = say(a)
    b.next_envelope()
    for wrong in (dict(sender_seq=5), dict(sender_seq=0), dict(previous=os.urandom(32)),
                  dict(previous=None)):
        answer = refuse(a, a.chain.application(a.agent, b"x", **wrong), Code.chain_broken)
        header = check_remains(answer.last_header, answer.last_body_hash, answer.last_signature)
        equal((header.id, link_of(answer.last_header, answer.last_body_hash)),
              (last.id, last.link), "the remains")
        equal((answer.incarnation, answer.epoch), (1, 1), "the state")
    refuse(b, b.chain.application(b.agent, b"x", previous=os.urandom(32)), Code.chain_broken)
    goes_on(a, b)
    goes_on(b, a)


@scenario("a bundle of which the second envelope is forged is refused whole")
def whole_bundles(world, bound):
    a, b = world.pair(bound)
    chain = Chain()
    commit, welcome = chain.opening(a.agent, b.key)
    forged_welcome = sealed(a.agent, welcome.header_bytes, b"another", welcome.signature)
    refuse(a, [commit, forged_welcome], Code.unauthenticated)
    receipts = accepted(a.session.send([commit, welcome])[0])
    equal([r.sequence for r in receipts], [1, 2], "sequences")
    equal(b.next_envelope().id, welcome.id, "the first that comes")


@scenario("a bundle of two applications, and one half accepted before, are refused")
def bundles(world, bound):
    a, b = world.pair(bound)
    chain = Chain()
    opening = chain.opening(a.agent, b.key)
    accepted(a.session.send(opening)[0])
    another = chain.welcome(a.agent, [b.key], opening[0], b"another")
    refuse(a, [opening[0], another], Code.id_conflict)
    chain.take(opening[0].header, opening[0].link)
    chain.enter(1)
    first = chain.application(a.agent, b"1")
    chain.take(first.header, first.link)
    refuse(a, [first, chain.application(a.agent, b"2")], Code.malformed)
    accepted(a.session.send([first])[0])


@scenario("positions never go back to an earlier epoch")
def earlier_epoch(world, bound):
    a, b = world.conversation(bound)
    commit = a.chain.commit(a.agent, [a.key, b.key], b"an update")
    accepted(a.session.send([commit])[0])
    a.chain.take(commit.header, commit.link)
    a.chain.enter(2)
    say(a)
    refuse(a, a.chain.application(a.agent, b"x", epoch=1, sender_seq=2), Code.chain_broken)
    say(a)


@scenario("a second opening of the same incarnation is an epoch_conflict")
def second_opening(world, bound):
    a, b = world.conversation(bound)
    for incarnation in (1, 3):
        answer = refuse(b, Chain(a.chain.conversation, incarnation).opening(b.agent, a.key),
                        Code.epoch_conflict)
        equal((answer.incarnation, answer.epoch), (1, 1), "the state")
    goes_on(a, b)


@scenario("stale_epoch: an epoch ahead, one 3 behind, another incarnation")
def stale_epoch(world, bound):
    a, b = world.conversation(bound)
    for wrong in (dict(epoch=2), dict(incarnation=2)):
        answer = refuse(a, a.chain.application(a.agent, b"x", **wrong), Code.stale_epoch)
        equal((answer.incarnation, answer.epoch), (1, 1), "the state")
    for epoch in (2, 3, 4):
        commit = a.chain.commit(a.agent, [a.key, b.key], b"an update")
        accepted(a.session.send([commit])[0])
        a.chain.take(commit.header, commit.link)
        a.chain.enter(epoch)
        b.next_envelope()
    answer = refuse(b, b.chain.application(b.agent, b"x"), Code.stale_epoch)
    equal((answer.incarnation, answer.epoch), (1, 4), "the state")
    b.chain.enter(4)
    goes_on(b, a)


@scenario("epoch_conflict: the second commit of an epoch")
def epoch_conflict(world, bound):
    a, b = world.conversation(bound)
    members = [a.key, b.key]
    commit = a.chain.commit(a.agent, members, b"A's")
    accepted(a.session.send([commit])[0])
    a.chain.take(commit.header, commit.link)
    a.chain.enter(2)
    answer = refuse(b, b.chain.commit(b.agent, members, b"B's"), Code.epoch_conflict)
    equal((answer.incarnation, answer.epoch), (1, 2), "the state")
    equal(b.next_envelope().id, commit.id, "A's commit")
    b.chain.enter(2)
    goes_on(b, a)


@scenario("membership does not change but by an opening bundle")
def membership(world, bound):
    a, b = world.conversation(bound)
    c = world.newcomer(bound)
    members = [a.key, b.key, c.key]
    refuse(a, a.chain.commit(a.agent, members, b"adds C"), Code.denied)
    refuse(a, a.chain.commit(a.agent, [a.key], b"removes B"), Code.denied)
    opening = Chain(a.chain.conversation, 2).opening(c.agent, a.key)
    a.session.call("SetContact", agent=c.agent.id, contact=wire.Contact.allowed)
    refuse(c, opening, Code.denied)  # C is no member
    intruder = Chain(a.chain.conversation, 1, 1).application(c.agent, b"x")
    refuse(c, intruder, Code.denied)
    goes_on(a, b)


@scenario("GetConversation is denied to others, as for none")
def foreign_state(world, bound):
    a, _ = world.conversation(bound)
    c = world.newcomer(bound)
    for conversation in (a.chain.conversation, os.urandom(16)):
        denied(Code.denied,
               lambda i=conversation: c.session.call("GetConversation", conversation=i))
