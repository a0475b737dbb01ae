// Seeds of the frame target: one frame of most types.
#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  crypto::initialise();
  fuzz::Corpus corpus(argv[1]);
  const auto add = [&corpus](auto build) {
    flatbuffers::FlatBufferBuilder b;
    corpus.add(finish_frame(b, build(b)));
  };

  fuzz::Ends ends(true);
  const Bytes hello = ends.client.hello();
  const Bytes challenge = ends.server.on_hello(hello).value();
  corpus.add(hello);
  corpus.add(challenge);
  corpus.add(ends.client.on_challenge(challenge).value());

  const Bytes id(16, 1), hash(32, 2), signature(64, 3);
  const auto signed_ = [&](flatbuffers::FlatBufferBuilder& b) {
    return to_wire(b, make_inception(fuzz::sample_key(1), fuzz::kNow));
  };
  add([&](auto& b) { return wire::CreateReady(b, put(b, id), put(b, id), 1, 2, 3, 4); });
  add([&](auto& b) {
    std::vector<flatbuffers::Offset<wire::EnvelopeBytes>> envelopes;
    for (const Kind kind : {Kind::commit, Kind::welcome})
      envelopes.push_back(wire::CreateEnvelopeBytes(b, put(b, fuzz::sample_envelope(kind))));
    const std::vector bundles{wire::CreateBundle(b, b.CreateVector(envelopes))};
    return wire::CreateSend(b, b.CreateVector(bundles));
  });
  add([&](auto& b) { return wire::CreateAccepted(b, put(b, hash), put(b, signature)); });
  add([&](auto& b) {
    const std::vector rejections{wire::CreateRejection(b, put(b, id), wire::Code::stale_epoch, 1, 2,
                                                       put(b, hash), put(b, hash),
                                                       put(b, signature))};
    return wire::CreateRejected(b, b.CreateVector(rejections));
  });
  add([&](auto& b) {
    const auto delivery =
        wire::CreateDelivery(b, put(b, fuzz::sample_envelope(Kind::application))).Union();
    const auto tombstone =
        wire::CreateTombstone(b, put(b, hash), put(b, hash), put(b, signature)).Union();
    const auto refused = wire::CreateRefused(b, signed_(b)).Union();
    const auto redeemed = wire::CreateRedeemed(b, signed_(b), signed_(b)).Union();
    const std::vector entries{wire::CreateEntry(b, 1, 1, wire::Item::Delivery, delivery),
                              wire::CreateEntry(b, 2, 2, wire::Item::Tombstone, tombstone),
                              wire::CreateEntry(b, 3, 0, wire::Item::Refused, refused),
                              wire::CreateEntry(b, 4, 0, wire::Item::Redeemed, redeemed)};
    return wire::CreateDeliver(b, b.CreateVector(entries));
  });
  add([&](auto& b) { return wire::CreateAck(b, 7); });
  add([&](auto& b) { return wire::CreateCredit(b, 7, 7000); });
  add([&](auto& b) { return wire::CreateNack(b, 7, signed_(b)); });
  add([&](auto& b) {
    const std::vector packages{wire::CreateKeyPackageBytes(b, put(b, hash))};
    const auto publish =
        wire::CreatePublish(b, b.CreateVector(packages), put(b, hash), signed_(b)).Union();
    return wire::CreateCall(b, 1, wire::Request::Publish, publish);
  });
  add([&](auto& b) {
    const auto request = wire::CreateSetContact(b, put(b, hash), wire::Contact::allowed).Union();
    return wire::CreateCall(b, 2, wire::Request::SetContact, request);
  });
  add([&](auto& b) {
    const std::vector contacts{wire::CreateContactEntry(b, put(b, hash), wire::Contact::blocked)};
    const auto response = wire::CreateContacts(b, b.CreateVector(contacts)).Union();
    return wire::CreateReply(b, 2, wire::Code::ok, wire::Response::Contacts, response);
  });
  add([&](auto& b) {
    const auto response = wire::CreateClaimed(b, signed_(b), put(b, hash)).Union();
    return wire::CreateReply(b, 3, wire::Code::ok, wire::Response::Claimed, response);
  });
  add([&](auto& b) { return wire::CreatePing(b, 9); });
  add([&](auto& b) { return wire::CreateClose(b, wire::Code::replaced); });
  return 0;
}
