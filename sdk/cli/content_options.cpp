#include "sdk/cli/content_options.h"

#include <CLI/App.hpp>

#include "protocol/limits.h"
#include "sdk/cli/input.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {

void add_content_options(CLI::App& command, ContentOptions& options) {
  command.add_option("text", options.words, "The text; without it, standard input is read");
  command.add_option("--file", options.file, "Take the data from this file (- is standard input)");
  command.add_option("--type", options.media_type,
                     "Media type [text/plain, or application/octet-stream if it is not UTF-8]");
}

Outcome<Payload> read_content(const ContentOptions& options) {
  if (!options.words.empty() && !options.file.empty())
    return failure(Errc::address_invalid, "text and --file exclude each other");
  std::string text;
  for (const std::string& word : options.words)
    text += (text.empty() ? "" : " ") + word;
  if (options.words.empty()) {
    SW_TRY(text, read_input(options.file.empty() ? "-" : options.file, limits::kBodyBytes));
  }
  const bool readable = is_utf8(text);
  Payload payload{std::string_view(text)};
  if (!options.media_type.empty())
    payload.media_type = options.media_type;
  else if (!readable)
    payload.media_type = "application/octet-stream";
  return payload;
}

}  // namespace sealwire::cli
