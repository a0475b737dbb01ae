"""What the broker refuses in envelopes as such: form, header, signature, time, size (ENV)."""

import os

import wire
from crypto import H, now_ms, uuid7
from envelope import Chain, header_bytes, sealed
from identity import HOUR_MS, check_prekey
from scenario import accepted, equal, expect, goes_on, refuse, rejected, say, scenario
from wire import Code, Durability, Kind


@scenario("a forged signature, a changed body, and another's envelope are refused")
def forged(world, bound):
    a, b = world.conversation(bound)
    good = a.chain.application(a.agent, b"good")
    refuse(a, sealed(a.agent, good.header_bytes, b"good", os.urandom(64)), Code.unauthenticated)
    refuse(a, sealed(a.agent, good.header_bytes, b"evil", good.signature), Code.unauthenticated)
    refuse(a, sealed(b.agent, good.header_bytes, b"good"), Code.unauthenticated)
    refuse(b, good, Code.unauthenticated)  # A's own, but in B's session
    accepted(a.session.send([good])[0])


@scenario("expired, and from the future")
def times(world, bound):
    a, b = world.conversation(bound)
    now = now_ms()
    refuse(a, a.chain.application(a.agent, b"x", created_ms=now - 5000, expires_ms=now - 1000),
           Code.expired)
    refuse(a, a.chain.application(a.agent, b"x", created_ms=now + 400_000,
                                  expires_ms=now + HOUR_MS), Code.malformed)
    goes_on(a, b)


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
    for bundle in ([welcome], [welcome, commit], [commit, nameless], [commit, welcome, foreign]):
        refuse(a, bundle, Code.malformed)
    refuse(a, [commit], Code.denied)  # a commit in no conversation
    refuse(a, Chain(chain.conversation, 2).opening(a.agent, b.key), Code.denied)
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
        (of, answer), = session.rejections.items()
        equal(of, bytes(16), "id")
        equal(wire.code_name(answer.code), "malformed", "code")
        session.rejections.clear()
    goes_on(a, b)


@scenario("a body at its limit, and over it", bindings=(True,))
def sizes(world, bound):
    a, b = world.conversation(bound)
    refuse(a, a.chain.application(a.agent, bytes(1_048_577)), Code.too_large)
    body = bytes(1_048_576)
    equal(H(say(a, body)[0].body), H(b.next_envelope().body), "the largest body")
