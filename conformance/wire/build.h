// The suite's own encoder: tables by the names of the published schema, and every wrong thing that
// a hostile peer may put into one. No field is required, no size fixed, no enum or union tag
// checked.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <variant>

#include "conformance/wire/bytes.h"

namespace conformance {

struct Table;
/// Behind a pointer, because a table holds values in its turn.
using Tables = std::shared_ptr<const std::vector<Table>>;

/// What stands in a field: a number, bytes, text, or several of them.
class Value {
 public:
  template <class Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number> Value(Number number)
      : held_(static_cast<std::uint64_t>(number)) {}
  Value(Bytes bytes) : held_(std::move(bytes)) {}
  Value(std::string text) : held_(std::move(text)) {}
  Value(const char* text) : held_(std::string(text)) {}
  Value(Table table);
  Value(std::vector<Table> tables);
  Value(std::vector<std::uint64_t> numbers) : held_(std::move(numbers)) {}
  Value(std::vector<std::string> texts) : held_(std::move(texts)) {}
  const auto& held() const { return held_; }

 private:
  std::variant<std::uint64_t, Bytes, std::string, Tables, std::vector<std::uint64_t>,
               std::vector<std::string>>
      held_;
};

/// `{"Ping", {{"nonce", 7}}}`. For a union field `body`, the tag `body_type` follows from the
/// table's name unless it is given too. A field named twice counts once, the last time: cases start
/// from good fields and replace one.
struct Table {
  std::string name;
  std::vector<std::pair<std::string, Value>> fields;

  Table with(std::string field, Value value) const;
  Table without(const std::string& field) const;
};

/// A finished buffer with this file identifier.
Bytes finish(std::string_view identifier, const Table& root);
/// The frame with this body.
Bytes frame(Table body);

/// A Send whose bundles are one shared table, of envelopes that are one shared table.
Bytes shared_tables(std::size_t bundles, std::size_t envelopes);

}  // namespace conformance
