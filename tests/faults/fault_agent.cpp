// An agent that is killed: `send` numbers messages in the transaction that sends them, `receive`
// checks in the inbox transaction that each comes once and in its turn, `count` tells how far one
// got. The number that comes next is the only thing either remembers.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sealwire/agent.h"

namespace sealwire::test {
namespace {

constexpr char kNext[] = "next";
constexpr std::size_t kPerTransaction = 8;
constexpr std::size_t kOnTheirWay = 256;
constexpr int kOutOfTurn = 3;

Result<std::uint64_t> next_number(Transaction& transaction) {
  SW_TRY(const auto value, transaction.get(kNext));
  return std::strtoull(value.value_or("0").c_str(), nullptr, 10);
}

Result<> send(Agent& agent, const std::string& peer) {
  std::vector<Sending> on_their_way;
  while (true) {
    SW_CHECK(agent.transact([&](Transaction& transaction) -> Result<> {
      SW_TRY(std::uint64_t number, next_number(transaction));
      for (std::size_t i = 0; i < kPerTransaction; ++i, ++number) {
        SW_TRY(Sending sending, transaction.send(peer, std::to_string(number)));
        on_their_way.push_back(std::move(sending));
      }
      return transaction.put(kNext, std::to_string(number));
    }));
    if (on_their_way.size() < kOnTheirWay) continue;
    for (const Sending& sending : on_their_way)
      SW_CHECK(sending.wait(std::chrono::minutes(2)).map([](const Accepted&) {}));
    on_their_way.clear();
  }
}

void receive(Agent& agent) {
  agent.handle([](Transaction& transaction, const Message& message) -> Result<> {
    SW_TRY(const std::uint64_t number, next_number(transaction));
    if (message.text() != std::to_string(number)) {
      std::fprintf(stderr, "%s came where %llu was due\n", std::string(message.text()).c_str(),
                   static_cast<unsigned long long>(number));
      std::_Exit(kOutOfTurn);
    }
    return transaction.put(kNext, std::to_string(number + 1));
  });
}

int run(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: fault_agent send|receive|wait|count HOME CONTEXT [PEER]\n");
    return 2;
  }
  const std::string what = argv[1];
  const char* arguments[] = {argv[0], "--home", argv[2], "--context", argv[3]};
  auto options = Options::from_arguments(5, arguments);
  if (options) options->offline = what == "count";
  auto agent = Agent::open(std::move(options));
  if (!agent) {
    std::fprintf(stderr, "%s\n", agent.error().detail.c_str());
    return 1;
  }
  Result<> done;
  if (what == "count") {
    done = agent->transact([](Transaction& transaction) -> Result<> {
      SW_TRY(const std::uint64_t number, next_number(transaction));
      std::printf("%llu\n", static_cast<unsigned long long>(number));
      return {};
    });
  } else {
    if (what == "receive") receive(*agent);
    // `wait` sends nothing new: what is on its way goes out until it is told to end.
    done = what == "send" && argc > 4 ? send(*agent, argv[4]) : agent->run();
  }
  if (!done) {
    std::fprintf(stderr, "%s: %s %s\n", what.c_str(), std::string(name(done.error().code)).c_str(),
                 done.error().detail.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sealwire::test

int main(int argc, char** argv) {
  return sealwire::test::run(argc, argv);
}
