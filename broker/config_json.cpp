#include "broker/config_json.h"

#include <nlohmann/json.hpp>

namespace sealwire::broker {
namespace {

const char* text(CageMode mode) {
  switch (mode) {
    case CageMode::required:
      return "required";
    case CageMode::available:
      return "available";
    case CageMode::off:
      break;
  }
  return "off";
}

}  // namespace

std::string config_json(const Config* config, const ConfigProblems& problems) {
  nlohmann::ordered_json json{{"problems", nlohmann::ordered_json::array()}};
  for (const auto& problem : problems)
    json["problems"].push_back(describe(problem));
  if (config != nullptr) {
    json["key_file"] = config->key_file.string();
    json["store"] = std::filesystem::absolute(config->store_path).string();
    json["cage"] = text(config->process.cage);
    json["user"] = config->process.user;
    json["listen"] = nlohmann::ordered_json::array();
    for (const auto& listen : config->listen) {
      nlohmann::ordered_json files = nlohmann::ordered_json::object();
      for (const auto& [name, value] : listen.options)
        if (name.ends_with("_file")) files[name] = value;
      json["listen"].push_back({{"uri", listen.uri}, {"files", files}});
    }
  }
  return json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace sealwire::broker
