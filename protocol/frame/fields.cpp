#include "protocol/frame/fields.h"

#include "protocol/limits.h"

namespace sealwire {
namespace {

using ByteVector = flatbuffers::Vector<std::uint8_t>;

// FRM-006: a fixed-size field has its size. `fixed` wants it there, `optional_fixed` lets it be
// absent.
bool fixed(const ByteVector* bytes, std::size_t size) {
  return bytes != nullptr && bytes->size() == size;
}
bool bounded(const ByteVector* bytes, std::size_t max) {
  return bytes == nullptr || bytes->size() <= max;
}
template <class Enum>
bool known(Enum value, Enum max) {
  return static_cast<unsigned>(value) <= static_cast<unsigned>(max);
}
template <class Vector>
bool count(const Vector* items, std::size_t min, std::size_t max) {
  const std::size_t size = items == nullptr ? 0 : items->size();
  return size >= min && size <= max;
}
// All of a vector's tables pass `check`.
template <class Table>
bool each(const flatbuffers::Vector<flatbuffers::Offset<Table>>* items,
          bool (*check)(const Table&)) {
  if (items == nullptr) return true;
  return std::all_of(items->begin(), items->end(),
                     [check](const Table* item) { return check(*item); });
}

constexpr std::size_t kKey = 32, kSignature = 64, kId = 16, kHash = 32;

bool check(const wire::Signed& s) {
  return bounded(s.statement(), limits::kStatementBytes) && fixed(s.signature(), kSignature);
}
bool check_optional(const wire::Signed* s) {
  return s == nullptr || check(*s);
}

// --- handshake
bool check(const wire::Hello& h) {
  return count(h.versions(), 1, limits::kVersionsInHello) && fixed(h.key(), kKey) &&
         fixed(h.nonce(), 32) && fixed(h.ephemeral(), kKey) &&
         known(h.binding(), wire::Binding::MAX);
}
bool check(const wire::Challenge& c) {
  return bounded(c.terms(), limits::kStatementBytes) && fixed(c.signature(), kSignature);
}
bool check(const wire::Proof& p) {
  return bounded(p.claims(), limits::kStatementBytes) && fixed(p.signature(), kSignature);
}
bool check(const wire::Ready& r) {
  return fixed(r.session(), kId) && fixed(r.incarnation(), kId);
}

// --- envelopes
bool check(const wire::EnvelopeBytes& e) {
  return bounded(e.bytes(), limits::kEnvelopeBytes);
}
bool check(const wire::Bundle& b) {
  return count(b.envelopes(), 1, limits::kEnvelopesPerBundle) &&
         each<wire::EnvelopeBytes>(b.envelopes(), check);
}
bool check(const wire::Send& s) {
  return count(s.bundles(), 1, limits::kBundlesPerSend) && each<wire::Bundle>(s.bundles(), check);
}
bool check(const wire::Accepted& a) {
  return fixed(a.signature(), kSignature);
}
// The remains of an envelope: all three or none.
bool check_remains(const ByteVector* header, const ByteVector* body_hash,
                   const ByteVector* signature) {
  if (header == nullptr) return body_hash == nullptr && signature == nullptr;
  return bounded(header, limits::kHeaderBytes) && fixed(body_hash, kHash) &&
         fixed(signature, kSignature);
}
bool check(const wire::Rejection& r) {
  return fixed(r.id(), kId) && known(r.code(), wire::Code::MAX) &&
         check_remains(r.last_header(), r.last_body_hash(), r.last_signature());
}
bool check(const wire::Rejected& r) {
  return count(r.rejections(), 1, limits::kBundlesPerSend) &&
         each<wire::Rejection>(r.rejections(), check);
}
Result<> check_item(const wire::Entry& e) {
  bool good = false;
  switch (e.item_type()) {
    case wire::Item::Delivery:
      good = bounded(e.item_as_Delivery()->envelope(), limits::kEnvelopeBytes);
      break;
    case wire::Item::Tombstone: {
      const auto& t = *e.item_as_Tombstone();
      good = check_remains(t.header(), t.body_hash(), t.signature());
      break;
    }
    case wire::Item::Refused:
      good = check(*e.item_as_Refused()->refusal());
      break;
    case wire::Item::Redeemed: {
      const auto& r = *e.item_as_Redeemed();
      good = check(*r.redemption()) && check(*r.inception());
      break;
    }
    default:
      return fail(Errc::frame_unknown, "item");
  }
  if (!good) return fail(Errc::frame_field, wire::EnumNameItem(e.item_type()));
  return {};
}
Result<> check_deliver(const wire::Deliver& d) {
  if (!count(d.entries(), 1, limits::kEntriesPerDeliver)) return fail(Errc::frame_field, "entries");
  for (const wire::Entry* entry : *d.entries())
    SW_CHECK(check_item(*entry));
  return {};
}
bool check(const wire::Nack& n) {
  return n.sequence() != 0 && check(*n.refusal());
}

// --- calls
bool check(const wire::KeyPackageBytes& k) {
  return bounded(k.bytes(), limits::kKeyPackageBytes);
}
bool check(const wire::ContactEntry& c) {
  return fixed(c.agent(), kHash) && known(c.contact(), wire::Contact::MAX);
}
Result<> check_call(const wire::Call& c) {
  bool good = false;
  switch (c.request_type()) {
    case wire::Request::Publish: {
      const auto& p = *c.request_as_Publish();
      good = count(p.key_packages(), 0, limits::kKeyPackagePool) &&
             each<wire::KeyPackageBytes>(p.key_packages(), check) &&
             bounded(p.last_resort(), limits::kKeyPackageBytes) && check_optional(p.prekey());
      break;
    }
    case wire::Request::Lookup:
      good = fixed(c.request_as_Lookup()->agent(), kHash);
      break;
    case wire::Request::Claim:
      good = fixed(c.request_as_Claim()->agent(), kHash);
      break;
    case wire::Request::SetContact: {
      const auto& s = *c.request_as_SetContact();
      good = fixed(s.agent(), kHash) && known(s.contact(), wire::Contact::MAX);
      break;
    }
    case wire::Request::ListContacts:
      good = true;
      break;
    case wire::Request::IssueInvite:
      good = fixed(c.request_as_IssueInvite()->key(), kKey);
      break;
    case wire::Request::Redeem:
      good = check(*c.request_as_Redeem()->redemption());
      break;
    case wire::Request::GetConversation:
      good = fixed(c.request_as_GetConversation()->conversation(), kId);
      break;
    default:
      return fail(Errc::frame_unknown, "request");
  }
  if (!good) return fail(Errc::frame_field, wire::EnumNameRequest(c.request_type()));
  return {};
}
Result<> check_reply(const wire::Reply& r) {
  // The one union that may be absent: the verifier lets a tag without a value pass.
  if (r.response_type() != wire::Response::NONE && r.response() == nullptr)
    return fail(Errc::frame_field, "response");
  bool good = known(r.code(), wire::Code::MAX);
  switch (r.response_type()) {
    case wire::Response::NONE:
      good = good && r.code() != wire::Code::ok;
      break;
    case wire::Response::Published:
    case wire::Response::Done:
      break;
    case wire::Response::Found: {
      const auto& f = *r.response_as_Found();
      good = good && check(*f.inception()) && check_optional(f.prekey());
      break;
    }
    case wire::Response::Claimed: {
      const auto& k = *r.response_as_Claimed();
      good = good && check(*k.inception()) && bounded(k.key_package(), limits::kKeyPackageBytes);
      break;
    }
    case wire::Response::Contacts:
      good = good && each<wire::ContactEntry>(r.response_as_Contacts()->contacts(), check);
      break;
    case wire::Response::ConversationState: {
      const auto& s = *r.response_as_ConversationState();
      good = good && check_remains(s.last_header(), s.last_body_hash(), s.last_signature());
      break;
    }
    default:
      return fail(Errc::frame_unknown, "response");
  }
  if (!good) return fail(Errc::frame_field, wire::EnumNameResponse(r.response_type()));
  return {};
}

}  // namespace

Result<> check_fields(const wire::Frame& frame) {
  bool good = true;
  switch (frame.body_type()) {
    case wire::Body::Hello:
      good = check(*frame.body_as_Hello());
      break;
    case wire::Body::Challenge:
      good = check(*frame.body_as_Challenge());
      break;
    case wire::Body::Proof:
      good = check(*frame.body_as_Proof());
      break;
    case wire::Body::Ready:
      good = check(*frame.body_as_Ready());
      break;
    case wire::Body::Send:
      good = check(*frame.body_as_Send());
      break;
    case wire::Body::Accepted:
      good = check(*frame.body_as_Accepted());
      break;
    case wire::Body::Rejected:
      good = check(*frame.body_as_Rejected());
      break;
    case wire::Body::Deliver:
      return check_deliver(*frame.body_as_Deliver());
    case wire::Body::Nack:
      good = check(*frame.body_as_Nack());
      break;
    case wire::Body::Call:
      return check_call(*frame.body_as_Call());
    case wire::Body::Reply:
      return check_reply(*frame.body_as_Reply());
    case wire::Body::Close:
      good = known(frame.body_as_Close()->code(), wire::Code::MAX);
      break;
    case wire::Body::Ack:
    case wire::Body::Credit:
    case wire::Body::Ping:
    case wire::Body::Pong:
      break;
    default:
      return fail(Errc::frame_unknown, "body");
  }
  if (!good) return fail(Errc::frame_field, wire::EnumNameBody(frame.body_type()));
  return {};
}

}  // namespace sealwire
