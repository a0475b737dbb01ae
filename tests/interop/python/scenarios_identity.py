"""Chapter KEY and the calls of DLV: admission, invites, contacts, the directory."""

import os
from time import sleep

import wire
from client import Denied, connect
from crypto import now_ms, public
from handshake import raise_close, shake_hands
from identity import (HOUR_MS, Agent, check_inception, check_prekey, check_redeemed, parse_invite,
                      redemption, signed)
from keypackage import key_package, leaf_key
from scenario import Person, closes, denied, equal, expect, open_conversation, scenario
from wire import Code, Contact


@scenario("an agent without an invite is denied")
def stranger(world, bound):
    closes(Code.denied, lambda: connect(world.broker, Agent(), bound))


@scenario("an invite admits once, and makes contacts")
def invite(world, bound):
    a = world.newcomer(bound)
    text = a.invite()
    read = parse_invite(text)
    equal(read.broker, world.broker.key, "broker in the invite")
    b = Person(world.broker, Agent(), bound, read.seed)
    item = a.next_entry().item
    equal(item.table, "Redeemed", "item")
    equal(check_redeemed(item, read.seed), (b.agent.id, b.key), "redeemed by")
    contacts = {c.agent: c.contact for c in a.session.call("ListContacts").contacts}
    equal(contacts.get(b.agent.id), Contact.allowed, "the invitee is a contact")
    contacts = {c.agent: c.contact for c in b.session.call("ListContacts").contacts}
    equal(contacts.get(a.agent.id), Contact.allowed, "the inviter is a contact")
    closes(Code.denied, lambda: connect(world.broker, Agent(), bound, read.seed))
    open_conversation(b, a)


@scenario("an expired invite, one never issued, and one of another session are denied")
def bad_invites(world, bound):
    a = world.newcomer(bound)
    short = parse_invite(a.invite(lifetime_ms=500))
    while now_ms() <= short.expires_ms:  # the clock is what is waited for
        sleep(0.05)
    closes(Code.denied, lambda: connect(world.broker, Agent(), bound, short.seed))
    closes(Code.denied, lambda: connect(world.broker, Agent(), bound, os.urandom(32)))

    seed, agent = parse_invite(a.invite()).seed, Agent()
    socket, handshake = shake_hands(world.broker, agent, bound)
    stolen = redemption(seed, agent, os.urandom(32))
    claims = wire.build(wire.CLAIMS, "Claims", inception=agent.inception, redemption=stolen)
    socket.send(wire.frame("Proof", claims=claims, signature=agent.sign(
        "sealwire/0 proof", handshake.transcript, claims)))
    closes(Code.denied, lambda: _await_close(socket))
    Person(world.broker, Agent(), bound, seed).close()  # the attempt did not use it up


def _await_close(socket):
    raise_close(socket.receive())


@scenario("an agent that is admitted redeems by a call")
def redeem_call(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    seed = parse_invite(a.invite()).seed

    def redeem(transcript):
        b.session.call("Redeem", redemption=redemption(seed, b.agent, transcript))

    denied(Code.denied, lambda: redeem(os.urandom(32)))
    redeem(b.session.transcript)
    equal(check_redeemed(a.next_entry().item, seed)[0], b.agent.id, "redeemed by")
    denied(Code.denied, lambda: redeem(b.session.transcript))
    open_conversation(a, b)


@scenario("published key packages are handed out once, then the last resort")
def key_packages(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    packages = [key_package(b.agent) for _ in range(2)]

    def claim():
        response = a.session.call("Claim", agent=b.agent.id)
        equal(check_inception(response.inception), (b.agent.id, b.key), "inception")
        return response.key_package

    denied(Code.denied, claim)  # B does not allow A yet
    b.session.call("SetContact", agent=a.agent.id, contact=Contact.allowed)
    denied(Code.unknown, claim)
    published = b.session.call("Publish", key_packages=[
        wire.table("KeyPackageBytes", bytes=p) for p in packages])
    equal(published.key_packages, 2, "in the pool")
    equal(sorted([claim(), claim()]), sorted(packages), "the packages")
    denied(Code.unknown, claim)
    last = key_package(b.agent)
    b.session.call("Publish", last_resort=last)
    equal([claim(), claim()], [last, last], "the last resort")
    b.reconnect()
    equal(b.session.ready.key_packages, 0, "left in Ready")


@scenario("a claimer sees that a key package is another's")
def foreign_key_package(world, bound):
    """The broker takes key packages as bytes: the check is the claimer's (KEY-013)."""
    a, b = world.pair(bound)
    for package in (key_package(b.agent), key_package(a.agent)):
        b.session.call("Publish", key_packages=[wire.table("KeyPackageBytes", bytes=package)])
    claimed = [a.session.call("Claim", agent=b.agent.id).key_package for _ in range(2)]
    equal(sorted(leaf_key(p) == b.key for p in claimed), [False, True], "leaf keys")


@scenario("Lookup gives inception and prekey to whom the agent allows")
def lookup(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    denied(Code.denied, lambda: a.session.call("Lookup", agent=b.agent.id))
    denied(Code.denied, lambda: a.session.call("Lookup", agent=os.urandom(32)))
    b.session.call("SetContact", agent=a.agent.id, contact=Contact.allowed)
    equal(a.session.call("Lookup", agent=b.agent.id).prekey, None, "prekey")
    b.session.call("Publish", prekey=b.agent.prekey())
    found = a.session.call("Lookup", agent=b.agent.id)
    equal(check_inception(found.inception), (b.agent.id, b.key), "inception")
    expect(check_prekey(found.prekey, b.key) in b.agent.prekeys, "prekey")


@scenario("a prekey that is forged, or lives too long, is not published")
def bad_prekeys(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    now = now_ms()

    def prekey(seed, instance, expires_ms):
        return signed(seed, wire.PREKEY, "Prekey", suite=1, instance=instance, key=os.urandom(32),
                      created_ms=now, expires_ms=expires_ms)

    week = 7 * 24 * HOUR_MS
    for bad in (prekey(a.agent.seed, b.key, now + week), prekey(a.agent.seed, a.key, now + week),
                prekey(b.agent.seed, b.key, now + week + 1), prekey(b.agent.seed, b.key, now - 1)):
        denied(Code.malformed, lambda p=bad: b.session.call("Publish", prekey=p))
    b.session.call("Publish", prekey=prekey(b.agent.seed, b.key, now + week))


@scenario("the oldest key package gives way beyond 50")
def full_pool(world, bound):
    a, b = world.pair(bound)
    packages = [key_package(b.agent) for _ in range(51)]
    for some in (packages[:1], packages[1:]):
        published = b.session.call("Publish", key_packages=[
            wire.table("KeyPackageBytes", bytes=p) for p in some])
    equal(published.key_packages, 50, "in the pool")
    equal(a.session.call("Claim", agent=b.agent.id).key_package, packages[1], "the oldest left")


@scenario("an invite's time, and its key, are checked when it is issued")
def bad_issues(world, bound):
    a = world.newcomer(bound)
    key, now = public(os.urandom(32)), now_ms()

    def issue(expires_ms):
        a.session.call("IssueInvite", key=key, expires_ms=expires_ms)

    denied(Code.denied, lambda: issue(now - 1))
    denied(Code.denied, lambda: issue(now + 7 * 24 * HOUR_MS + 60_000))
    issue(now + 7 * 24 * HOUR_MS)
    denied(Code.denied, lambda: issue(now + HOUR_MS))  # the key is in use


@scenario("an admitted agent's used invite is ignored, a wrong redemption is not")
def second_try(world, bound):
    a = world.newcomer(bound)
    seed, agent = parse_invite(a.invite()).seed, Agent()
    for _ in range(2):
        Person(world.broker, agent, bound, seed).close()
    socket, handshake = shake_hands(world.broker, agent, bound)
    seed, transcript = parse_invite(a.invite()).seed, handshake.transcript
    handshake.transcript = os.urandom(32)
    claims = wire.build(wire.CLAIMS, "Claims", inception=agent.inception,
                        redemption=redemption(seed, agent, handshake.transcript))
    socket.send(wire.frame("Proof", claims=claims, signature=agent.sign(
        "sealwire/0 proof", transcript, claims)))
    closes(Code.denied, lambda: _await_close(socket))


@scenario("SetContact, ListContacts, and no answer about who exists")
def contacts(world, bound):
    a, b = world.newcomer(bound), world.newcomer(bound)
    for contact in (Contact.allowed, Contact.blocked):
        a.session.call("SetContact", agent=b.agent.id, contact=contact)
        listed = {c.agent: c.contact for c in a.session.call("ListContacts").contacts}
        equal(listed.get(b.agent.id), contact, "contact")
    a.session.call("SetContact", agent=b.agent.id, contact=Contact.none)
    listed = {c.agent: c.contact for c in a.session.call("ListContacts").contacts}
    equal(listed.get(b.agent.id, Contact.none), Contact.none, "contact")
    a.session.call("SetContact", agent=os.urandom(32), contact=Contact.allowed)


@scenario("an invite's seed is not the broker's: its public key alone is issued")
def foreign_seed(world, bound):
    a = world.newcomer(bound)
    seed, other = os.urandom(32), os.urandom(32)
    a.session.call("IssueInvite", key=public(seed), expires_ms=now_ms() + HOUR_MS)
    agent = Agent()
    socket, handshake = shake_hands(world.broker, agent, bound)
    forged = signed(other, wire.REDEMPTION, "Redemption", suite=1, invite=public(seed),
                    agent=agent.id, transcript=handshake.transcript)
    claims = wire.build(wire.CLAIMS, "Claims", inception=agent.inception, redemption=forged)
    socket.send(wire.frame("Proof", claims=claims, signature=agent.sign(
        "sealwire/0 proof", handshake.transcript, claims)))
    closes(Code.denied, lambda: _await_close(socket))
