#include "conformance/runner/adapter.h"

#include <regex>

#include "conformance/peer/handshake.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/trace.h"

namespace conformance {
namespace {

using Json = AdapterHost::Json;
constexpr int kHelloMs = 5000;
constexpr std::size_t kLineBytes = 2 * 1024 * 1024;

void expect(bool kept, const std::string& what) {
  if (!kept) throw Failure(what);
}

void expect_id(const Json& said, const char* member) {
  const auto found = said.find(member);
  expect(found != said.end() && found->is_string(),
         std::string(said["op"]) + " without " + member + ", a string");
  const std::size_t size = found->get_ref<const std::string&>().size();
  expect(size >= 1 && size <= 128, std::string(member) + " of " + std::to_string(size) + " bytes");
}

void expect_content(const Json& said) {
  expect(said.contains("text") + said.contains("json") + said.contains("base64") == 1,
         std::string(said["op"]) + " without one of text, json and base64");
}

}  // namespace

AdapterHost::AdapterHost(const Settings& settings)
    : process_(settings.adapter_command), chat_(settings.chat) {}

void AdapterHost::tell(const Json& event) {
  if (!over_) process_.write_line(event.dump());
}

void AdapterHost::end() {
  over_ = true;
  process_.end_input();
}

bool AdapterHost::step(int wait_ms) {
  const auto line = process_.read_line(wait_ms);
  if (!line) return false;
  Trace::note("bridge: " + line->substr(0, 1000));
  expect(line->size() <= kLineBytes, "a line of more than 2 MiB");
  const Json said = Json::parse(*line, nullptr, false);
  expect(said.is_object() && said.contains("op") && said["op"].is_string(),
         "a line that is no JSON object with an op");
  on(said);
  return true;
}

void AdapterHost::on(const Json& said) {
  const std::string op = said["op"];
  expect((op == "hello") == (hellos_ == 0),
         op == "hello" ? "a second hello" : op + " before hello");
  if (op == "hello") {
    ++hellos_;
    hello_ = said;
    expect(said.value("contract", 0) == 1, "a hello of another contract than 1");
    expect(std::regex_match(said.value("name", ""), std::regex("[a-z0-9.-]{1,56}")),
           "a name that is not 1 to 56 of a-z 0-9 . -");
    for (const char* flag : {"pair", "ask"})
      expect(!said.contains(flag) || said[flag].is_boolean(), std::string(flag) + " is no boolean");
  } else if (op == "receive" || op == "pair" || op == "answer") {
    for (const char* member : {"id", "chat", "user"})
      expect_id(said, member);
    if (op == "receive") expect_content(said);
    if (op == "pair") expect(hello_.value("pair", false), "pair without the capability");
    if (op == "answer") expect(hello_.value("ask", false), "answer without the capability");
    tell({{"event", "outcome"}, {"id", said["id"]}, {"code", op == "receive" ? "ok" : "denied"}});
  } else if (op == "delivered" || op == "failed") {
    expect_id(said, "delivery");
    answers_.insert(said["delivery"]);
  } else if (op == "moved") {
    expect_id(said, "chat");
    expect_id(said, "to");
  } else if (op == "fetch") {
    expect_id(said, "ref");
    expect(said.contains("url") && said["url"].is_string(), "fetch without url");
    Json told{{"event", "fetched"}, {"ref", said["ref"]}, {"status", 0}, {"cause", "no network"}};
    if (service == Service::broken)
      told = {{"event", "fetched"}, {"ref", said["ref"]}, {"status", 500}, {"text", "oops"}};
    if (service == Service::nonsense)
      told = {{"event", "fetched"}, {"ref", said["ref"]}, {"status", 200}, {"base64", "AP8="}};
    tell(told);
  } else {
    throw Failure("an op that the contract does not have: " + op.substr(0, 40));
  }
}

const Json& AdapterHost::hello() {
  const std::uint64_t deadline = now_ms() + kHelloMs;
  while (hellos_ == 0) {
    if (process_.ended()) throw NotRun("the program ended without a hello");
    expect(now_ms() < deadline, "no hello within 5 s");
    step(50);
  }
  return hello_;
}

void AdapterHost::start() {
  hello();
  tell({{"event", "start"}, {"contract", 1}, {"options", Json::object()}});
}

void AdapterHost::deliver(const Json& content) {
  const std::string id = "delivery-" + std::to_string(++deliveries_);
  deliver(id, chat_, content);
  answered(id);
}

void AdapterHost::deliver(const std::string& id, const std::string& chat, const Json& content) {
  Json told{{"event", "deliver"}, {"id", id}, {"chat", chat}, {"from", "conformance"}};
  told.update(content);
  tell(told);
}

void AdapterHost::answered(const std::string& id) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(patience_ms);
  while (answers_.count(id) == 0) {
    expect(now_ms() < deadline, "neither delivered nor failed for " + id);
    expect(!process_.ended(), "the program ended");
    step(50);
  }
  answers_.extract(id);
}

void AdapterHost::serve(int ms) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(ms);
  while (now_ms() < deadline)
    if (!step(50)) expect(!process_.ended(), "the program ended");
  expect(answers_.empty(), "an answer for what was answered before, or never delivered");
}

void AdapterHost::ends(int ms) {
  const std::uint64_t deadline = now_ms() + static_cast<std::uint64_t>(ms);
  while (!process_.ended()) {
    expect(now_ms() < deadline, "it goes on after " + std::to_string(ms) + " ms");
    step(50);
  }
}

}  // namespace conformance
