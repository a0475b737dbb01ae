// Adapters out of process: adapters/bridges/CONTRACT.md, what a bridge owes its host.
#include "conformance/runner/adapter.h"
#include "conformance/runner/case.h"
#include "conformance/runner/failure.h"

namespace conformance {
namespace {

using Json = AdapterHost::Json;
using Script = std::function<void(AdapterHost&)>;

Case bridge_case(std::string id, std::string steps, std::string expects, Script script) {
  return {.id = "bridge." + std::move(id),
          .steps = std::move(steps),
          .expects = std::move(expects),
          .ways = kBound,
          .profile = "bridged",
          .adapter = std::move(script)};
}

// After whatever was done to it, the bridge has to go on.
Case unmoved(std::string id, std::string steps, Script trouble) {
  return bridge_case(std::move(id), std::move(steps), "the next delivery is answered",
                     [trouble = std::move(trouble)](AdapterHost& t) {
                       t.start();
                       trouble(t);
                       t.deliver({{"text", "after it"}});
                     });
}

void beginnings(Cases& cases) {
  cases.push_back(bridge_case("hello", "Starts the program", "hello of contract 1 within 5 s",
                              [](AdapterHost& t) { t.hello(); }));
  cases.push_back(bridge_case("hello-once", "Starts the program, and waits",
                              "one hello, and nothing that the contract does not have",
                              [](AdapterHost& t) {
                                t.start();
                                t.serve(1000);
                              }));
  cases.push_back(bridge_case("stop", "Says stop, and no more", "the program ends within 5 s",
                              [](AdapterHost& t) {
                                t.start();
                                t.tell({{"event", "stop"}});
                                t.end();
                                t.ends(5000);
                              }));
}

void deliveries(Cases& cases) {
  for (const auto& [id, what, content] :
       {std::tuple{"text", "a text", Json{{"text", "good morning"}}},
        {"empty", "an empty text", Json{{"text", ""}}},
        {"long", "a text of 700 KiB", Json{{"text", std::string(700 * 1024, 'x')}}},
        {"planes", "a text beyond the basic plane",
         Json{{"text", "\xf0\x9f\xa6\x8a\xf0\x9f\xa6\x8a"}}},
        {"controls", "a text of control characters",
         Json{{"text", std::string("\x00\x1b[31m\r\n", 7)}}},
        {"json", "a JSON value", Json{{"json", {{"deep", {1, 2, nullptr}}}}}},
        {"bytes", "bytes of an unknown type",
         Json{{"base64", "/////w=="}, {"media_type", "application/x-unknown"}}}})
    cases.push_back(bridge_case(std::string("deliver-") + id, std::string("Delivers ") + what,
                                "delivered or failed, once", [content = content](AdapterHost& t) {
                                  t.start();
                                  t.deliver(content);
                                  t.serve(300);
                                }));
  cases.push_back(bridge_case("deliver-two", "Delivers two, the second before the first's answer",
                              "an answer for each", [](AdapterHost& t) {
                                t.start();
                                t.deliver("one", t.chat(), {{"text", "one"}});
                                t.deliver("two", t.chat(), {{"text", "two"}});
                                t.answered("one");
                                t.answered("two");
                              }));
  cases.push_back(bridge_case("deliver-again", "Delivers one id twice, as after a crash",
                              "an answer each time", [](AdapterHost& t) {
                                t.start();
                                for (int i = 0; i < 2; ++i) {
                                  t.deliver("again", t.chat(), {{"text", "again"}});
                                  t.answered("again");
                                }
                              }));
  cases.push_back(bridge_case("deliver-strange-chat", "Delivers to a chat of 128 odd bytes",
                              "delivered or failed", [](AdapterHost& t) {
                                t.start();
                                t.deliver("strange", std::string(128, '\''), {{"text", "hello"}});
                                t.answered("strange");
                              }));
  cases.push_back(bridge_case("deliver-choices", "Delivers a question with two choices",
                              "delivered or failed", [](AdapterHost& t) {
                                if (!t.hello().value("ask", false))
                                  throw NotApplicable("the bridge does not name ask");
                                t.start();
                                t.deliver({{"text", "Deploy?"}, {"choices", {"Approve", "Deny"}}});
                              }));
}

void troubles(Cases& cases) {
  cases.push_back(
      unmoved("unknown-event", "Tells an event of a later contract", [](AdapterHost& t) {
        t.tell({{"event", "later"}, {"x", 1}});
      }));
  cases.push_back(
      unmoved("unknown-member", "Delivers with a member of a later contract", [](AdapterHost& t) {
        t.deliver({{"text", "hello"}, {"later", {1, 2}}});
      }));
  cases.push_back(
      unmoved("unasked-outcome", "Tells the outcome of what was never said", [](AdapterHost& t) {
        t.tell({{"event", "outcome"}, {"id", "never"}, {"code", "ok"}});
      }));
  cases.push_back(
      unmoved("unasked-fetched", "Answers a fetch that was never made", [](AdapterHost& t) {
        t.tell({{"event", "fetched"}, {"ref", "never"}, {"status", 200}, {"text", "{}"}});
      }));
  for (const auto& [id, what, service] :
       {std::tuple{"service-absent", "with no answer", AdapterHost::Service::absent},
        {"service-broken", "by status 500", AdapterHost::Service::broken},
        {"service-nonsense", "by bytes that are no text", AdapterHost::Service::nonsense}})
    cases.push_back(unmoved(id, std::string("Answers every fetch ") + what,
                            [service = service](AdapterHost& t) {
                              t.service = service;
                              t.serve(1500);
                            }));
}

}  // namespace

Cases adapter_cases() {
  Cases cases;
  beginnings(cases);
  deliveries(cases);
  troubles(cases);
  return cases;
}

}  // namespace conformance
