#include "broker/config_text.h"

#include <gtest/gtest.h>

namespace sealwire::broker {
namespace {

struct Case {
  const char* text;
  std::optional<unsigned> line;
};

TEST(ConfigText, CharactersBeyondAsciiStandInStringsAndCommentsOnly) {
  const Case cases[] = {
      {"a = 1", std::nullopt},
      {"\xef\xbb\xbf# é\na = \"é\" # é", std::nullopt},
      {"a = 1\né = 1", 2},
      {"a = 'é\\' # é\nb = é", 2},
      {"a = \"\\\"é\"", std::nullopt},
      {"a = \"\"é", 1},
      {"a = \"\"\"\né\n\"\"\"\"\" # é\né", 4},
      {"a = '''é''\n'''é", 2},
      {"a = \"é\nb = é", 2},  // not closed: it ends with its line
      {"a = \"\\", std::nullopt},
      {"a = '''", std::nullopt},
  };
  for (const Case& c : cases)
    EXPECT_EQ(line_of_stray_character(c.text), c.line) << c.text;
}

}  // namespace
}  // namespace sealwire::broker
