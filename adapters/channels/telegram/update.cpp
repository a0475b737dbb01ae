#include "adapters/channels/telegram/update.h"

namespace sealwire::channel::telegram {

using Json = nlohmann::json;

namespace {

const Json& field(const Json& from, const char* name) {
  static const Json nothing;
  const auto found = from.is_object() ? from.find(name) : from.end();
  return from.is_object() && found != from.end() ? *found : nothing;
}

Update read_update(const Json& json) {
  Update update;
  update.id = integer_of(json, "update_id");
  const Json& message = field(json, "message");
  update.chat = integer_of(field(message, "chat"), "id");
  update.sender = integer_of(field(message, "from"), "id");
  update.from_bot = flag_of(field(message, "from"), "is_bot");
  update.migrated_to = integer_of(message, "migrate_to_chat_id");
  const Json& document = field(message, "document");
  update.file_id = text_of(document, "file_id");
  const auto bytes = integer_of(document, "file_size");
  update.file_bytes = bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
  update.text = text_of(message, update.is_document() ? "caption" : "text");
  return update;
}

}  // namespace

std::string text_of(const Json& from, const char* name) {
  const Json& value = field(from, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t integer_of(const Json& from, const char* name) {
  const Json& value = field(from, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool flag_of(const Json& from, const char* name) {
  const Json& value = field(from, name);
  return value.is_boolean() && value.get<bool>();
}

std::vector<Update> read_updates(const Json& result) {
  std::vector<Update> updates;
  if (!result.is_array()) return updates;
  for (const Json& each : result)
    updates.push_back(read_update(each));
  std::ranges::stable_sort(updates, {}, &Update::id);
  return updates;
}

}  // namespace sealwire::channel::telegram
