// The pipeline with its threads, over the channel within the process.
#include "broker/pipeline.h"

#include <gtest/gtest.h>

#include <thread>

#include "broker/frames_out.h"
#include "broker/store/memory/memory_store.h"
#include "tests/support/envelopes.h"
#include "tests/support/raw_client.h"

namespace sealwire::broker {
namespace {

using test::RawAgent;
using test::RawChain;
using test::RawClient;

/// A store whose commits wait for the test.
class GatedStore final : public Store {
 public:
  explicit GatedStore(Store& inner) : inner_(inner) {}
  void close() { set(true); }
  void open() { set(false); }

  Result<> commit(std::span<const StoreOp> ops) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !closed_; });
    lock.unlock();
    return inner_.commit(ops);
  }
  Result<StoredState> load() override { return inner_.load(); }
  Result<std::optional<AgentRecord>> read_agent(AgentNumber n) override {
    return inner_.read_agent(n);
  }
  Result<std::vector<ContactRecord>> read_contacts(AgentNumber n) override {
    return inner_.read_contacts(n);
  }
  Result<std::optional<InviteRecord>> read_invite(const InviteKey& key) override {
    return inner_.read_invite(key);
  }
  Result<std::optional<ConversationRecord>> read_conversation(const ConversationId& id) override {
    return inner_.read_conversation(id);
  }
  Result<std::optional<ChainHead>> read_chain_head(const ConversationId& id,
                                                   AgentNumber sender) override {
    return inner_.read_chain_head(id, sender);
  }
  Result<std::optional<IdRecord>> find_id(AgentNumber sender, const EnvelopeId& id) override {
    return inner_.find_id(sender, id);
  }
  Result<std::optional<EnvelopeId>> highest_id(AgentNumber sender) override {
    return inner_.highest_id(sender);
  }
  Result<std::vector<MailboxEntry>> read_mailbox(AgentNumber owner, std::uint64_t after,
                                                 std::size_t entries_max,
                                                 std::size_t bytes_max) override {
    return inner_.read_mailbox(owner, after, entries_max, bytes_max);
  }
  Result<std::optional<MailboxEntry>> read_entry(AgentNumber owner,
                                                 std::uint64_t sequence) override {
    return inner_.read_entry(owner, sequence);
  }
  Result<std::optional<Bytes>> read_key_package(AgentNumber agent, std::uint64_t number) override {
    return inner_.read_key_package(agent, number);
  }
  Result<std::vector<MailboxEntry>> read_expired(UnixMillis now, std::size_t items_max) override {
    return inner_.read_expired(now, items_max);
  }

 private:
  void set(bool closed) {
    const std::lock_guard lock(mutex_);
    closed_ = closed;
    changed_.notify_all();
  }
  Store& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest()
      : key_(crypto::SigningKey::generate(random_)),
        store_(random_.make<BrokerIncarnation>()),
        gate_(store_) {
    crypto::initialise();
    config_.admission = Admission::open;
  }
  ~PipelineTest() override {
    gate_.open();
    listening_.reset();
    pipeline_.reset();
  }

  void start() {
    auto pipeline = Pipeline::start(
        config_, {&key_, &gate_, &random_, &metrics_, &log_, [] { return test::system_now(); }});
    ASSERT_TRUE(pipeline);
    pipeline_ = std::move(*pipeline);
    channel::Endpoint endpoint;
    endpoint.uri = "memory://pipeline";
    auto listening = channel::find_channel(endpoint.uri)->listen(endpoint, *pipeline_);
    ASSERT_TRUE(listening) << listening.error().detail;
    listening_ = std::move(*listening);
  }

  std::unique_ptr<RawClient> connect(const RawAgent& agent) {
    auto client = std::make_unique<RawClient>();
    const auto ready = client->connect("memory://pipeline", agent, random_);
    EXPECT_TRUE(ready) << ready.error().detail;
    return client;
  }

  struct Pair {
    RawAgent from;
    RawAgent to;
    std::unique_ptr<RawClient> sender;
    std::unique_ptr<RawClient> receiver;
    RawChain chain;
  };
  Pair make_pair() {
    Pair pair{test::make_raw_agent(random_), test::make_raw_agent(random_), {}, {}, {}};
    pair.sender = connect(pair.from);
    pair.receiver = connect(pair.to);
    EXPECT_TRUE(pair.sender->allow(pair.to.identity.agent));
    EXPECT_TRUE(pair.receiver->allow(pair.from.identity.agent));
    return pair;
  }
  void open(Pair& pair) {
    auto opening = test::open_conversation(pair.from, pair.to, random_, test::system_now());
    pair.chain = opening.creator;
    pair.chain.agent = &pair.from;
    EXPECT_TRUE(pair.sender->send(test::send_frame({opening.bundle})));
    EXPECT_TRUE(pair.sender->expect(wire::Body::Accepted));
  }

  crypto::SystemRandom random_;
  crypto::SigningKey key_;
  MemoryStore store_;
  GatedStore gate_;
  Metrics metrics_;
  NullLog log_;
  RouterConfig config_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<channel::Running> listening_;
};

TEST_F(PipelineTest, Concurrent_senders_are_all_accepted_and_delivered_in_order) {
  start();
  constexpr std::size_t kPairs = 3, kMessages = 200;
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs.push_back(make_pair());
    open(pairs.back());
  }
  std::vector<std::thread> threads;
  std::atomic<std::size_t> accepted{0}, in_order{0};
  for (Pair& pair : pairs) {
    threads.emplace_back([&] {
      crypto::SystemRandom random;
      pair.chain.agent = &pair.from;
      for (std::size_t n = 0; n < kMessages; ++n) {
        auto made = pair.chain.next(as_bytes("hello"), random, test::system_now());
        if (!pair.sender->send(test::send_frame({{std::move(made.bytes)}}))) return;
      }
      std::size_t receipts = 0;
      while (receipts < kMessages) {
        const auto bytes = pair.sender->expect(wire::Body::Accepted);
        if (!bytes) return;
        const auto frame = Frame::parse(*bytes, limits::kFrameBytes);
        const Bytes acceptance = to_bytes(span_of(frame->as<wire::Accepted>()->acceptance()));
        receipts += (*verified_root<wire::Acceptance>(acceptance, "SWAC", Errc::frame_field))
                        ->receipts()
                        ->size();
      }
      accepted += receipts;
    });
    threads.emplace_back([&] {
      pair.receiver->credit(1'000'000, 1ull << 30);
      std::uint64_t last = 0;
      while (last < kMessages + 1) {
        const auto bytes = pair.receiver->expect(wire::Body::Deliver);
        if (!bytes) return;
        const auto frame = Frame::parse(*bytes, limits::kFrameBytes);
        for (const auto* entry : *frame->as<wire::Deliver>()->entries()) {
          if (entry->sequence() != last + 1) return;
          last = entry->sequence();
        }
        pair.receiver->ack(last);
      }
      in_order += last - 1;
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(accepted, kPairs * kMessages);
  EXPECT_EQ(in_order, kPairs * kMessages);
  EXPECT_LT(metrics_.batches_committed, kPairs * kMessages) << "commits are shared";
}

TEST_F(PipelineTest, A_failing_disk_is_told_as_unavailable_and_shows_in_health) {
  start();
  Pair pair = make_pair();
  open(pair);
  EXPECT_TRUE(pipeline_->healthy());
  store_.fail_commits(Errc::store_full);
  auto made = pair.chain.next(as_bytes("x"), random_, test::system_now());
  pair.sender->send(test::send_frame({{made.bytes}}));
  const auto bytes = pair.sender->expect(wire::Body::Rejected);
  ASSERT_TRUE(bytes);
  const auto frame = Frame::parse(*bytes, limits::kFrameBytes);
  EXPECT_EQ(frame->as<wire::Rejected>()->rejections()->Get(0)->code(), wire::Code::unavailable);
  EXPECT_FALSE(pipeline_->healthy());
  store_.fail_commits(std::nullopt);
  pair.sender->send(test::send_frame({{made.bytes}}));
  EXPECT_TRUE(pair.sender->expect(wire::Body::Accepted));
  EXPECT_TRUE(pipeline_->healthy());
}

TEST_F(PipelineTest, A_connection_that_pushes_beyond_the_bound_is_closed_and_others_are_served) {
  config_.queued_bytes_per_connection_max = 256 * 1024;
  config_.batch_bytes_max = 64 * 1024;
  start();
  Pair greedy = make_pair();
  Pair other = make_pair();
  open(greedy);
  open(other);
  gate_.close();  // the disk stands still: what comes must wait
  const std::string body(32 * 1024, 'x');
  for (int i = 0; i < 64; ++i) {
    auto made = greedy.chain.next(as_bytes(body), random_, test::system_now());
    if (!greedy.sender->send(test::send_frame({{std::move(made.bytes)}}))) break;
  }
  // The router is full, so the Close comes when the disk goes on.
  gate_.open();
  EXPECT_TRUE(greedy.sender->wait_close());
  EXPECT_EQ(metrics_.overloads, 1u);
  auto made = other.chain.next(as_bytes("still here"), random_, test::system_now());
  other.sender->send(test::send_frame({{std::move(made.bytes)}}));
  EXPECT_TRUE(other.sender->expect(wire::Body::Accepted));
}

TEST_F(PipelineTest, A_Proof_that_the_queue_does_not_take_closes_its_connection) {
  config_.queued_bytes_per_connection_max = 100;
  start();
  const RawAgent agent = test::make_raw_agent(random_);
  RawClient client;
  const auto ready = client.connect("memory://pipeline", agent, random_);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Errc::overloaded);
  EXPECT_TRUE(client.wait_close());
}

TEST_F(PipelineTest, Draining_commits_what_was_decided_and_closes_every_session) {
  start();
  Pair pair = make_pair();
  open(pair);
  gate_.close();
  auto made = pair.chain.next(as_bytes("last words"), random_, test::system_now());
  pair.sender->send(test::send_frame({{made.bytes}}));
  while (metrics_.envelopes_received < 3)  // the opening's two and this one
    std::this_thread::yield();
  EXPECT_FALSE(pipeline_->drain(std::chrono::milliseconds(50))) << "the disk has not answered";
  gate_.open();
  EXPECT_TRUE(pipeline_->drain(std::chrono::seconds(10)));
  EXPECT_TRUE(pair.sender->wait_close());
  EXPECT_TRUE(pair.receiver->wait_close());
}

TEST_F(PipelineTest, Handshakes_of_nobody_in_particular_are_closed_after_their_time) {
  config_.handshake_ms = 100;
  start();
  RawClient silent;
  ASSERT_TRUE(silent.dial("memory://pipeline"));
  EXPECT_TRUE(silent.wait_close());
  EXPECT_EQ(metrics_.handshakes_failed, 1u);
}

TEST_F(PipelineTest, A_reload_changes_who_is_admitted) {
  start();
  RouterConfig closed = config_;
  closed.admission = Admission::invite;
  connect(test::make_raw_agent(random_));
  pipeline_->reload(closed);
  const RawAgent stranger = test::make_raw_agent(random_);
  RawClient client;
  EXPECT_FALSE(client.connect("memory://pipeline", stranger, random_));
}

}  // namespace
}  // namespace sealwire::broker
