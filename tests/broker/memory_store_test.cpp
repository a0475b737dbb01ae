#include "broker/store/memory/memory_store.h"

#include "tests/broker/store_suite.h"

namespace sealwire::broker {
namespace {

class MemoryStoreUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void reopen() override {}

 private:
  MemoryStore store_{BrokerIncarnation{{1}}};
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreSuite, ::testing::Values(MakeStore([] {
                           return std::make_unique<MemoryStoreUnderTest>();
                         })));

TEST(MemoryStore, Keeps_nothing_of_a_batch_that_it_was_told_to_fail) {
  MemoryStore store(BrokerIncarnation{{1}});
  store.fail_commits(Errc::store_full);
  const std::vector<StoreOp> ops{PutConversation{{ConversationId{{1}}, 1, 1, 1, {1, 2}}}};
  const auto failed = store.commit(ops);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::store_full);
  store.fail_commits(std::nullopt);
  EXPECT_FALSE(*store.read_conversation(ConversationId{{1}}));
}

}  // namespace
}  // namespace sealwire::broker
