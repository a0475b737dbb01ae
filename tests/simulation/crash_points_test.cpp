// The broker's store, with the power cut at every single change of the disk: each batch is whole or
// absent, and one whose commit returned is whole. Scenarios: SEALWIRE_SCENARIOS (5), one:
// SEALWIRE_SEED.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "broker/store/memory/memory_store.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/temporary_folder.h"
#include "tests/support/seeded_random.h"

namespace sealwire::test {
namespace {

using namespace broker;
using Batches = std::vector<std::vector<StoreOp>>;

constexpr std::size_t kBatches = 8;
constexpr AgentNumber kOwner = 1;
constexpr AgentNumber kSender = 2;

template <class OpaqueType>
OpaqueType numbered(std::uint64_t number) {
  OpaqueType value;
  for (std::size_t i = 0; i < 8; ++i)
    value.bytes[value.bytes.size() - 8 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return value;
}

/// What a broker would write: envelopes into one mailbox, their ids and chain, acknowledgements.
class Scenario {
 public:
  explicit Scenario(std::uint64_t seed) : dice_(seed) {
    for (std::size_t i = 0; i < kBatches; ++i)
      batches_.push_back(i == 0 ? first() : next());
  }
  const Batches& batches() const { return batches_; }
  std::uint64_t envelopes() const { return last_; }

 private:
  static std::vector<StoreOp> first() {
    std::vector<StoreOp> ops;
    for (const AgentNumber number : {kOwner, kSender})
      ops.emplace_back(PutAgent{number,
                                {numbered<AgentId>(number),
                                 numbered<InstanceKey>(number),
                                 {number},
                                 {{1, 2, 3}, numbered<Signature>(number)}}});
    ops.emplace_back(PutContact{{kOwner, numbered<AgentId>(kSender), Contact::allowed}});
    return ops;
  }

  std::vector<StoreOp> next() {
    std::vector<StoreOp> ops;
    const auto count = 1 + dice_() % 4;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t number = ++last_;
      const auto bytes = std::make_shared<const Bytes>(1 + dice_() % 6000, std::uint8_t(number));
      bytes_ += bytes->size();
      ops.emplace_back(PutItem{number, ItemType::envelope, kSender, {1000 + number}, bytes});
      ops.emplace_back(PutEntry{kOwner, number, number, bytes_, number});
      ops.emplace_back(PutId{{kSender,
                              numbered<EnvelopeId>(number),
                              numbered<Digest>(number),
                              number,
                              {2000 + number}}});
    }
    ops.emplace_back(PutChainHead{
        numbered<ConversationId>(1),
        kSender,
        {1, 1, last_, numbered<Digest>(last_), {{4, 5}, numbered<Digest>(last_), {}}}});
    if (dice_() % 3 == 0) {
      acked_ += dice_() % (last_ - acked_ + 1);
      ops.emplace_back(DropEntries{kOwner, acked_});
    }
    if (dice_() % 4 == 0) ops.emplace_back(ForgetIds{{2000 + acked_ / 2}, 100});
    ops.emplace_back(PutAgentState{kOwner, {{last_, acked_, bytes_, 0}, {}}});
    return ops;
  }

  std::mt19937_64 dice_;
  Batches batches_;
  std::uint64_t last_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t bytes_ = 0;
};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(name(result.error().code)));
  return std::move(*result);
}

/// Everything that the scenario could have put there, as text.
std::string contents(Store& store, std::uint64_t envelopes) {
  std::string text;
  const auto add = [&text](std::string_view what, std::uint64_t number) {
    text.append(what).append(std::to_string(number)).push_back(' ');
  };
  const StoredState state = must(store.load());
  for (const AgentRecord& agent : state.agents) {
    add("agent ", agent.number);
    add("last ", agent.state.mailbox.last);
    add("acked ", agent.state.mailbox.acked);
  }
  add("contacts ", state.contacts.size());
  for (const MailboxEntry& entry : must(store.read_mailbox(kOwner, 0, 1000, 1U << 30))) {
    add("entry ", entry.sequence);
    add("of ", entry.bytes->size());
    add("item ", entry.item);
    for (const std::uint8_t byte : *entry.bytes)
      if (byte != static_cast<std::uint8_t>(entry.item)) text += "damaged ";
  }
  for (std::uint64_t number = 1; number <= envelopes; ++number)
    if (must(store.find_id(kSender, numbered<EnvelopeId>(number)))) add("id ", number);
  if (const auto head = must(store.read_chain_head(numbered<ConversationId>(1), kSender)))
    add("chain ", head->sender_seq);
  return text;
}

struct Outcome {
  std::uint64_t points = 0;
  std::string violation;  // empty: none
};

class CrashPoints {
 public:
  CrashPoints(Disk& disk, std::uint64_t seed, Disk::Lie lie) : disk_(disk), seed_(seed), lie_(lie) {
    MemoryStore model(numbered<BrokerIncarnation>(1));
    after_.push_back(contents(model, scenario_.envelopes()));
    for (const auto& ops : scenario_.batches()) {
      if (!model.commit(ops)) throw std::runtime_error("the model refuses a batch");
      after_.push_back(contents(model, scenario_.envelopes()));
    }
  }

  /// One run without a cut tells how many changes there are; then one run for each of them.
  Outcome run() {
    Outcome outcome;
    begin(0);
    play();
    const std::uint64_t changes = disk_.steps();
    for (std::uint64_t at = 1; at <= changes && outcome.violation.empty(); ++at) {
      begin(at);
      disk_.die_at(at);
      const std::size_t done = play();
      outcome.violation = recover(done, at);
      ++outcome.points;
    }
    return outcome;
  }

 private:
  void begin(std::uint64_t at) {
    store_.reset();
    disk_.reset({}, seed_ * 100'000 + at);
    disk_.lie(lie_);
  }

  bool open() {
    store_.reset();
    SeededRandom random(seed_);
    auto opened = SqliteStore::open({disk_.folder() / "broker.db", 0}, random);
    if (opened) store_ = std::move(*opened);
    return opened.has_value();
  }

  /// How many batches were committed before the power went.
  std::size_t play() {
    std::size_t done = 0;
    if (open())
      for (const auto& ops : scenario_.batches()) {
        if (!store_->commit(ops)) break;
        ++done;
      }
    return done;
  }

  std::string recover(std::size_t done, std::uint64_t at) {
    const std::string where = "seed " + std::to_string(seed_) + ", change " + std::to_string(at);
    // Every third time the power goes again while what is left is read.
    for (int cuts = at % 3 == 0 ? 2 : 1; cuts > 0; --cuts) {
      store_.reset();
      disk_.restart(Disk::Crash::power);
      disk_.lie(lie_);
      if (cuts == 2) {
        disk_.die_at(1 + at % 7);
        if (open() && !disk_.dead()) break;
      }
    }
    if (!store_ && !open()) return where + ": does not open again";
    std::string found = contents(*store_, scenario_.envelopes());
    if (done < kBatches && found == after_[done + 1])
      ++done;  // the one under way, whole
    else if (found != after_[done])
      return where + ": after " + std::to_string(done) + " batches there is: " + found;
    // And it goes on.
    for (std::size_t i = done; i < kBatches; ++i)
      if (!store_->commit(scenario_.batches()[i])) return where + ": takes nothing more";
    return contents(*store_, scenario_.envelopes()) == after_.back() ? ""
                                                                     : where + ": goes wrong later";
  }

  Disk& disk_;
  std::uint64_t seed_;
  Disk::Lie lie_;
  Scenario scenario_{seed_};
  std::vector<std::string> after_;  // n batches
  std::unique_ptr<SqliteStore> store_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(CrashPoints,
     Wherever_the_power_goes_a_batch_is_whole_or_absent_and_whole_if_it_was_confirmed) {
  const TemporaryFolder folder;
  Disk disk(folder.path);
  const std::uint64_t first = number_from("SEALWIRE_SEED", 1);
  const std::uint64_t scenarios = number_from("SEALWIRE_SCENARIOS", 2);
  std::uint64_t points = 0;
  for (std::uint64_t seed = first; seed < first + scenarios; ++seed) {
    const Outcome outcome = CrashPoints(disk, seed, Disk::Lie::none).run();
    ASSERT_EQ(outcome.violation, "");
    points += outcome.points;
  }
  std::cout << "note: " << points << " crash points in " << scenarios << " scenarios from seed "
            << first << "\n";
  EXPECT_GT(points, 100 * scenarios);
}

// Teeth: disks that break their word are found out.
TEST(CrashPoints, A_disk_that_syncs_nothing_or_not_the_log_is_caught) {
  const TemporaryFolder folder;
  Disk disk(folder.path);
  EXPECT_NE(CrashPoints(disk, 1, Disk::Lie::all_syncs).run().violation, "");
  EXPECT_NE(CrashPoints(disk, 1, Disk::Lie::log_syncs).run().violation, "");
}

}  // namespace
}  // namespace sealwire::test
