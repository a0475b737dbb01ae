// How the values of the store's types lie in columns, where it is not plain.
#pragma once

#include "broker/store/sqlite/database.h"
#include "broker/store/store.h"

namespace sealwire::broker::sqlite {

/// Eight bytes each, big-endian.
inline Bytes pack_numbers(const std::vector<AgentNumber>& numbers) {
  Bytes bytes;
  bytes.reserve(numbers.size() * 8);
  for (const AgentNumber number : numbers)
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  return bytes;
}

inline std::vector<AgentNumber> unpack_numbers(ByteSpan bytes) {
  std::vector<AgentNumber> numbers;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    AgentNumber number = 0;
    for (const std::uint8_t byte : bytes.first(8))
      number = number << 8 | byte;
    numbers.push_back(number);
  }
  return numbers;
}

/// The columns that `Reader` selects for an entry, in this order.
inline constexpr std::string_view kEntryColumns =
    "e.owner, e.sequence, e.conversation_sequence, e.bytes_total, e.item, i.type, i.sender, "
    "i.expires_ms, i.bytes";

inline MailboxEntry entry_from(const Statement& row) {
  MailboxEntry entry;
  entry.owner = row.integer(0);
  entry.sequence = row.integer(1);
  entry.conversation_sequence = row.integer(2);
  entry.bytes_total = row.integer(3);
  entry.item = row.integer(4);
  entry.type = static_cast<ItemType>(row.integer(5));
  entry.sender = row.integer(6);
  entry.expires = UnixMillis{row.integer(7)};
  entry.bytes = std::make_shared<const Bytes>(to_bytes(row.blob(8)));
  return entry;
}

}  // namespace sealwire::broker::sqlite
