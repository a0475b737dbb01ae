// SPEC chapter ERR: what a refusal may say, and that it changes nothing.
#include "conformance/runner/run.h"

namespace conformance {

Cases error_cases() {
  Cases cases;
  cases.push_back({.id = "ERR-001.coarse",
                   .steps = "Makes a Proof wrong in four ways: signature, inception's signature, "
                            "inception's key, inception's suite",
                   .expects = "Close frames equal to the byte",
                   .run =
                       [](Run& t) {
                         std::optional<Bytes> first;
                         for (int which = 0; which < 4; ++which) {
                           Handshake h = t.handshake(t.stranger());
                           h.greet();
                           Signed inception = h.agent.inception;
                           if (which == 1) inception.signature = flipped(inception.signature, 2);
                           if (which == 2) inception = Agent().inception;
                           if (which == 3)
                             inception =
                                 sign_statement(h.agent.seed, "inception",
                                                finish("SWIN", inception_table(h.agent.key, 2)));
                           Table proof = h.proof({"Claims", {{"inception", inception}}});
                           if (which == 0) proof = proof.with("signature", Bytes(64, 4));
                           h.send_proof(proof);
                           const auto message = h.connection->receive();
                           if (!message)
                             throw Failure("the connection closed without Close(unauthenticated)");
                           expect(Frame::close_code(*message) == Code::unauthenticated,
                                  "Close(unauthenticated)");
                           if (first) same(*message, *first, "the Close");
                           first = *message;
                         }
                       },
                   .ways = kBound});
  cases.push_back({.id = "ERR-001.invite-alike",
                   .steps = "Redeems an unknown invite, a used one, and shakes hands without any",
                   .expects = "Close frames equal to the byte: nobody learns which",
                   .run =
                       [](Run& t) {
                         Person a = t.newcomer();
                         const Bytes used = t.invite_by(a);
                         t.connect(t.stranger(), used);
                         std::optional<Bytes> first;
                         for (const Bytes& seed : {Bytes(), used, random_bytes(32)}) {
                           Handshake h = t.handshake(t.stranger());
                           h.greet();
                           Table claims = h.claims();
                           if (!seed.empty())
                             claims =
                                 claims.with("redemption", h.agent.redemption(seed, h.transcript));
                           h.send_proof(h.proof(claims));
                           const auto message = h.connection->receive();
                           if (!message)
                             throw Failure("the connection closed without Close(denied)");
                           expect(Frame::close_code(*message) == Code::denied, "Close(denied)");
                           if (first) same(*message, *first, "the Close");
                           first = *message;
                         }
                       },
                   .also = {"ERR-003"},
                   .ways = kBound});
  cases.push_back(
      {.id = "ERR-004.many",
       .steps = "Sends twenty envelopes that are refused, each for another reason",
       .expects = "the conversation's sequence, epoch and chain are as before",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const auto base = a.chain.header(a.agent, kind::application);
             for (int round = 0; round < 4; ++round)
               for (const Table& header :
                    {base.with("suite", 2), base.with("epoch", 7), base.with("sender_seq", 7),
                     base.with("kind", 9), base.with("conversation", random_bytes(16))})
                 expect(a->send({seal(a.agent, finish("SWHD", header.with("id", uuid7(now_ms()))),
                                      Bytes(9))})
                            .rejection.has_value(),
                        "refused");
             const auto reply =
                 done(a->call({"GetConversation", {{"conversation", a.chain.conversation}}}));
             equal(reply.as<wire::ConversationState>()->sequence(), 2u, "sequence");
             equal(reply.as<wire::ConversationState>()->epoch(), 1u, "epoch");
             equal(accepted(a->send({a.chain.application(a.agent)})).at(0).sequence, 3u,
                   "the next sequence");
           },
       .ways = kAllWays});
  cases.push_back(
      {.id = "ERR-004.refused-id-is-free",
       .steps = "Sends an envelope that is refused, then a right one under the same id",
       .expects = "accepted: a refused id was never used",
       .run =
           [](Run& t) {
             auto [a, b] = t.conversation();
             const Envelope e = a.chain.application(a.agent);
             const Table wrong =
                 a.chain.header(a.agent, kind::application).with("id", e.id).with("sender_seq", 5);
             refuses(a, {seal(a.agent, finish("SWHD", wrong), Bytes(3))}, Code::chain_broken);
             accepted(a->send({e}));
             receives(b, e);
           },
       .also = {"DLV-005"},
       .ways = kBound | kCurve});
  return cases;
}

}  // namespace conformance
