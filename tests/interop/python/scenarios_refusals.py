"""What a broker refuses in envelopes: chapters ENV and DLV, each refusal with the code SPEC names.

Every one ends with proof that the refusal changed nothing: the chain goes on as if it had not come.
"""

import os

import wire
from crypto import H, now_ms, uuid7
from envelope import (Chain, check_remains, content_batch, digest_of, header_bytes, letter, link_of,
                      sealed)
from identity import HOUR_MS, Agent, check_prekey
from scenario import accepted, equal, expect, rejected, say, scenario
from scenarios_identity import denied
from wire import Code, Durability, Kind


def refuse(sender, envelopes, code):
    """The bundle is refused with this code."""
    envelopes = envelopes if isinstance(envelopes, list) else [envelopes]
    return rejected(sender.session.send(envelopes)[0], code)


def goes_on(sender, receiver):
    """The sender's chain stands where it stood, and nothing refused was delivered."""
    sent = say(sender)[0]
    equal(receiver.next_envelope().id, sent.id, "the next delivered")


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


@scenario("chain_broken within a bundle refuses it whole")
def whole_bundles(world, bound):
    a, b = world.conversation(bound)
    good = a.chain.application(a.agent, b"good")
    bad = a.chain.application(a.agent, b"bad", sender_seq=7)
    refuse(a, [good, bad], Code.chain_broken)
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
        denied(Code.denied, lambda i=conversation: c.session.call("GetConversation", conversation=i))


@scenario("expired, and from the future")
def times(world, bound):
    a, b = world.conversation(bound)
    now = now_ms()
    refuse(a, a.chain.application(a.agent, b"x", created_ms=now - 5000, expires_ms=now - 1000),
           Code.expired)
    answer = a.session.send([a.chain.application(
        a.agent, b"x", created_ms=now + 400_000, expires_ms=now + HOUR_MS)])[0]
    equal(answer.table if hasattr(answer, "table") else "Accepted", "Rejection", "of the future")
    goes_on(a, b)


@scenario("a forged signature, a changed body, and another's envelope are refused")
def forged(world, bound):
    a, b = world.conversation(bound)
    good = a.chain.application(a.agent, b"good")
    refuse(a, sealed(a.agent, good.header_bytes, b"good", os.urandom(64)), Code.unauthenticated)
    refuse(a, sealed(a.agent, good.header_bytes, b"evil", good.signature), Code.unauthenticated)
    refuse(a, sealed(b.agent, good.header_bytes, b"good"), Code.unauthenticated)
    refuse(b, good, Code.unauthenticated)  # A's own, but in B's session
    accepted(a.session.send([good])[0])


@scenario("headers against the rules of ENV-010 to ENV-020")
def headers(world, bound):
    a, b = world.conversation(bound)
    now = now_ms()
    day = 24 * HOUR_MS
    bad_id = bytearray(uuid7())
    bad_id[6] = 0x40 | bad_id[6] & 0x0F
    application = [
        (Code.unsupported, dict(suite=2)),
        (Code.unsupported, dict(critical=[1])),
        (Code.unsupported, dict(kind=9)),
        (Code.malformed, dict(id=bytes(bad_id))),
        (Code.malformed, dict(conversation=None)),
        (Code.malformed, dict(conversation=bytes(16))),
        (Code.malformed, dict(conversation=os.urandom(15))),
        (Code.malformed, dict(incarnation=0)),
        (Code.malformed, dict(names=os.urandom(32))),
        (Code.malformed, dict(recipients=[b.key])),
        (Code.malformed, dict(expires_ms=now - 1, created_ms=now)),
        (Code.malformed, dict(created_ms=now, expires_ms=now + 30 * day + 1)),
        (Code.malformed, dict(provenance="bridged:")),
        (Code.malformed, dict(provenance="bridged:UPPER")),
        (Code.malformed, dict(provenance="native")),
        (Code.malformed, dict(provenance="bridged:" + "x" * 57)),
    ]
    failures = []
    for code, wrong in application:
        fields = dict(conversation=a.chain.conversation, incarnation=1, epoch=1,
                      previous=a.chain.previous)
        fields.update(wrong)
        kind = fields.pop("kind", Kind.application)
        envelope = sealed(a.agent, header_bytes(a.agent, kind, **fields), b"x")
        _note(failures, a, [envelope], code, wrong)
    commits = [
        (Code.malformed, dict(durability=Durability.transient)),
        (Code.malformed, dict(recipients=[])),
        (Code.malformed, dict(recipients=[b.key])),
        (Code.malformed, dict(recipients=[a.key, b.key, b.key])),
        (Code.malformed, dict(recipients=[a.key] + [os.urandom(32) for _ in range(32)])),
    ]
    for code, wrong in commits:
        fields = dict(conversation=a.chain.conversation, incarnation=1, epoch=1,
                      previous=a.chain.previous, recipients=[a.key, b.key])
        fields.update(wrong)
        envelope = sealed(a.agent, header_bytes(a.agent, Kind.commit, **fields), b"x")
        _note(failures, a, [envelope], code, wrong)
    expect(not failures, "; ".join(failures))
    goes_on(a, b)


@scenario("letters against the rules")
def bad_letters(world, bound):
    a, b = world.pair(bound)
    b.session.call("Publish", prekey=b.agent.prekey())
    prekey = check_prekey(a.session.call("Lookup", agent=b.agent.id).prekey, b.key)
    now, failures = now_ms(), []
    for wrong in (dict(conversation=os.urandom(16)), dict(incarnation=1), dict(epoch=1),
                  dict(sender_seq=1), dict(previous=os.urandom(32)), dict(recipients=[a.key]),
                  dict(recipients=[]), dict(recipients=[a.key, b.key]),
                  dict(durability=Durability.transient),
                  dict(created_ms=now, expires_ms=now + 7 * 24 * HOUR_MS + 1)):
        fields = dict(recipients=[b.key], **{k: v for k, v in wrong.items() if k != "recipients"})
        fields.update(wrong)
        envelope = sealed(a.agent, header_bytes(a.agent, Kind.letter, **fields), prekey + bytes(99))
        _note(failures, a, [envelope], Code.malformed, wrong)
    expect(not failures, "; ".join(failures))


def _note(failures, sender, bundle, code, what):
    try:
        rejected(sender.session.send(bundle)[0], code)
    except AssertionError as error:
        failures.append(f"{what}: {error}")


@scenario("openings against the rules")
def bad_openings(world, bound):
    a, b = world.pair(bound)
    chain = Chain()
    commit, welcome = chain.opening(a.agent, b.key)
    foreign = chain.welcome(a.agent, [b.key], commit, b"x")
    nameless = sealed(a.agent, header_bytes(
        a.agent, Kind.welcome, conversation=chain.conversation, incarnation=1,
        recipients=[b.key], names=os.urandom(32)), b"x")
    for bundle in ([commit], [welcome], [welcome, commit], [commit, nameless],
                   [commit, welcome, foreign]):
        answer = a.session.send(bundle)[0]
        equal(getattr(answer, "table", "Accepted"), "Rejection", f"{len(bundle)} envelopes")
        expect(answer.code in (Code.denied, Code.malformed, Code.epoch_conflict, Code.chain_broken),
               wire.code_name(answer.code))
    skipping = Chain(chain.conversation, 2)
    answer = a.session.send(skipping.opening(a.agent, b.key))[0]
    equal(getattr(answer, "table", "Accepted"), "Rejection", "incarnation 2 of nothing")
    accepted(a.session.send([commit, welcome])[0])


@scenario("an envelope that is none")
def no_envelope(world, bound):
    a, b = world.conversation(bound)
    good = a.chain.application(a.agent, b"good")
    bare = wire.build(wire.ENVELOPE, "Envelope", header=b"no header", body=b"",
                      signature=bytes(64))
    for raw in (b"none at all", good.bytes[:-9], bare):
        session = a.session
        session.emit("Send", bundles=[wire.table("Bundle", envelopes=[
            wire.table("EnvelopeBytes", bytes=raw)])])
        while not session.rejections:
            session.pump()
        (_, answer), = session.rejections.items()
        equal(wire.code_name(answer.code), "malformed", "code")
        session.rejections.clear()
    goes_on(a, b)


@scenario("a body and a header at their limits, and over them", bindings=(True,))
def sizes(world, bound):
    a, b = world.conversation(bound)
    refuse(a, a.chain.application(a.agent, bytes(1_048_577)), Code.too_large)
    body = bytes(1_048_576)
    equal(H(say(a, body)[0].body), H(b.next_envelope().body), "the largest body")
