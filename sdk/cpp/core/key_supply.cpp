#include "sdk/cpp/core/key_supply.h"

#include "protocol/identity/did_key.h"
#include "sdk/cpp/state/record.h"

namespace sealwire::sdk {
namespace {

constexpr std::uint32_t kPoolLow = limits::kKeyPackagePool / 2;
constexpr std::uint64_t kRenewMs = limits::kKeyPackageLifetimeMs / 2;  // of what lies at the broker
constexpr std::uint64_t kRenewPrekeyMs = limits::kPrekeyLifetimeMs / 2;
constexpr std::uint64_t kCheckMs = kHourMs;

}  // namespace

Result<> KeySupply::load() {
  SW_CHECK(shared_.state.scan(Table::key_packages, [this](ByteSpan key, SecretBytes value) {
    Reader in(value.span());
    Known known;
    known.expires = {in.u64()};
    known.created = {in.u64()};
    known.last_resort = in.flag();
    key_packages_[to_bytes(key)] = known;
    return Result<>();
  }));
  return shared_.state.scan(Table::prekeys, [this](ByteSpan key, SecretBytes value) {
    Reader in(value.span());
    Known known;
    known.expires = {in.u64()};
    known.created = {in.u64()};
    if (const auto prekey = PrekeyKey::from(key)) prekeys_[*prekey] = known;
    return Result<>();
  });
}

void KeySupply::on_ready(std::uint32_t key_packages_at_broker) {
  at_broker_ = key_packages_at_broker;
  publishing_ = false;
  next_check_ = shared_.now;
}

void KeySupply::on_timer() {
  if (shared_.now < next_check_) return;
  next_check_ = shared_.now + kCheckMs;
  forget_expired();
  if (!session_.ready() || publishing_) return;
  if (const auto done = publish(); !done) shared_.stop(done.error());
}

void KeySupply::forget_expired() {
  // A Welcome or letter made in the last minute of the lifetime may wait in the mailbox as long as
  // an envelope lives.
  std::erase_if(key_packages_, [this](const auto& entry) {
    if (shared_.now < entry.second.expires + limits::kLifetimeMs) return false;
    shared_.erase(Table::key_packages, RowKey(entry.first));
    return true;
  });
  std::erase_if(prekeys_, [this](const auto& entry) {
    if (shared_.now < entry.second.expires + limits::kLetterLifetimeMs) return false;
    shared_.erase(Table::prekeys, RowKey(entry.first.span()));
    return true;
  });
}

// The pool is handed out from its oldest: what is left of it are the newest that we made.
std::optional<UnixMillis> KeySupply::oldest_at_broker() const {
  std::vector<UnixMillis> made;
  for (const auto& [ref, known] : key_packages_)
    if (!known.last_resort) made.push_back(known.created);
  if (made.empty()) return std::nullopt;
  std::sort(made.begin(), made.end(), std::greater<>());
  return made[std::clamp<std::size_t>(at_broker_, 1, made.size()) - 1];
}

Result<> KeySupply::publish() {
  const std::string did = did_key(shared_.self.instance);
  std::vector<Bytes> pool;
  Bytes last_resort;
  const auto make = [&](bool last) -> Result<Bytes> {
    SW_TRY(mls::KeyPackageBundle made,
           mls::make_key_package(shared_.key, as_bytes(did), limits::kKeyPackageLifetimeMs, last,
                                 shared_.random, shared_.now));
    const Known known{shared_.now + limits::kKeyPackageLifetimeMs, shared_.now, last};
    Writer row;
    row.u64(known.expires.value).u64(known.created.value).flag(last);
    row.bytes(made.private_part.span()).bytes(made.key_package);
    shared_.write(Table::key_packages, RowKey(made.ref), std::move(row).take());
    key_packages_[made.ref] = known;
    return std::move(made.key_package);
  };
  // A full pool drops the oldest, so a full new one replaces them all: those that a lost state left
  // behind, which nobody can join with, and those that go towards the end of their lifetime.
  const auto oldest = oldest_at_broker();
  const bool replace = !oldest || shared_.now >= *oldest + kRenewMs;
  if (at_broker_ < kPoolLow || replace) {
    for (std::size_t i = replace ? 0 : at_broker_; i < limits::kKeyPackagePool; ++i) {
      SW_TRY(Bytes made, make(false));
      pool.push_back(std::move(made));
    }
  }
  const bool has_last_resort =
      std::any_of(key_packages_.begin(), key_packages_.end(), [this](const auto& entry) {
        return entry.second.last_resort && shared_.now < entry.second.created + kRenewMs;
      });
  if (!has_last_resort) {
    SW_TRY(last_resort, make(true));
  }
  std::optional<SignedStatement> prekey;
  const bool has_prekey = std::any_of(prekeys_.begin(), prekeys_.end(), [this](const auto& entry) {
    return shared_.now < entry.second.created + kRenewPrekeyMs;
  });
  if (!has_prekey) {
    const crypto::AgreementKey made = crypto::AgreementKey::generate(shared_.random);
    const PrekeyKey key{made.public_key};
    const Known known{shared_.now + limits::kPrekeyLifetimeMs, shared_.now, false};
    Writer row;
    row.u64(known.expires.value).u64(known.created.value).raw(made.secret.span());
    shared_.write(Table::prekeys, RowKey(key.span()), std::move(row).take());
    prekeys_[key] = known;
    prekey = make_prekey(shared_.key, key, shared_.now, known.expires);
  }
  if (pool.empty() && last_resort.empty() && !prekey) return {};

  flatbuffers::FlatBufferBuilder b(32 * 1024);
  std::vector<flatbuffers::Offset<wire::KeyPackageBytes>> offsets;
  offsets.reserve(pool.size());
  for (const Bytes& key_package : pool)
    offsets.push_back(wire::CreateKeyPackageBytes(b, put(b, key_package)));
  const auto pool_at = b.CreateVector(offsets);
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> last_resort_at = 0;
  if (!last_resort.empty()) last_resort_at = put(b, last_resort);
  flatbuffers::Offset<wire::Signed> prekey_at = 0;
  if (prekey) prekey_at = to_wire(b, *prekey);
  publishing_ = true;
  calls_.make(b, wire::CreatePublish(b, pool_at, last_resort_at, prekey_at),
              [this](const Result<const wire::Reply*>& reply) {
                publishing_ = false;
                if (const auto published = response<wire::Published>(reply))
                  at_broker_ = (*published)->key_packages();
                else if (published.error().code != Errc::closed)
                  shared_.notice(Notice::Kind::refused, "the broker did not take the key packages",
                                 published.error());
              });
  return {};
}

Result<std::optional<mls::KeyPackageBundle>> KeySupply::find(ByteSpan ref) {
  const auto known = key_packages_.find(to_bytes(ref));
  if (known == key_packages_.end()) return std::optional<mls::KeyPackageBundle>();
  // Not written yet when it was made in this very flush; nobody can have claimed it then.
  SW_TRY(const auto row, shared_.state.read(Table::key_packages, RowKey(ref)));
  if (!row) return std::optional<mls::KeyPackageBundle>();
  Reader in(row->span());
  in.u64();
  in.u64();
  mls::KeyPackageBundle bundle;
  bundle.last_resort = in.flag();
  bundle.private_part = SecretBytes(in.bytes());
  bundle.key_package = to_bytes(in.bytes());
  bundle.ref = to_bytes(ref);
  SW_CHECK(in.done("the key packages"));
  return std::optional<mls::KeyPackageBundle>(std::move(bundle));
}

void KeySupply::used(const mls::KeyPackageBundle& bundle) {
  if (bundle.last_resort) return;
  shared_.erase(Table::key_packages, RowKey(bundle.ref));
  key_packages_.erase(bundle.ref);
  if (at_broker_ > 0) --at_broker_;
  if (at_broker_ < kPoolLow) next_check_ = shared_.now;
}

Result<std::optional<crypto::AgreementKey>> KeySupply::find_prekey(const PrekeyKey& key) {
  if (!prekeys_.contains(key)) return std::optional<crypto::AgreementKey>();
  SW_TRY(const auto row, shared_.state.read(Table::prekeys, RowKey(key.span())));
  if (!row) return std::optional<crypto::AgreementKey>();
  Reader in(row->span());
  in.u64();
  in.u64();
  Secret<32> secret = in.secret<32>();
  SW_CHECK(in.done("the prekeys"));
  return std::optional<crypto::AgreementKey>(crypto::AgreementKey::from_secret(std::move(secret)));
}

}  // namespace sealwire::sdk
