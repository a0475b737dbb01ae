// What an honest broker answers to its one agent.
#include <sodium.h>

#include "conformance/peer/hosted.h"
#include "conformance/runner/failure.h"

namespace conformance {

constexpr std::size_t kDeliverEntriesMax = 256;  // FRM-008

std::uint64_t HostStore::put(const Envelope& envelope) {
  return put(Table{"Delivery", {{"envelope", envelope.bytes}}}, envelope);
}

std::uint64_t HostStore::put(Table item, Envelope about) {
  const std::uint64_t sequence = mailbox.size() + 1;
  mailbox.push_back({"Entry", {{"sequence", sequence}, {"item", std::move(item)}}});
  waits.push_back(std::move(about));
  return sequence;
}

std::string HostStore::invite_text(const std::string& endpoint) const {
  const Bytes invite = finish("SWIT", {"Invite",
                                       {{"inviter", peer.inception},
                                        {"broker", key},
                                        {"endpoints", std::vector<std::string>{endpoint}},
                                        {"expires_ms", now_ms() + kHour},
                                        {"seed", invite_seed}}});
  static constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(invite.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), invite.data(), invite.size(), kVariant);
  text.pop_back();
  return "sealwire-invite:" + text;
}

void Hosted::reply(std::uint32_t id, Code code, std::optional<Table> response) {
  Table body{"Reply", {{"id", id}, {"code", code}}};
  send(response ? body.with("response", *response) : body);
}

void Hosted::on_call(const wire::Call& call) {
  const Bytes& peer = store_.peer.id;
  switch (call.request_type()) {
    case wire::Request::Publish: {
      const auto* publish = call.request_as_Publish();
      if (const auto* packages = publish->key_packages())
        for (const auto* each : *packages)
          store_.key_packages.push_back(copy(each->bytes()));
      if (publish->last_resort() != nullptr) store_.last_resort = copy(publish->last_resort());
      if (const auto* prekey = publish->prekey()) {
        Bytes held;
        const auto* root = statement<wire::Prekey>(held, view(prekey->statement()), "SWPK");
        const std::uint64_t now = now_ms();
        if (copy(root->instance()) != store_.agent_key || root->suite() != 1 ||
            root->created_ms() > now + 5 * kMinute || root->expires_ms() <= now ||
            root->expires_ms() - root->created_ms() > 7 * kDay ||
            !verify(store_.agent_key, labelled("sealwire/0 prekey", {view(prekey->statement())}),
                    view(prekey->signature())))
          throw Failure("the published prekey is not valid (KEY-005)");
        store_.prekey = copy(root->key());
      }
      return reply(call.id(), Code::ok,
                   Table{"Published", {{"key_packages", store_.key_packages.size()}}});
    }
    case wire::Request::Lookup:
      if (copy(call.request_as_Lookup()->agent()) != peer) return reply(call.id(), Code::denied);
      return reply(
          call.id(), Code::ok,
          Table{"Found", {{"inception", store_.peer.inception}, {"prekey", store_.peer.prekey()}}});
    case wire::Request::Claim:
      ++store_.claims;
      if (store_.claimed.name.empty()) return reply(call.id(), Code::unknown);
      return reply(call.id(), Code::ok, store_.claimed);
    case wire::Request::ListContacts:
      return reply(call.id(), Code::ok,
                   Table{"Contacts",
                         {{"contacts", std::vector<Table>{
                                           {"ContactEntry", {{"agent", peer}, {"contact", 1}}}}}}});
    case wire::Request::Redeem:
      check_redemption(*call.request_as_Redeem()->redemption());
      return reply(call.id(), Code::ok, Table{"Done", {}});
    case wire::Request::SetContact:
    case wire::Request::IssueInvite:
      return reply(call.id(), Code::ok, Table{"Done", {}});
    default:
      return reply(call.id(), Code::denied);
  }
}

void Hosted::accept(const wire::Send& send_frame) {
  std::vector<Table> receipts;
  std::uint64_t sequence = store_.sent.size();
  for (const auto* bundle : *send_frame.bundles()) {
    store_.bundles.push_back(bundle->envelopes()->size());
    for (const auto* each : *bundle->envelopes()) {
      Bytes held = copy(each->bytes());
      flatbuffers::Verifier verifier(held.data(), held.size(), 2, 2);
      if (!identified(held, "SWEN") || !verifier.VerifyBuffer<wire::Envelope>("SWEN"))
        throw Failure("the agent sent an envelope that is none (ENV-002)");
      const auto* envelope = flatbuffers::GetRoot<wire::Envelope>(held.data());
      const Remains remains{copy(envelope->header()), hash(view(envelope->body())),
                            copy(envelope->signature())};
      remains.check(store_.agent_key);
      store_.sent.push_back(held);
      receipts.push_back(
          {"Receipt",
           {{"id", remains.id()}, {"digest", remains.digest()}, {"sequence", ++sequence}}});
    }
  }
  const Bytes acceptance = finish(
      "SWAC",
      {"Acceptance",
       {{"receipts", receipts}, {"accepted_ms", now_ms()}, {"incarnation", store_.incarnation}}});
  send({"Accepted",
        {{"acceptance", acceptance},
         {"signature", sign(store_.seed, labelled("sealwire/0 acceptance", {acceptance}))}}});
}

void Hosted::on_nack(const wire::Nack& nack) {
  const std::uint64_t sequence = nack.sequence();
  if (sequence == 0 || sequence > delivered_)
    throw Failure("a Nack of what was not delivered (DLV-028)");
  const Envelope& about = store_.waits[sequence - 1];
  Bytes held;
  const auto* refusal = statement<wire::Refusal>(held, view(nack.refusal()->statement()), "SWNK");
  if (copy(refusal->issuer()) != store_.agent_key ||
      !verify(store_.agent_key, labelled("sealwire/0 refusal", {view(nack.refusal()->statement())}),
              view(nack.refusal()->signature())))
    throw Failure("the Refusal in a Nack is not signed by the agent's key (DLV-028)");
  if (copy(refusal->id()) != about.id || copy(refusal->digest()) != about.digest())
    throw Failure("the Refusal in a Nack names another envelope than the entry's (DLV-032)");
  if (refusal->code() == Code::ok) throw Failure("a Refusal with the code ok");
  store_.nacked.insert(sequence);
}

void Hosted::deliver() {
  if (!ready_ || closed) return;
  std::vector<Table> entries;
  while (delivered_ < store_.mailbox.size() && used_entries_ < credit_entries_ &&
         entries.size() < kDeliverEntriesMax) {
    const std::size_t cost = std::max<std::size_t>(store_.waits[delivered_].bytes.size(), 1024);
    if (used_bytes_ + cost > credit_bytes_) break;
    used_entries_ += 1;
    used_bytes_ += cost;
    entries.push_back(store_.mailbox[delivered_++]);
  }
  if (!entries.empty()) send({"Deliver", {{"entries", entries}}});
}

}  // namespace conformance
