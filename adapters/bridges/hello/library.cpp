// The same as a shared library, in the host's own process and without a cage.
//   g++ -std=c++20 -O2 -fPIC -shared library.cpp -o libhello.so        (nlohmann-json3-dev)
#include "sealwire_bridge.h"

#include <nlohmann/json.hpp>

using Json = nlohmann::json;

struct sealwire_bridge {
  sealwire_bridge_said said;
  void* host;
  void say(const Json& message) const {
    const std::string line = message.dump();
    said(host, line.data(), line.size());
  }
};

uint32_t sealwire_bridge_abi(void) {
  return SEALWIRE_BRIDGE_ABI;
}

sealwire_bridge* sealwire_bridge_start(sealwire_bridge_said said, void* host) {
  auto* bridge = new sealwire_bridge{said, host};
  bridge->say({{"op", "hello"}, {"contract", 1}, {"name", "hello"}});
  return bridge;
}

void sealwire_bridge_tell(sealwire_bridge* bridge, const char* line, size_t size) {
  const Json told = Json::parse(line, line + size);
  if (told["event"] != "deliver") return;
  bridge->say({{"op", "receive"},
               {"id", "echo " + told["id"].get<std::string>()},
               {"chat", told["chat"]},
               {"user", "me"},
               {"text", "you said " + told.value("text", "")}});
  bridge->say({{"op", "delivered"}, {"delivery", told["id"]}});
}

void sealwire_bridge_end(sealwire_bridge* bridge) {
  delete bridge;
}
