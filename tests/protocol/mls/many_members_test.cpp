// Larger groups: blank nodes, unmerged leaves, truncation, and newcomers who check every hash.
#include <map>

#include "tests/protocol/mls/insider.h"

namespace sealwire::mls::test {
namespace {

/// A group and everyone in it; every message reaches everyone.
class Room {
 public:
  Room() { groups_.emplace(0, agent(0).found()); }

  Agent& agent(std::size_t id) {
    auto& agent = agents_[id];
    if (!agent) agent = std::make_unique<Agent>(1000 + id);
    return *agent;
  }
  Group& group(std::size_t id) { return groups_.at(id); }
  std::vector<std::size_t> present() const {
    std::vector<std::size_t> ids;
    for (const auto& [id, group] : groups_)
      ids.push_back(id);
    return ids;
  }

  void commit(std::size_t by, const std::vector<std::size_t>& adds,
              const std::vector<std::size_t>& removes, bool path = true) {
    CommitSpec spec;
    spec.force_path = path;
    std::map<std::size_t, KeyPackageBundle> bundles;
    for (const std::size_t id : adds) {
      bundles.emplace(id, agent(id).publish());
      spec.adds.push_back(bundles.at(id).key_package);
    }
    for (const std::size_t id : removes)
      spec.removes.push_back(group(id).own_leaf());
    const auto made = must(group(by).commit(spec, {}, agent(by).random, kNow));
    for (auto& [id, member] : groups_) {
      if (id == by) {
        must(member.apply_pending());
      } else {
        must(member.process(made.commit));
      }
    }
    for (const std::size_t id : removes) {
      EXPECT_FALSE(group(id).active());
      groups_.erase(id);
    }
    for (const auto& [id, bundle] : bundles)
      groups_.emplace(id, agent(id).join(*made.welcome, bundle));
    check();
  }

  void propose_update(std::size_t by) {
    const Bytes proposal = must(group(by).propose_update({}, agent(by).random));
    for (auto& [id, member] : groups_)
      must(member.process(proposal));
  }

  void check() {
    const Bytes expected = authenticator(groups_.begin()->second);
    for (auto& [id, member] : groups_) {
      EXPECT_EQ(authenticator(member), expected) << "member " << id;
      EXPECT_EQ(member.members().size(), groups_.size());
    }
    const Epoch epoch = secrets_of(groups_.begin()->second);
    EXPECT_TRUE(epoch.tree.verify_parent_hashes());
    EXPECT_TRUE(epoch.tree.verify_structure());
  }

 private:
  std::map<std::size_t, std::unique_ptr<Agent>> agents_;
  std::map<std::size_t, Group> groups_;
};

TEST(ManyMembers, eight_join_at_once_and_each_can_commit) {
  Room room;
  room.commit(0, {1, 2, 3, 4, 5, 6, 7}, {});
  for (std::size_t id = 0; id < 8; ++id)
    room.commit(id, {}, {});
}

TEST(ManyMembers, an_unmerged_leaf_gets_the_path_secret_of_the_next_commit) {
  Room room;
  room.commit(0, {1, 2, 3}, {});
  room.commit(1, {}, {});
  room.commit(2, {4}, {}, false);  // no path: 4 is unmerged everywhere above
  room.commit(3, {5}, {}, false);
  room.commit(0, {}, {});
  room.commit(4, {}, {});
  room.commit(5, {6}, {});
}

TEST(ManyMembers, a_subtree_that_became_blank_does_not_break_parent_hashes) {
  Room room;
  room.commit(0, {1, 2, 3, 4, 5, 6, 7}, {});
  for (const std::size_t id : {0u, 3u, 5u, 7u})
    room.commit(id, {}, {});
  room.commit(0, {}, {2, 3});  // the subtree over leaves 2 and 3 is blank
  room.commit(6, {}, {});
  room.commit(4, {8}, {});  // a newcomer there checks everything
  room.commit(7, {}, {4, 5});
  room.commit(1, {9, 10, 11}, {});
}

TEST(ManyMembers, the_tree_shrinks_when_its_right_half_empties_and_grows_again) {
  Room room;
  room.commit(0, {1, 2, 3, 4}, {});
  room.commit(0, {}, {4});
  EXPECT_EQ(secrets_of(room.group(0)).tree.leaf_count(), 4u);
  room.commit(1, {}, {2, 3});
  EXPECT_EQ(secrets_of(room.group(0)).tree.leaf_count(), 2u);
  room.commit(0, {}, {1});
  EXPECT_EQ(secrets_of(room.group(0)).tree.leaf_count(), 1u);
  room.commit(0, {2, 3, 4}, {});
}

TEST(ManyMembers, a_founder_alone_can_commit_and_still_be_joined) {
  Room room;
  room.commit(0, {}, {});
  room.commit(0, {1}, {}, false);
  room.commit(1, {}, {});
}

TEST(ManyMembers, random_histories_end_in_agreement) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    sealwire::test::SeededRandom random(seed);
    const auto below = [&random](std::size_t bound) {
      std::array<std::uint8_t, 2> dice{};
      random.fill(dice);
      return static_cast<std::size_t>(dice[0] | (dice[1] << 8)) % bound;
    };
    Room room;
    std::size_t next = 1;
    for (int step = 0; step < 30; ++step) {
      const auto present = room.present();
      const std::size_t by = present[below(present.size())];
      std::vector<std::size_t> adds;
      std::vector<std::size_t> removes;
      while (present.size() + adds.size() < 10 && below(2) == 0)
        adds.push_back(next++);
      for (const std::size_t id : present) {
        if (id != by && below(6) == 0) removes.push_back(id);
      }
      for (const std::size_t id : present) {
        if (id != by && std::ranges::count(removes, id) == 0 && below(5) == 0)
          room.propose_update(id);
      }
      room.commit(by, adds, removes, below(3) != 0);
      if (HasFailure()) return;
    }
  }
  std::cout << "seeds 1 to 6\n";
}

}  // namespace
}  // namespace sealwire::mls::test
