#include "adapters/bridges/bridge.h"

#include <algorithm>

namespace sealwire::bridge {
namespace {

Result<> bounded(std::string_view what, std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most)
    return fail(Errc::config_invalid, std::string(what) + " is empty or too long");
  return {};
}

Result<> ids(std::initializer_list<std::string_view> all) {
  for (const std::string_view id : all)
    SW_CHECK(bounded("an id, chat or user", id, kIdBytes));
  return {};
}

Result<> check_one(const Hello& hello) {
  if (hello.contract != kContractVersion)
    return fail(Errc::version_unsupported, "this host speaks contract 1");
  SW_CHECK(bounded("the name", hello.name, kNameBytes));
  const bool named = std::ranges::all_of(hello.name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  if (!named) return fail(Errc::config_invalid, "a name has only a-z, 0-9, '.' and '-'");
  return {};
}

Result<> check_one(const Receive& receive) {
  SW_CHECK(ids({receive.id, receive.chat, receive.user}));
  SW_CHECK(bounded("the media type", receive.content.media_type, 127));
  if (receive.content.data.size() > kContentBytes)
    return fail(Errc::content_malformed, "a content is longer than 768 KiB");
  return {};
}

Result<> check_one(const Pair& pair) {
  return ids({pair.id, pair.chat, pair.user, pair.code});
}
Result<> check_one(const Answer& answer) {
  return ids({answer.id, answer.chat, answer.user, answer.delivery});
}
Result<> check_one(const Delivered& delivered) {
  return ids({delivered.delivery});
}
Result<> check_one(const Failed& failed) {
  return ids({failed.delivery});
}
Result<> check_one(const Moved& moved) {
  return ids({moved.chat, moved.to});
}
Result<> check_one(const Fetch& fetch) {
  SW_CHECK(ids({fetch.ref}));
  return bounded("a URL", fetch.url, 2048);
}

Result<> check_one(const Hooked& hooked) {
  SW_CHECK(ids({hooked.ref}));
  if (hooked.status < 200 || hooked.status > 599)
    return fail(Errc::config_invalid, "the status is 200 to 599");
  return {};
}

}  // namespace

Result<> check(const Said& said) {
  return std::visit([](const auto& one) { return check_one(one); }, said);
}

}  // namespace sealwire::bridge
