// What every Store must do, whatever it is made of. A store's own test lists store_suite.cpp among
// its sources and instantiates the suite with a way to make one.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "broker/store/store.h"

namespace sealwire::broker {

/// One store under test, that can be closed and opened again with what it has on disk.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
};

using MakeStore = std::function<std::unique_ptr<StoreUnderTest>()>;

class StoreSuite : public ::testing::TestWithParam<MakeStore> {
 protected:
  void SetUp() override { under_test_ = GetParam()(); }
  Store& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }
  void commit(std::vector<StoreOp> ops);
  std::vector<MailboxEntry> mailbox(AgentNumber owner, std::uint64_t after = 0);

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

}  // namespace sealwire::broker
