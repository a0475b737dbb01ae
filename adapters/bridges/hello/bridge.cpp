// The smallest bridge in C++: what agents say is printed, and echoed back as if somebody had said
// it.
//   g++ -std=c++20 -O2 bridge.cpp -o bridge                (nlohmann-json3-dev)
#include <iostream>
#include <nlohmann/json.hpp>

using Json = nlohmann::json;

int main() {
  const auto say = [](const Json& message) { std::cout << message.dump() << std::endl; };
  say({{"op", "hello"}, {"contract", 1}, {"name", "hello"}});
  for (std::string line; std::getline(std::cin, line);) {
    const Json told = Json::parse(line);
    if (told["event"] == "stop") break;
    if (told["event"] != "deliver") continue;
    const std::string words = told["from"].get<std::string>() + " says " + told.value("text", "");
    std::cerr << words << std::endl;
    say({{"op", "receive"},
         {"id", "echo " + told["id"].get<std::string>()},
         {"chat", told["chat"]},
         {"user", "me"},
         {"text", "you said " + told.value("text", "")}});
    say({{"op", "delivered"}, {"delivery", told["id"]}});
  }
}
