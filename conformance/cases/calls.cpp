// SPEC chapter DLV: calls.
#include "conformance/runner/run.h"

namespace conformance {
namespace {

wire::Contact contact_of(Person& owner, const Bytes& other) {
  const auto reply = done(owner->call({"ListContacts", {}}));
  const auto* contacts = reply.as<wire::Contacts>()->contacts();
  if (contacts != nullptr)
    for (const auto* one : *contacts)
      if (copy(one->agent()) == other) return one->contact();
  return wire::Contact::none;
}

}  // namespace

Cases call_cases() {
  Cases cases;
  cases.push_back(
      {.id = "DLV-050.ids",
       .steps = "Sends calls with the ids 0, 7 and 2^32-1 and waits for more Replies than those",
       .expects = "one Reply of each id",
       .run = [](Run& t) {
         Person a = t.newcomer();
         for (const std::uint64_t id :
              {std::uint64_t{0}, std::uint64_t{4'000'000'007}, std::uint64_t{0xffffffff}})
           a->send(Table{"Call", {{"id", id}, {"request", Table{"ListContacts", {}}}}});
         // A second Reply to an id throws in pump().
         expect(a->nothing_comes(), "no entry");
         done(a->call({"ListContacts", {}}));
       }});
  cases.push_back({.id = "DLV-050.refused",
                   .steps = "Calls what is denied",
                   .expects = "Reply(denied) without a response",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         for (const char* call : {"Lookup", "Claim"})
                           denied(a->call({call, {{"agent", random_bytes(32)}}}), Code::denied);
                         denied(a->call({"GetConversation", {{"conversation", random_bytes(16)}}}),
                                Code::denied);
                       },
                   .also = {"DLV-055", "ERR-003"}});
  cases.push_back(
      {.id = "DLV-053.default",
       .steps = "Looks up, claims from and writes to an agent that has not said anything of the "
                "caller, and to one that does not exist",
       .expects = "Reply(denied), the same for both",
       .run =
           [](Run& t) {
             Person a = t.newcomer(), b = t.newcomer();
             done(b->call(
                 {"Publish", {{"prekey", b.agent.prekey()}, {"last_resort", random_bytes(100)}}}));
             for (const char* call : {"Lookup", "Claim"})
               for (const Bytes& id : {b.agent.id, Agent().id})
                 denied(a->call({call, {{"agent", id}}}), Code::denied);
             expect(contact_of(b, a.agent.id) == wire::Contact::none, "no contact");
           },
       .also = {"ERR-003"}});
  for (const int contact : {0, 2})
    cases.push_back(
        {.id = "DLV-053.set-to-" + std::to_string(contact),
         .steps = "Allows an agent, then sets its contact to " + std::to_string(contact),
         .expects = "Found and Claimed, then Reply(denied)",
         .run =
             [contact](Run& t) {
               Person a = t.newcomer(), b = t.newcomer();
               done(b->call({"Publish", {{"last_resort", random_bytes(100)}}}));
               done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 1}}}));
               done(a->call({"Lookup", {{"agent", b.agent.id}}}));
               done(a->call({"Claim", {{"agent", b.agent.id}}}));
               done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", contact}}}));
               denied(a->call({"Lookup", {{"agent", b.agent.id}}}), Code::denied);
               denied(a->call({"Claim", {{"agent", b.agent.id}}}), Code::denied);
             },
         .ways = kBound | kCurve});
  cases.push_back({.id = "DLV-053.one-way",
                   .steps = "Allows an agent that has not allowed it",
                   .expects = "the allowed one may look up, the other may not",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer(), b = t.newcomer();
                         done(b->call({"SetContact", {{"agent", a.agent.id}, {"contact", 1}}}));
                         done(a->call({"Lookup", {{"agent", b.agent.id}}}));
                         denied(b->call({"Lookup", {{"agent", a.agent.id}}}), Code::denied);
                       },
                   .ways = kBound});
  cases.push_back(
      {.id = "DLV-056.alike",
       .steps = "Sets the contact of an agent that exists and of one that does not, to each value",
       .expects = "Done each time, and ListContacts has it",
       .run = [](Run& t) {
         Person a = t.newcomer(), b = t.newcomer();
         for (const Bytes& id : {b.agent.id, Agent().id})
           for (const int contact : {1, 2, 0, 2}) {
             const auto reply =
                 done(a->call({"SetContact", {{"agent", id}, {"contact", contact}}}));
             expect(reply.frame->as<wire::Reply>()->response_type() == wire::Response::Done,
                    "Done");
             expect(contact_of(a, id) == static_cast<wire::Contact>(contact),
                    "the contact is listed");
           }
       }});
  cases.push_back(
      {.id = "DLV-056.own",
       .steps = "Sets the contact of its own agent id",
       .expects =
           "a Reply other than a change: the session and its own envelopes stay as they were",
       .run =
           [](Run& t) {
             Person a = t.newcomer();
             a->call({"SetContact", {{"agent", a.agent.id}, {"contact", 2}}});
             done(a->call({"Lookup", {{"agent", a.agent.id}}}));
           },
       .ways = kBound});
  cases.push_back({.id = "DLV-056.persists",
                   .steps = "Sets contacts and connects again",
                   .expects = "they are listed",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const Bytes other = random_bytes(32);
                         done(a->call({"SetContact", {{"agent", other}, {"contact", 2}}}));
                         t.reconnect(a);
                         expect(contact_of(a, other) == wire::Contact::blocked, "blocked");
                       },
                   .ways = kBound});
  cases.push_back({.id = "DLV-051.rate",
                   .steps = "Claims a contact's last resort up to 2000 times",
                   .expects = "Claimed, and from some point on Reply(rate_limited)",
                   .run =
                       [](Run& t) {
                         auto [a, b] = t.pair();
                         done(b->call({"Publish", {{"last_resort", random_bytes(50)}}}));
                         for (int i = 0; i < 2000; ++i) {
                           const auto reply = a->call({"Claim", {{"agent", b.agent.id}}});
                           if (reply.code == Code::ok) continue;
                           denied(reply, Code::rate_limited);
                           // Another kind of call is not what was limited, or the cause is another
                           // limit.
                           done(a->call({"ListContacts", {}}));
                           return;
                         }
                         throw Failure("2000 claims were answered");
                       },
                   .ways = kBound});
  cases.push_back({.id = "DLV-052.none",
                   .steps = "Claims from a contact that has published nothing",
                   .expects = "Reply(unknown)",
                   .run = [](Run& t) {
                     auto [a, b] = t.pair();
                     denied(a->call({"Claim", {{"agent", b.agent.id}}}), Code::unknown);
                     const auto found = done(a->call({"Lookup", {{"agent", b.agent.id}}}));
                     expect(found.as<wire::Found>()->prekey() == nullptr, "no prekey");
                     same(view(found.as<wire::Found>()->inception()->statement()),
                          b.agent.inception.statement, "the inception");
                   }});
  cases.push_back(
      {.id = "ERR-003.conversation",
       .steps = "Asks for the state of a conversation of others, and of one that does not exist",
       .expects = "Reply(denied) for both",
       .run = [](Run& t) {
         auto [a, b] = t.conversation();
         Person c = t.newcomer();
         for (const Bytes& id : {a.chain.conversation, random_bytes(16)})
           denied(c->call({"GetConversation", {{"conversation", id}}}), Code::denied);
       }});
  cases.push_back(
      {.id = "DLV-055.conversation-state",
       .steps = "Asks for a conversation's state after sending",
       .expects = "the remains of the caller's own last envelope, which verify",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             say(a);
             const Envelope last = say(a);
             say(b);
             const auto reply =
                 done(a->call({"GetConversation", {{"conversation", a.chain.conversation}}}));
             const auto* state = reply.as<wire::ConversationState>();
             const Remains remains{copy(state->last_header()), copy(state->last_body_hash()),
                                   copy(state->last_signature())};
             expect(remains == last.remains(), "the caller's own last");
             remains.check(a.key());
             equal(state->sequence(), 5u, "sequence");
           },
       .ways = kBound | kCurve});
  return cases;
}

}  // namespace conformance
