// Invites made and redeemed: the part of Peers by which strangers become contacts.
#include "protocol/identity/did_key.h"
#include "sdk/cpp/core/peers.h"

namespace sealwire::sdk {
namespace {
const RowKey kRedemptionRow(as_bytes("redemption"));
}

void Peers::create_invite(std::uint64_t lifetime_ms,
                          std::function<void(Result<std::string>)> done) {
  if (!session_.ready()) {
    done(fail(Errc::closed, "an invite needs a connection"));
    return;
  }
  // A minute for a clock that is ahead of the broker's.
  const UnixMillis expires =
      shared_.now + std::min(lifetime_ms, limits::kInviteLifetimeMs - kMinuteMs);
  Invite invite{shared_.self, session_.info().broker, shared_.config.endpoints, expires,
                shared_.random.secret<32>()};
  const InviteKey key = invite.key();
  // Remembered before the broker knows it: a redemption must find it whatever happens to us.
  invites_[key] = expires;
  Writer row;
  shared_.write(Table::invites, RowKey(key.span()), std::move(row.u64(expires.value)).take());
  flatbuffers::FlatBufferBuilder b;
  const auto key_at = put(b, key.bytes);
  auto text = std::make_shared<std::string>(invite_text(invite));
  calls_.make(b, wire::CreateIssueInvite(b, key_at, expires.value),
              [this, done = std::move(done), text](const Result<const wire::Reply*>& reply) {
                Result<std::string> outcome =
                    reply ? Result<std::string>(*text) : Result<std::string>(fail(reply.error()));
                shared_.after_flush([done, outcome] { done(outcome); });
              });
}

void Peers::on_redeemed(const SignedStatement& redemption, const SignedStatement& inception) {
  const auto verified = verify_redemption(redemption);
  const auto identity = verify_inception(inception);
  const auto made = verified ? invites_.find(verified->invite) : invites_.end();
  if (!verified || !identity || made == invites_.end() || verified->agent != identity->agent) {
    shared_.notice(Notice::Kind::undecryptable, "a redemption of an invite that we did not make",
                   Error{Errc::invite_invalid, {}});
    return;
  }
  shared_.erase(Table::invites, RowKey(verified->invite.span()));
  invites_.erase(made);
  if (const auto learnt = learn(*identity); !learnt) return shared_.stop(learnt.error());
  PeerRow& row = peers_[identity->agent];
  if (row.contact != Peer::Contact::blocked) {
    row.contact = Peer::Contact::allowed;
    row.confirmed = true;  // by the redemption itself
    save(row);
  }
  shared_.notice(Notice::Kind::peer_added, "redeemed an invite of ours", {}, &identity->agent);
}

Result<> Peers::redeem(std::string_view text, std::string nickname, Done done) {
  SW_TRY(Invite invite, parse_invite(text));
  if (shared_.config.broker && *shared_.config.broker != invite.broker)
    return fail(Errc::broker_key_mismatch, "the invite is for another broker");
  if (invite.inviter.agent == shared_.self.agent)
    return fail(Errc::invite_malformed, "this agent made the invite itself");
  if (invite.expires <= shared_.now) return fail(Errc::invite_invalid, "the invite has expired");
  if (!nickname.empty()) SW_CHECK(set_nickname(invite.inviter.agent, std::move(nickname)));
  SW_CHECK(learn(invite.inviter));
  if (redeeming_) finish_redeeming(fail(Errc::cancelled, "another invite took its place"));
  Writer row;
  shared_.write(Table::meta, kRedemptionRow, std::move(row.text(text)).take());
  redeeming_ = Redeeming{std::string(text), std::move(invite), false, false, std::move(done)};
  if (session_.ready())
    redeem_by_call();
  else
    session_.retry_now();
  return {};
}

const Invite* Peers::invite_for_proof() {
  if (!redeeming_ || !redeeming_->in_proof) return nullptr;
  return &redeeming_->invite;
}

bool Peers::on_not_admitted() {
  if (!redeeming_) return false;
  if (redeeming_->tried_proof) {
    finish_redeeming(fail(Errc::denied, "the invite is not (or no longer) valid"));
    return false;
  }
  redeeming_->in_proof = redeeming_->tried_proof = true;
  return true;
}

void Peers::redeem_by_call() {
  flatbuffers::FlatBufferBuilder b;
  const auto redemption = to_wire(
      b, make_redemption(redeeming_->invite.seed, shared_.self.agent, session_.transcript()));
  calls_.make(b, wire::CreateRedeem(b, redemption),
              [this, invite = redeeming_->invite.key()](const Result<const wire::Reply*>& reply) {
                if (!redeeming_ || redeeming_->invite.key() != invite) return;
                if (reply) return finish_redeeming({});
                if (reply.error().code == Errc::closed) return;  // again in the next session
                check_redeemed(reply.error());
              });
}

// A redemption whose answer was lost is refused the second time: the contact tells.
void Peers::check_redeemed(const Error& refusal) {
  flatbuffers::FlatBufferBuilder b;
  calls_.make(
      b, wire::CreateListContacts(b),
      [this, refusal, invite = redeeming_->invite.key()](const Result<const wire::Reply*>& reply) {
        if (!redeeming_ || redeeming_->invite.key() != invite) return;
        const auto contacts = response<wire::Contacts>(reply);
        if (!contacts && contacts.error().code == Errc::closed) return;
        if (contacts && (*contacts)->contacts() != nullptr)
          for (const wire::ContactEntry* entry : *(*contacts)->contacts())
            if (value<AgentId>(entry->agent()) == redeeming_->invite.inviter.agent &&
                entry->contact() == wire::Contact::allowed)
              return finish_redeeming({});
        finish_redeeming(fail(refusal));
      });
}

void Peers::finish_redeeming(const Result<>& outcome) {
  Redeeming finished = std::move(*redeeming_);
  redeeming_.reset();
  shared_.erase(Table::meta, kRedemptionRow);
  if (outcome) {
    PeerRow& row = peers_[finished.invite.inviter.agent];
    row.contact = Peer::Contact::allowed;
    row.confirmed = true;
    save(row);
  }
  if (finished.done)
    shared_.after_flush([done = std::move(finished.done), outcome] { done(outcome); });
}

}  // namespace sealwire::sdk
