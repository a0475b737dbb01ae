// Telegram's JSON, read without trust: what is missing or of another type is empty.
#pragma once

#include <nlohmann/json.hpp>

#include "adapters/channels/telegram/bot_api.h"

namespace sealwire::channel::telegram {

std::string text_of(const nlohmann::json& from, const char* name);
std::int64_t integer_of(const nlohmann::json& from, const char* name);
bool flag_of(const nlohmann::json& from, const char* name);

/// The result of getUpdates: the messages in it, and the ids of what is none, in the order of ids.
std::vector<Update> read_updates(const nlohmann::json& result);

}  // namespace sealwire::channel::telegram
