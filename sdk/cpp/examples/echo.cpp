#include <sealwire/agent.h>

#include <iostream>

int main(int argc, char** argv) {
  auto agent = sealwire::Agent::open(sealwire::Options::from_arguments(argc, argv));
  if (!agent) return std::cerr << agent.error().detail << '\n', 1;
  agent->on_message([](const auto& message) { return message.reply(message.payload); });
  return agent->run() ? 0 : 1;
}
