#include "broker/config_text.h"

#include <gtest/gtest.h>

namespace sealwire::broker {
namespace {

TEST(ConfigText, InACommentACharacterBeyondAsciiBecomesQuestionMarks) {
  struct Case {
    const char* text;
    const char* ascii;
  };
  const Case cases[] = {
      {"a = 1", "a = 1"},
      {"\xef\xbb\xbf# é\na = 1 # é", "# ??\na = 1 # ??"},
      {"a = '#' # é", "a = '#' # ??"},
      {"a = \"\\\"#\" # é", "a = \"\\\"#\" # ??"},
      {"a = \"\"\"\n\"\"\"\"\" # é", "a = \"\"\"\n\"\"\"\"\" # ??"},
      {"a = \"\\", "a = \"\\"},
      {"a = '''", "a = '''"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(in_ascii(c.text).value_or("refused"), c.ascii) << c.text;
}

TEST(ConfigText, ElsewhereItIsRefusedWithItsLine) {
  struct Case {
    const char* text;
    unsigned line;
  };
  const Case cases[] = {
      {"a = 1\né = 1", 2},          {"a = \"é\"", 1},
      {"a = 'x\\' # é\nb = é", 2},  {"a = \"\"é", 1},
      {"a = \"\"\"\né\n\"\"\"", 2}, {"a = '''x''\n'''é", 2},
      {"a = \"#\nb = é", 2},  // not closed: it ends with its line
      {"a = +\"\xef\xbb\xb7", 1},
  };
  for (const Case& c : cases) {
    const auto ascii = in_ascii(c.text);
    ASSERT_FALSE(ascii.has_value()) << c.text;
    EXPECT_EQ(ascii.error(), c.line) << c.text;
  }
}

}  // namespace
}  // namespace sealwire::broker
