// Any line as an operation of `sealwire pipe`: refused with a cause, or an operation; and whatever
// came, what is printed of it is one line of UTF-8.
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  const std::string_view text = as_text({data, size});
  const auto operation = cli::parse_operation(text);
  cli::Json event{{"event", "delivered"}};
  if (operation) {
    cli::put_content(event, operation->content);
  } else {
    FUZZ_CLAIM(!operation.error().cause.empty());
    event["ref"] = operation.error().ref;
  }
  const std::string line = cli::to_line(event);
  FUZZ_CLAIM(cli::is_utf8(line) && line.find('\n') == line.size() - 1);
  FUZZ_CLAIM(cli::is_utf8(cli::printable(text)));
  if (const auto bytes = cli::parse_base64(text)) FUZZ_CLAIM(cli::base64(*bytes) == text);
  if (const auto ms = cli::parse_duration_ms(text))
    FUZZ_CLAIM(cli::parse_duration_ms(cli::duration_text(*ms)).value() == *ms);
  return 0;
}
