// One member of MLS groups that does what it is told: a line of JSON in, a line of JSON out. Byte
// strings travel as hex. `interop.mjs` drives it.
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "protocol/crypto/hpke.h"
#include "protocol/mls/group.h"

namespace {

using namespace sealwire;
using nlohmann::json;

std::string hex(ByteSpan bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

Bytes unhex(const json& value) {
  const auto text = value.get<std::string>();
  Bytes out(text.size() / 2);
  if (text.empty()) return out;
  if (sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, nullptr, nullptr) !=
      0)
    throw std::invalid_argument("not hex");
  return out;
}

template <class T>
T must(Result<T> result) {
  if (!result)
    throw std::runtime_error(std::string(name(result.error().code)) + ": " + result.error().detail);
  return std::move(*result);
}
void must(Result<> result) {
  if (!result)
    throw std::runtime_error(std::string(name(result.error().code)) + ": " + result.error().detail);
}

UnixMillis now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

std::span<const std::uint8_t, 32> key_span(const Bytes& bytes) {
  return std::span<const std::uint8_t, 32>(bytes);
}

class Peer {
 public:
  json answer(const json& request) {
    const auto& operation = operations_.at(request.at("op").get<std::string>());
    return operation(request);
  }

 private:
  using Operation = std::function<json(const json&)>;

  mls::Policy policy() {
    mls::Policy policy;
    policy.validator = [](const mls::LeafIdentity& claimed, const mls::LeafIdentity* before) {
      return as_text(claimed.identity) == "peer:" + hex(claimed.signature_key) &&
             (!before || *before == claimed);
    };
    policy.psk_lookup = [this](const mls::PskName& wanted) -> std::optional<SecretBytes> {
      const auto found = psks_.find(wanted.id);
      if (found == psks_.end()) return std::nullopt;
      return SecretBytes(ByteSpan(found->second));
    };
    return policy;
  }
  json state() {
    return {
        {"epoch", group_->epoch()},
        {"members", group_->members().size()},
        {"authenticator", hex(group_->epoch_authenticator().span())},
        {"exported", hex(must(group_->export_secret("interop", as_bytes("context"), 32)).span())}};
  }
  json commit(const json& request) {
    mls::CommitSpec spec;
    for (const json& add : request.value("adds", json::array()))
      spec.adds.push_back(unhex(add));
    for (const json& leaf : request.value("removes", json::array()))
      spec.removes.push_back(mls::LeafIndex{leaf.get<std::uint32_t>()});
    for (const json& psk : request.value("psks", json::array()))
      spec.external_psks.push_back(unhex(psk));
    spec.force_path = request.value("path", true);
    const auto made =
        must(group_->commit(spec, as_bytes(request.value("aad", "")), random_, now()));
    return {{"commit", hex(made.commit)},
            {"welcome", made.welcome ? json(hex(*made.welcome)) : json()},
            {"group_info", hex(made.group_info)}};
  }
  json process(const json& request) {
    const auto done = must(group_->process(unhex(request.at("message"))));
    return {{"commit", done.kind == mls::Processed::Kind::commit},
            {"self_removed", done.self_removed},
            {"aad", as_text(done.authenticated_data)},
            {"added", done.added.size()},
            {"removed", done.removed.size()}};
  }
  json hpke_seal(const json& request) {
    const auto sealed = must(crypto::hpke::seal_base(
        key_span(unhex(request.at("key"))), as_bytes(request.at("info").get<std::string>()),
        as_bytes(request.at("aad").get<std::string>()),
        as_bytes(request.at("text").get<std::string>()), random_));
    return {{"enc", hex(sealed.enc)}, {"ciphertext", hex(sealed.ciphertext)}};
  }
  json hpke_open(const json& request) {
    const Bytes opened = must(crypto::hpke::open_base(
        unhex(request.at("enc")), agreement_, as_bytes(request.at("info").get<std::string>()),
        as_bytes(request.at("aad").get<std::string>()), unhex(request.at("ciphertext"))));
    return {{"text", as_text(opened)}};
  }
  json hpke_export(const json& request) {
    const auto secret = must(crypto::hpke::receive_export_base(
        unhex(request.at("enc")), agreement_, as_bytes(request.at("info").get<std::string>()),
        as_bytes(request.at("context").get<std::string>()), 32));
    return {{"secret", hex(secret.span())}};
  }

  crypto::SystemRandom random_;
  crypto::SigningKey key_ = crypto::SigningKey::generate(random_);
  crypto::AgreementKey agreement_ = crypto::AgreementKey::generate(random_);
  std::string identity_ = "peer:" + hex(key_.public_bytes());
  std::map<Bytes, Bytes> psks_;
  std::optional<mls::KeyPackageBundle> bundle_;
  std::optional<mls::Group> group_;

  const std::map<std::string, Operation> operations_ = {
      {"key_package",
       [this](const json&) -> json {
         bundle_ =
             must(mls::make_key_package(key_, as_bytes(identity_), kDayMs, false, random_, now()));
         return {{"key_package", hex(bundle_->key_package)}};
       }},
      {"create",
       [this](const json& r) -> json {
         group_ = must(mls::Group::create(unhex(r.at("group_id")), key_, as_bytes(identity_),
                                          policy(), random_, now()));
         return state();
       }},
      {"join",
       [this](const json& r) -> json {
         group_ = must(mls::Group::join(unhex(r.at("welcome")), *bundle_, key_, policy()));
         return state();
       }},
      {"psk",
       [this](const json& r) -> json {
         psks_[unhex(r.at("id"))] = unhex(r.at("psk"));
         return json::object();
       }},
      {"state", [this](const json&) { return state(); }},
      {"own_leaf",
       [this](const json&) -> json {
         return {{"leaf", mls::value(group_->own_leaf())}};
       }},
      {"commit", [this](const json& r) { return commit(r); }},
      {"apply",
       [this](const json&) {
         must(group_->apply_pending());
         return state();
       }},
      {"process", [this](const json& r) { return process(r); }},
      {"propose_update",
       [this](const json&) -> json {
         return {{"message", hex(must(group_->propose_update({}, random_)))}};
       }},
      {"propose_add",
       [this](const json& r) -> json {
         return {
             {"message", hex(must(group_->propose_add(unhex(r.at("key_package")), {}, now())))}};
       }},
      {"seal",
       [this](const json& r) -> json {
         const auto text = r.at("text").get<std::string>();
         const auto aad = r.value("aad", "");
         return {
             {"message", hex(must(group_->seal(as_bytes(text), as_bytes(aad), random_)).message)}};
       }},
      {"open",
       [this](const json& r) -> json {
         const auto opened = must(group_->open(unhex(r.at("message"))));
         return {{"text", as_text(opened.plaintext)},
                 {"aad", as_text(opened.authenticated_data)},
                 {"sender", mls::value(opened.sender)},
                 {"generation", opened.generation}};
       }},
      {"restart",
       [this](const json&) {
         const auto big = group_->serialize();
         const auto small = group_->serialize_ratchets();
         group_ = must(mls::Group::deserialize(big.span(), small.span(), key_, policy()));
         return state();
       }},
      {"hpke_key",
       [this](const json&) -> json {
         return {{"key", hex(agreement_.public_key)}};
       }},
      {"hpke_seal", [this](const json& r) { return hpke_seal(r); }},
      {"hpke_open", [this](const json& r) { return hpke_open(r); }},
      {"hpke_export", [this](const json& r) { return hpke_export(r); }},
  };
};

}  // namespace

int main() {
  crypto::initialise();
  Peer peer;
  std::string line;
  while (std::getline(std::cin, line)) {
    json reply;
    try {
      reply = peer.answer(json::parse(line));
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
  return 0;
}
