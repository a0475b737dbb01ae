// Any text as a fragment of the Telegram channel: refused, or the one text of that fragment. Then
// the same bytes as fragments in any order, at an end that has to hold them within its credit.
#include "adapters/channels/telegram/incoming.h"
#include "tests/fuzz/check.h"

namespace {

using namespace sealwire;
using namespace sealwire::channel::telegram;

ByteSpan take(ByteSpan& from, std::size_t size) {
  const ByteSpan taken = from.first(std::min(size, from.size()));
  from = from.subspan(taken.size());
  return taken;
}

// flags, number, length (2 bytes), payload; again and again.
void receive(ByteSpan input) {
  Incoming in{channel::Limits{}};
  in.told(in.credit());
  Clock::time_point now{};
  while (input.size() >= 4) {
    const ByteSpan head = take(input, 4);
    const std::size_t size = static_cast<std::size_t>(head[2]) << 8 | head[3];
    const Kind kind = head[1] == 0 ? Kind::open : head[0] % 8 == 7 ? Kind::close : Kind::data;
    Fragment fragment{kind, {}, head[1], 0, {}};
    now += Millis(head[0]);
    const bool document = (head[0] & 16) != 0;
    if (!document) fragment.payload = to_bytes(take(input, size));
    const auto took =
        in.accept(fragment, document ? std::optional<std::uint64_t>(size) : std::nullopt, now);
    if (!took) return;
    if (*took == Incoming::Took::document && !in.fill(head[1], to_bytes(take(input, size)), now))
      return;
    FUZZ_CLAIM(in.held_bytes() <= in.credit() + 1 + kReasonBytes);
    if ((head[0] & 32) != 0) in.promote();
    for (;;) {
      const auto frame = in.next_frame();
      if (!frame) return;
      if (!*frame) break;
      FUZZ_CLAIM((*frame)->size() <= limits::kFrameBytes);
      in.release((*frame)->size());
    }
    if (in.credit_due()) in.told(in.credit());
    if (!in.check(now)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto fragment = parse_fragment(text)) {
    FUZZ_CLAIM(armour(*fragment) == text);
    if (const auto ending = parse_ending(fragment->payload))
      FUZZ_CLAIM(ending_payload(ending->reason, ending->stream) == fragment->payload);
  }
  receive({data, size});
  return 0;
}
