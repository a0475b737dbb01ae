// Key packages, contacts, invites, conversations.
#include <gtest/gtest.h>

#include <set>

#include "tests/broker/world.h"

namespace sealwire::test {
namespace {

using namespace sealwire::broker;

class Calls : public ::testing::Test {
 protected:
  World world;
  WorldAgent alice = world.agent();
  WorldAgent bob = world.agent();
  Client& a = world.connect(alice);
  Client& b = world.connect(bob);

  std::uint32_t publish(Client& client, int from, int count, const Bytes& last_resort = {}) {
    flatbuffers::FlatBufferBuilder fb;
    std::vector<flatbuffers::Offset<wire::KeyPackageBytes>> list;
    for (int i = from; i < from + count; ++i)
      list.push_back(wire::CreateKeyPackageBytes(fb, put(fb, Bytes{static_cast<std::uint8_t>(i)})));
    const auto list_at = fb.CreateVector(list);
    const auto last_at = last_resort.empty() ? 0 : put(fb, last_resort);
    return client.call(fb, wire::CreatePublish(fb, list_at, last_at));
  }
  std::uint32_t pool_size(Client& client, std::uint32_t call) {
    const Bytes bytes = client.reply(call);
    const auto frame = Frame::parse(bytes, limits::kFrameBytes);
    const auto* published = frame->as<wire::Reply>()->response_as_Published();
    return published == nullptr ? 0 : published->key_packages();
  }
  /// The key package's only byte, or -1 - code.
  int claim(Client& client, const AgentId& of) {
    flatbuffers::FlatBufferBuilder fb;
    const Bytes bytes = client.reply(client.call(fb, wire::CreateClaim(fb, put(fb, of.bytes))));
    const auto frame = Frame::parse(bytes, limits::kFrameBytes);
    const auto* reply = frame->as<wire::Reply>();
    const auto* claimed = reply->response_as_Claimed();
    if (claimed == nullptr) return -1 - static_cast<int>(reply->code());
    EXPECT_EQ(to_bytes(span_of(claimed->inception()->statement())),
              bob.identity().inception.statement);
    return claimed->key_package()->Get(0);
  }
  wire::Code issue_invite(Client& client, const crypto::SigningKey& seed_key, UnixMillis expires) {
    flatbuffers::FlatBufferBuilder fb;
    return client.reply_code(client.call(
        fb, wire::CreateIssueInvite(fb, put(fb, seed_key.public_bytes()), expires.value)));
  }
  wire::Code redeem(Client& client, const crypto::SigningSeed& seed, const AgentId& agent,
                    const Digest& transcript) {
    flatbuffers::FlatBufferBuilder fb;
    const SignedStatement redemption = make_redemption(seed, agent, transcript);
    return client.reply_code(client.call(fb, wire::CreateRedeem(fb, to_wire(fb, redemption))));
  }
};

TEST_F(Calls, Each_key_package_is_handed_out_once_in_order_then_the_last_resort_for_ever) {
  world.allow_each_other(a, b);
  EXPECT_EQ(claim(a, bob.id()), -1 - static_cast<int>(wire::Code::unknown));
  EXPECT_EQ(pool_size(b, publish(b, 1, 3, {99})), 3u);
  EXPECT_EQ(claim(a, bob.id()), 1);
  EXPECT_EQ(claim(a, bob.id()), 2);
  world.restart();
  Client& a2 = world.connect(alice);
  EXPECT_EQ(claim(a2, bob.id()), 3);
  EXPECT_EQ(claim(a2, bob.id()), 99);
  EXPECT_EQ(claim(a2, bob.id()), 99);
  EXPECT_EQ(world.connect(bob).ready->key_packages, 0u);
}

TEST_F(Calls, Two_claims_decided_before_either_is_on_disk_get_two_key_packages) {
  auto carol = world.agent();
  Client& c = world.connect(carol);
  world.allow_each_other(a, b);
  world.allow_each_other(c, b);
  publish(b, 1, 2);
  world.hold_commits = true;
  flatbuffers::FlatBufferBuilder f1, f2;
  const auto one = a.call(f1, wire::CreateClaim(f1, put(f1, bob.id().bytes)));
  const auto two = c.call(f2, wire::CreateClaim(f2, put(f2, bob.id().bytes)));
  world.hold_commits = false;
  world.commit_one();
  world.run();
  const auto package_of = [](const Client& client, std::uint32_t call) {
    const Bytes bytes = client.reply(call);
    const auto frame = Frame::parse(bytes, limits::kFrameBytes);
    return frame->as<wire::Reply>()->response_as_Claimed()->key_package()->Get(0);
  };
  EXPECT_NE(package_of(a, one), package_of(c, two));
}

TEST_F(Calls, A_claim_whose_commit_failed_hands_out_nothing) {
  world.allow_each_other(a, b);
  publish(b, 1, 1, {99});
  world.store.fail_commits(Errc::store_failed);
  EXPECT_EQ(claim(a, bob.id()), -1 - static_cast<int>(wire::Code::unavailable));
  world.store.fail_commits(std::nullopt);
  EXPECT_EQ(claim(a, bob.id()), 1);
}

TEST_F(Calls, The_pool_has_a_bound_and_drops_its_oldest) {
  world.allow_each_other(a, b);
  publish(b, 0, 50);
  EXPECT_EQ(pool_size(b, publish(b, 50, 10)), 50u);
  EXPECT_EQ(claim(a, bob.id()), 10);
}

TEST_F(Calls, Claims_are_limited_an_agent) {
  world.config.claims = {0.5, 2};
  world.restart();
  Client& a2 = world.connect(alice);
  Client& b2 = world.connect(bob);
  world.allow_each_other(a2, b2);
  publish(b2, 1, 9);
  EXPECT_EQ(claim(a2, bob.id()), 1);
  EXPECT_EQ(claim(a2, bob.id()), 2);
  EXPECT_EQ(claim(a2, bob.id()), -1 - static_cast<int>(wire::Code::rate_limited));
  world.now = world.now + 2 * kSecondMs;
  EXPECT_EQ(claim(a2, bob.id()), 3);
}

TEST_F(Calls, Lookup_finds_inception_and_prekey_and_a_foreign_prekey_is_not_taken) {
  world.allow_each_other(a, b);
  const auto publish_prekey = [&](const crypto::SigningKey& by) {
    flatbuffers::FlatBufferBuilder fb;
    const SignedStatement prekey = make_prekey(by, PrekeyKey{{7}}, world.now, world.now + kDayMs);
    const auto prekey_at = to_wire(fb, prekey);
    return b.reply_code(b.call(fb, wire::CreatePublish(fb, 0, 0, prekey_at)));
  };
  EXPECT_EQ(publish_prekey(alice.key()), wire::Code::malformed);
  EXPECT_EQ(publish_prekey(bob.key()), wire::Code::ok);
  flatbuffers::FlatBufferBuilder fb;
  const Bytes bytes = a.reply(a.call(fb, wire::CreateLookup(fb, put(fb, bob.id().bytes))));
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  const auto* found = frame->as<wire::Reply>()->response_as_Found();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(verify_inception(from_wire(*found->inception()))->agent, bob.id());
  ASSERT_NE(found->prekey(), nullptr);
  EXPECT_TRUE(verify_prekey(from_wire(*found->prekey()), bob.instance(), world.now));
}

TEST_F(Calls, Contacts_are_listed_as_they_were_set) {
  auto carol = world.agent();
  a.set_contact(bob.id(), wire::Contact::allowed);
  a.set_contact(carol.id(), wire::Contact::blocked);
  a.set_contact(carol.id(), wire::Contact::none);
  EXPECT_EQ(a.set_contact(alice.id(), wire::Contact::allowed), wire::Code::denied);
  world.restart();
  Client& a2 = world.connect(alice);
  flatbuffers::FlatBufferBuilder fb;
  const Bytes bytes = a2.reply(a2.call(fb, wire::CreateListContacts(fb)));
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  const auto* contacts = frame->as<wire::Reply>()->response_as_Contacts();
  ASSERT_EQ(contacts->contacts()->size(), 1u);
  EXPECT_EQ(value<AgentId>(contacts->contacts()->Get(0)->agent()), bob.id());
  EXPECT_EQ(contacts->contacts()->Get(0)->contact(), wire::Contact::allowed);
}

TEST_F(Calls, GetConversation_shows_a_member_its_own_last_envelope_and_others_nothing) {
  const auto talk = world.introduce(a, b);
  const auto sent = alice.application(talk, world.now);
  a.submit(sent);
  const auto ask = [&](Client& client) {
    flatbuffers::FlatBufferBuilder fb;
    return client.reply(client.call(fb, wire::CreateGetConversation(fb, put(fb, talk.bytes))));
  };
  const Bytes bytes = ask(a);
  const auto frame = Frame::parse(bytes, limits::kFrameBytes);
  const auto* state = frame->as<wire::Reply>()->response_as_ConversationState();
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->incarnation(), 1u);
  EXPECT_EQ(state->epoch(), 1u);
  EXPECT_EQ(state->sequence(), 3u);
  EXPECT_EQ(decode_header(span_of(state->last_header()))->id, sent.header.id);
  auto carol = world.agent();
  Client& c = world.connect(carol);
  const Bytes refused = ask(c);
  EXPECT_EQ(Frame::parse(refused, limits::kFrameBytes)->as<wire::Reply>()->code(),
            wire::Code::denied);
}

// --- invites
// --------------------------------------------------------------------------------------

struct Seeded {
  crypto::SigningSeed seed;
  crypto::SigningKey key;
  explicit Seeded(Random& random)
      : seed(random.secret<32>()), key(crypto::SigningKey::from_seed(seed)) {}
};

TEST_F(Calls, An_invite_admits_its_bearer_once_and_makes_both_contacts) {
  world.config.admission = Admission::invite;
  world.restart();
  Client& a2 = world.connect(alice);
  Seeded invite_seed(world.random);
  ASSERT_EQ(issue_invite(a2, invite_seed.key, world.now + kHourMs), wire::Code::ok);
  const Invite invite{alice.identity(),
                      world.broker_key.public_key<BrokerKey>(),
                      {"x"},
                      world.now + kHourMs,
                      invite_seed.seed.clone()};
  auto carol = world.agent();
  auto dave = world.agent();
  Client& c = world.connect(carol, {.invite = &invite});
  ASSERT_TRUE(c.ready);
  ASSERT_EQ(a2.entries.size(), 1u);
  EXPECT_EQ(a2.entries[0].type, wire::Item::Redeemed);
  EXPECT_EQ(verify_redemption(a2.entries[0].statements[0])->agent, carol.id());
  EXPECT_EQ(verify_inception(a2.entries[0].statements[1])->agent, carol.id());
  c.submit(carol.letter(alice, world.now));
  a2.submit(alice.letter(carol, world.now));
  EXPECT_TRUE(c.rejections.empty());
  EXPECT_TRUE(a2.rejections.empty());
  EXPECT_EQ(world.connect(dave, {.invite = &invite}).closed, Errc::invite_invalid) << "one use";
  EXPECT_TRUE(world.connect(carol, {.invite = &invite}).ready) << "but its bearer may come back";
}

TEST_F(Calls, An_expired_invite_and_one_nobody_issued_admit_nobody) {
  world.config.admission = Admission::invite;
  world.restart();
  Client& a2 = world.connect(alice);
  Seeded late(world.random), forged(world.random);
  ASSERT_EQ(issue_invite(a2, late.key, world.now + kHourMs), wire::Code::ok);
  world.now = world.now + kHourMs;
  for (const Seeded* seeded : {&late, &forged}) {
    const Invite invite{alice.identity(),
                        world.broker_key.public_key<BrokerKey>(),
                        {"x"},
                        world.now + kHourMs,
                        seeded->seed.clone()};
    auto stranger = world.agent();
    EXPECT_EQ(world.connect(stranger, {.invite = &invite}).closed, Errc::invite_invalid);
    EXPECT_FALSE(world.connect(stranger).ready) << "and leave no trace";
  }
  world.tick(10 * kSecondMs);
  EXPECT_TRUE(world.store.load()->invites.empty()) << "what expired is swept";
}

TEST_F(Calls, Redeem_takes_only_a_redemption_of_this_agent_and_this_session) {
  Seeded invite_seed(world.random);
  ASSERT_EQ(issue_invite(a, invite_seed.key, world.now + kHourMs), wire::Code::ok);
  EXPECT_EQ(redeem(b, invite_seed.seed, alice.id(), b.transcript), wire::Code::denied);
  EXPECT_EQ(redeem(b, invite_seed.seed, bob.id(), a.transcript), wire::Code::denied);
  EXPECT_EQ(redeem(a, invite_seed.seed, alice.id(), a.transcript), wire::Code::denied) << "own";
  EXPECT_EQ(redeem(b, invite_seed.seed, bob.id(), b.transcript), wire::Code::ok);
  EXPECT_EQ(redeem(b, invite_seed.seed, bob.id(), b.transcript), wire::Code::denied) << "twice";
  b.submit(bob.letter(alice, world.now));
  EXPECT_TRUE(b.rejections.empty());
}

TEST_F(Calls, An_invite_does_not_undo_a_block) {
  Seeded invite_seed(world.random);
  ASSERT_EQ(issue_invite(a, invite_seed.key, world.now + kHourMs), wire::Code::ok);
  a.set_contact(bob.id(), wire::Contact::blocked);
  EXPECT_EQ(redeem(b, invite_seed.seed, bob.id(), b.transcript), wire::Code::denied);
}

TEST_F(Calls, Invites_have_a_bound_a_life_of_a_week_and_a_key_of_their_own) {
  world.config.invites_max = 2;
  world.restart();
  Client& a2 = world.connect(alice);
  Seeded one(world.random), two(world.random), three(world.random);
  EXPECT_EQ(issue_invite(a2, one.key, world.now + 8 * kDayMs), wire::Code::denied);
  EXPECT_EQ(issue_invite(a2, one.key, world.now + kHourMs), wire::Code::ok);
  EXPECT_EQ(issue_invite(a2, one.key, world.now + kHourMs), wire::Code::denied);
  EXPECT_EQ(issue_invite(a2, two.key, world.now + kHourMs), wire::Code::ok);
  EXPECT_EQ(issue_invite(a2, three.key, world.now + kHourMs), wire::Code::quota_exceeded);
}

}  // namespace
}  // namespace sealwire::test
