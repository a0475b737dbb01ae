// Envelope rows a second that the store on disk commits: batches of 128 of 1 KiB, each acknowledged
// (dropped) a while later, with an fsync a batch.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "broker/store/sqlite/sqlite_store.h"
#include "protocol/crypto/crypto.h"

using namespace sealwire;
using namespace sealwire::broker;

int main(int argc, char** argv) {
  const std::size_t batches = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2000;
  const std::size_t per_batch = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 128;
  const std::size_t bytes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1400;
  crypto::initialise();
  crypto::SystemRandom random;
  std::string folder = (std::filesystem::temp_directory_path() / "sealwire-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  auto store = SqliteStore::open({std::filesystem::path(folder) / "store.db"}, random);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().detail.c_str());
    return 1;
  }

  constexpr AgentNumber kAgents = 4;
  std::vector<StoreOp> setup;
  for (AgentNumber agent = 1; agent <= kAgents; ++agent) {
    PutAgent put{agent, {}};
    put.identity.agent = random.make<AgentId>();
    setup.emplace_back(put);
  }
  bool ok = (*store)->commit(setup).has_value();

  Bytes body(bytes);
  random.fill(body);
  const auto shared = std::make_shared<const Bytes>(body);
  const auto conversation = random.make<ConversationId>();
  std::uint64_t item = 0;
  std::uint64_t sequence[kAgents + 1] = {};
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t batch = 0; batch < batches && ok; ++batch) {
    std::vector<StoreOp> ops;
    for (std::size_t i = 0; i < per_batch; ++i) {
      const AgentNumber owner = 1 + i % kAgents;
      ++item;
      EnvelopeId id = random.make<EnvelopeId>();
      for (int byte = 0; byte < 6; ++byte)  // UUIDv7: time first
        id.bytes[static_cast<std::size_t>(byte)] =
            static_cast<std::uint8_t>(item >> (8 * (5 - byte)));
      const UnixMillis expires{1'800'000'000'000 + item / 10};
      ops.emplace_back(PutItem{item, ItemType::envelope, owner, expires, shared});
      ops.emplace_back(PutEntry{owner, ++sequence[owner], item, item * bytes, item});
      ops.emplace_back(
          PutId{{owner, id, Digest{}, item, UnixMillis{expires.value + limits::kIdRetentionMs}}});
    }
    for (AgentNumber agent = 1; agent <= kAgents; ++agent) {
      const std::uint64_t kept = 2 * per_batch / kAgents;
      if (sequence[agent] > kept) ops.emplace_back(DropEntries{agent, sequence[agent] - kept});
      ops.emplace_back(PutAgentState{agent, {{sequence[agent], 0, 0, 0}, {}}});
      ChainHead head;
      head.last.header.resize(300);
      ops.emplace_back(PutChainHead{conversation, agent, head});
    }
    ops.emplace_back(PutConversation{{conversation, 1, 1, item, {1, 2, 3, 4}}});
    ok = (*store)->commit(ops).has_value();
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  store->reset();
  std::filesystem::remove_all(folder);
  if (!ok) return 1;
  std::printf(
      "{\"figure\": \"store_commit\", \"rows_per_second\": %.0f, \"commits_per_second\": %.0f, "
      "\"rows_per_batch\": %zu, \"row_bytes\": %zu}\n",
      static_cast<double>(item) / seconds, static_cast<double>(batches) / seconds, per_batch,
      bytes);
}
