#include "adapters/channels/telegram/fragment.h"

namespace sealwire::channel::telegram {
namespace {

constexpr std::string_view kPrefix = "sealwire.0 ";
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

template <class Number>
void put_number(Bytes& to, Number number) {
  for (int shift = 8 * (sizeof number - 1); shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(number >> shift));
}

template <class Number>
Number take_number(ByteSpan& from) {
  Number number = 0;
  for (const auto byte : from.first(sizeof number))
    number = static_cast<Number>(number << 8 | byte);
  from = from.subspan(sizeof number);
  return number;
}

}  // namespace

std::string armour(const Fragment& fragment) {
  Bytes bytes;
  bytes.reserve(kHeaderBytes + fragment.payload.size());
  bytes.push_back(static_cast<std::uint8_t>(fragment.kind));
  bytes.insert(bytes.end(), fragment.connection.bytes.begin(), fragment.connection.bytes.end());
  put_number(bytes, fragment.number);
  put_number(bytes, fragment.credit);
  bytes.insert(bytes.end(), fragment.payload.begin(), fragment.payload.end());
  std::string base64(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(base64.data(), base64.size(), bytes.data(), bytes.size(), kVariant);
  base64.pop_back();  // its terminating zero
  return std::string(kPrefix) + base64;
}

Result<Fragment> parse_fragment(std::string_view text) {
  if (text.size() > kTextUnits || !text.starts_with(kPrefix))
    return fail(Errc::frame_malformed, "no fragment");
  text.remove_prefix(kPrefix.size());
  // libsodium's decoder takes some bytes beyond ASCII for nothing.
  if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
      std::string_view::npos)
    return fail(Errc::frame_malformed, "a fragment's armour");
  Bytes bytes(text.size() * 3 / 4 + 1);
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, &end,
                        kVariant) != 0 ||
      end != text.data() + text.size() || size < kHeaderBytes)
    return fail(Errc::frame_malformed, "a fragment's armour");
  bytes.resize(size);
  ByteSpan rest = bytes;
  const auto kind = take_number<std::uint8_t>(rest);
  if (kind > static_cast<std::uint8_t>(Kind::close))
    return fail(Errc::frame_malformed, "a fragment of an unknown kind");
  Fragment fragment;
  fragment.kind = static_cast<Kind>(kind);
  fragment.connection = *ConnectionKey::from(rest.first(ConnectionKey::kSize));
  rest = rest.subspan(ConnectionKey::kSize);
  fragment.number = take_number<std::uint32_t>(rest);
  fragment.credit = take_number<std::uint64_t>(rest);
  fragment.payload = to_bytes(rest);
  const bool first = fragment.kind == Kind::open || fragment.kind == Kind::opened;
  if (first && (fragment.number != 0 || !rest.empty()))
    return fail(Errc::frame_malformed, "an opening fragment with more to it");
  if (fragment.kind == Kind::data && fragment.number == 0)
    return fail(Errc::frame_malformed, "data before the opening fragment");
  return fragment;
}

Bytes ending_payload(std::string_view reason, ByteSpan stream) {
  reason = reason.substr(0, kReasonBytes);
  Bytes payload;
  payload.reserve(1 + reason.size() + stream.size());
  payload.push_back(static_cast<std::uint8_t>(reason.size()));
  payload.insert(payload.end(), reason.begin(), reason.end());
  payload.insert(payload.end(), stream.begin(), stream.end());
  return payload;
}

Result<Ending> parse_ending(ByteSpan payload) {
  if (payload.empty() || payload[0] > kReasonBytes || payload[0] >= payload.size())
    return fail(Errc::frame_malformed, "a close fragment without its reason");
  return Ending{std::string(as_text(payload.subspan(1, payload[0]))),
                to_bytes(payload.subspan(1 + payload[0]))};
}

}  // namespace sealwire::channel::telegram
