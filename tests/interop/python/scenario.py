"""What scenarios share: their register, people with sessions, and what is expected of a refusal."""

import os
from collections import namedtuple

import wire
from client import Denied, connect
from crypto import now_ms, public
from envelope import Chain, check_envelope
from handshake import SessionClosed
from identity import HOUR_MS, Agent, check_redeemed, invite_text, parse_invite

SCENARIOS = []
Scenario = namedtuple("Scenario", "title function bound")


def scenario(title, bindings=(True, False)):
    """Registers a check, to be run on bound sessions, on unbound ones, or on both."""
    def register(function):
        SCENARIOS.extend(Scenario(f"{title} ({'bound' if b else 'sealed'})", function, b)
                         for b in bindings)
        return function
    return register


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, wanted, what):
    expect(got == wanted, f"{what}: {got!r} instead of {wanted!r}")


def same_code(got, wanted, what="code"):
    equal(wire.code_name(got), wire.code_name(wanted), what)


def rejected(answer, code):
    """The Rejection with which a bundle was answered."""
    expect(getattr(answer, "table", None) == "Rejection", f"accepted, not {wire.code_name(code)}")
    same_code(answer.code, code)
    return answer


def accepted(answer):
    """The receipts with which a bundle was answered."""
    if getattr(answer, "table", None) == "Rejection":
        raise AssertionError(f"rejected: {wire.code_name(answer.code)}")
    return answer


def closes(code, action):
    """The action ends in the broker's Close with this code."""
    try:
        action()
    except SessionClosed as closed:
        return same_code(closed.code, code, "close")
    raise AssertionError("no Close came")


def denied(code, action):
    """The call is answered by this code."""
    try:
        action()
    except Denied as refused:
        return same_code(refused.code, code, "reply")
    raise AssertionError(f"done, not {wire.code_name(code)}")


class Person:
    """An agent and its present session."""

    def __init__(self, broker, agent, bound, invite_seed=None):
        self.broker, self.agent, self.bound = broker, agent, bound
        self.session = connect(broker, agent, bound, invite_seed)
        self.chain = None

    @property
    def key(self):
        return self.agent.key

    def reconnect(self, acked=0, incarnation=None):
        self.session = connect(self.broker, self.agent, self.bound, None, acked, incarnation)
        return self.session

    def invite(self, lifetime_ms=HOUR_MS):
        """Issues an invite and gives its text, as it would go to the invitee out of band."""
        seed = os.urandom(32)
        expires_ms = now_ms() + lifetime_ms
        self.session.call("IssueInvite", key=public(seed), expires_ms=expires_ms)
        return invite_text(self.agent, self.broker.key, [self.broker.uri], expires_ms, seed)

    def next_entry(self):
        """One entry more, acknowledged."""
        self.session.grant(1)
        entry = self.session.take(1)[0]
        if entry.sequence:
            self.session.ack(entry.sequence)
        return entry

    def next_envelope(self):
        """The envelope in the next entry, checked."""
        entry = self.next_entry()
        equal(entry.item.table, "Delivery", "item")
        return check_envelope(entry.item.envelope)

    def close(self):
        self.session.close()


class World:
    """A broker with one admitted agent, who invites everybody else."""

    def __init__(self, broker):
        self.broker = broker
        self.host = Person(broker, broker.first_agent, True)

    def newcomer(self, bound):
        """A fresh agent, admitted by the host's invite. The host's mailbox is left clean."""
        invite = parse_invite(self.host.invite())
        person = Person(self.broker, Agent(), bound, invite.seed)
        item = self.host.next_entry().item
        equal(check_redeemed(item, invite.seed)[0], person.agent.id, "who redeemed")
        return person

    def pair(self, bound):
        """Two fresh agents who allow each other."""
        a, b = self.newcomer(bound), self.newcomer(bound)
        befriend(a, b)
        return a, b

    def conversation(self, bound):
        """A pair with an open conversation, everything delivered: both chains stand in epoch 1."""
        a, b = self.pair(bound)
        open_conversation(a, b)
        return a, b


def befriend(a, b):
    for one, other in ((a, b), (b, a)):
        one.session.call("SetContact", agent=other.agent.id, contact=wire.Contact.allowed)


def open_conversation(a, b):
    """A opens a conversation, and B takes the welcome, all that a joiner gets of the opening."""
    a.chain = Chain()
    bundle = a.chain.opening(a.agent, b.key)
    accepted(a.session.send(bundle)[0])
    a.chain.take(bundle[0].header, bundle[0].link)
    a.chain.enter(1)
    equal(b.next_envelope().id, bundle[1].id, "the welcome")
    b.chain = Chain(a.chain.conversation, 1, 1)


def say(sender, body=b"opaque", **fields):
    """Sends the next application envelope of a chain; gives it and its receipt."""
    envelope = sender.chain.application(sender.agent, body, **fields)
    receipt = accepted(sender.session.send([envelope])[0])[0]
    sender.chain.take(envelope.header, envelope.link)
    return envelope, receipt


def refuse(sender, envelopes, code):
    """The bundle is refused with this code."""
    envelopes = envelopes if isinstance(envelopes, list) else [envelopes]
    return rejected(sender.session.send(envelopes)[0], code)


def goes_on(sender, receiver):
    """The sender's chain stands where it stood, and nothing refused was delivered."""
    sent = say(sender)[0]
    equal(receiver.next_envelope().id, sent.id, "the next delivered")
