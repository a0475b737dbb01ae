// What a case for an adapter has at hand: a bridge as a program, and the suite as its host, by
// adapters/bridges/CONTRACT.md. Every line that the bridge says is checked against it.
#pragma once

#include <nlohmann/json.hpp>
#include <set>

#include "conformance/runner/process.h"
#include "conformance/runner/settings.h"

namespace conformance {

class AdapterHost {
 public:
  using Json = nlohmann::json;
  /// How fetches are answered: by nothing, by an error of the service, by what is no answer of it.
  enum class Service { absent, broken, nonsense };

  explicit AdapterHost(const Settings& settings);

  /// The hello, which is the first line, within its time.
  const Json& hello();
  /// Hello, and start with no options.
  void start();
  void tell(const Json& event);
  /// Nothing more is told, whatever it still says.
  void end();
  /// Delivers this content; `delivered` or `failed` has to come for it, and once.
  void deliver(const Json& content);
  void deliver(const std::string& id, const std::string& chat, const Json& content);
  void answered(const std::string& id);
  /// Serves for so long; what comes is checked.
  void serve(int ms);
  /// The program has to end in time.
  void ends(int ms);

  const std::string& chat() const { return chat_; }
  Service service = Service::absent;

 private:
  /// One line, checked and answered; false where none comes in time.
  bool step(int wait_ms);
  void on(const Json& said);

  Process process_;
  std::string chat_;
  Json hello_;
  bool over_ = false;
  int hellos_ = 0;
  int deliveries_ = 0;
  std::multiset<std::string> answers_;
};

}  // namespace conformance
