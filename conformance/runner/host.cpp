#include "conformance/runner/host.h"

#include <nlohmann/json.hpp>

#include "conformance/runner/failure.h"
#include "conformance/runner/trace.h"

namespace conformance {
namespace {

constexpr int kSliceMs = 20;
using Json = nlohmann::json;

}  // namespace

Host::Host(const Settings& settings, bool sealed)
    : listener_(!sealed),
      process_(settings.agent_command,
               {{"SEALWIRE_INVITE", store.invite_text(listener_.endpoint())}}) {}

void Host::read_lines(int wait_ms) {
  while (auto line = process_.read_line(wait_ms)) {
    Trace::note("agent: " + *line);
    // An agent shows only so many that its application has not acknowledged.
    if (const Json read = Json::parse(*line, nullptr, false);
        read.is_object() && read.value("event", "") == "message")
      say(Json{{"op", "ack"}, {"message", read.value("id", "")}}.dump());
    lines_.push_back(std::move(*line));
    wait_ms = 0;
  }
}

Hosted& Host::meet() {
  session_.reset();  // or the agent would wait for what is not coming there
  auto socket = listener_.accept(patience_ms);
  if (!socket) throw NotRun("the agent does not connect");
  session_ = std::make_unique<Hosted>(std::move(socket), store);
  return *session_;
}

void Host::step() {
  read_lines(0);
  if (session_) {
    if (session_->socket().waiting(kSliceMs) && !session_->pump()) session_.reset();
    if (session_) session_->deliver();
  } else if (auto socket = listener_.accept(kSliceMs)) {
    session_ = std::make_unique<Hosted>(std::move(socket), store);
    session_->greet();
  } else if (process_.ended()) {
    throw Failure("the agent's program has ended");
  }
}

void Host::until(const std::string& what, const std::function<bool()>& done) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(patience_ms);
  while (!done()) {
    if (now_ms() > deadline)
      throw Failure("in " + std::to_string(patience_ms) + " ms not: " + what);
    step();
  }
}

Hosted& Host::session() {
  if (store.nonces.empty()) {
    meet();
    session_->greet();
  }
  until("a redeemed invite, a prekey, and a session of an agent that says it is ready", [this] {
    return session_ && session_->is_ready() && !session_->closed && store.redeemed &&
           !store.prekey.empty() && told("ready");
  });
  return *session_;
}

std::size_t Host::times(const std::string& event, const std::string& text) const {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
        const Json read = Json::parse(line, nullptr, false);
        return read.is_object() && read.value("event", "") == event &&
               (text.empty() || read.value("text", "") == text);
      }));
}

void Host::publishes() {
  session();
  until("key packages and a last resort",
        [this] { return !store.key_packages.empty() && !store.last_resort.empty(); });
}

KeyPackage Host::peer_package() const {
  KeyPackage package = KeyPackage::read(store.key_packages.at(0));
  package.init_key = make_agreement_key().key;
  package.encryption_key = make_agreement_key().key;
  package.leaf_key = store.peer.key;
  package.identity = bytes_of(did_key(store.peer.key));
  return package;
}

Table Host::claimed(const Bytes& key_package) const {
  return {"Claimed", {{"inception", store.peer.inception}, {"key_package", key_package}}};
}

void Host::send_text(const std::string& text) {
  say(Json{{"op", "send"}, {"ref", "r"}, {"to", store.peer.text()}, {"text", text}}.dump());
}

void Host::closes(Code code) {
  const Code got = session_->closing_code();
  if (got != code)
    throw Failure("Close(" + code_name(got) + ") instead of Close(" + code_name(code) + ")");
}

void Host::closes() {
  session_->closing_code();
}

void Host::end() {
  process_.end_input();
}

Table Host::letter_header() const {
  return conformance::letter_header(store.peer, store.agent_key);
}

Envelope Host::letter(const Table& header, const Bytes& plaintext) {
  const Bytes bytes = finish("SWHD", header);
  return seal(store.peer, bytes, letter_body(store.prekey, bytes, plaintext));
}

Envelope Host::letter(const Bytes& plaintext) {
  return letter(letter_header(), plaintext);
}

void Host::shows(const std::string& text) {
  until("the message \"" + text + "\"", [&] { return told("message", text); });
}

void Host::refuses(std::uint64_t sequence, const std::string& text) {
  until("a Nack", [&] { return store.nacked.contains(sequence); });
  never_shows(text);
}

void Host::never_shows(const std::string& text) {
  const std::string after = "after " + hex(random_bytes(4));
  store.put(letter(after));
  shows(after);
  if (told("message", text)) throw Failure("the agent shows what it had to refuse");
}

}  // namespace conformance
