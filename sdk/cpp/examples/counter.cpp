#include <sealwire/agent.h>

#include <iostream>

// Counts each message once: the count, the receipt and the reply are on disk together.
sealwire::Result<> count(sealwire::Transaction& transaction, const sealwire::Message& message) {
  auto before = transaction.get("count");
  if (!before) return tl::unexpected(before.error());
  const auto now = std::to_string(std::stoull(before->value_or("0")) + 1);
  if (auto put = transaction.put("count", now); !put) return put;
  if (auto sent = transaction.reply(message, now); !sent) return tl::unexpected(sent.error());
  return {};
}

int main(int argc, char** argv) {
  auto agent = sealwire::Agent::open(sealwire::Options::from_arguments(argc, argv));
  if (!agent) return std::cerr << agent.error().detail << '\n', 1;
  agent->handle(count);
  return agent->run() ? 0 : 1;
}
