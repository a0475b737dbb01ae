#include "adapters/files/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace sealwire::files {
namespace {

class PrivateFile : public ::testing::Test {
 protected:
  PrivateFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sealwire-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PrivateFile() override { std::filesystem::remove_all(directory_); }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }
  std::filesystem::path directory_;
};

TEST_F(PrivateFile, IsMadeForItsOwnerOnlyWhateverTheUmaskSays) {
  const mode_t before = ::umask(0);
  const auto written = write_private_file(directory_ / "key", as_bytes("secret"));
  ::umask(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(mode_of(directory_ / "key"), 0600U);
  const auto read = read_private_file(directory_ / "key");
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(read->span()), "secret");
}

TEST_F(PrivateFile, IsNeverWrittenOver) {
  ASSERT_TRUE(write_private_file(directory_ / "key", as_bytes("first")));
  const auto second = write_private_file(directory_ / "key", as_bytes("second"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::key_file_exists);
  EXPECT_EQ(as_text(read_private_file(directory_ / "key")->span()), "first");
}

TEST_F(PrivateFile, IsNotWrittenThroughADanglingLink) {
  ASSERT_EQ(::symlink((directory_ / "target").c_str(), (directory_ / "key").c_str()), 0);
  EXPECT_FALSE(write_private_file(directory_ / "key", as_bytes("secret")));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "target"));
}

TEST_F(PrivateFile, IsRefusedWithTheRemedyWhenOthersHaveAnyRight) {
  ASSERT_TRUE(write_private_file(directory_ / "key", as_bytes("secret")));
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    ASSERT_EQ(::chmod((directory_ / "key").c_str(), mode), 0);
    const auto read = read_private_file(directory_ / "key");
    ASSERT_FALSE(read) << std::oct << mode;
    EXPECT_EQ(read.error().code, Errc::key_file_permissions);
    EXPECT_NE(read.error().detail.find("chmod 600 " + (directory_ / "key").string()),
              std::string::npos);
  }
}

TEST_F(PrivateFile, RefusesWhatIsNoRegularFileOrTooLong) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_private_file(directory_ / "fifo").error().code, Errc::file_failed);
  EXPECT_EQ(read_private_file(directory_).error().code, Errc::file_failed);
  EXPECT_EQ(read_private_file(directory_ / "none").error().code, Errc::file_failed);
  ASSERT_TRUE(write_private_file(directory_ / "key", as_bytes("secret")));
  EXPECT_EQ(read_private_file(directory_ / "key", 5).error().code, Errc::file_failed);
  EXPECT_TRUE(read_private_file(directory_ / "key", 6));
}

}  // namespace
}  // namespace sealwire::files
