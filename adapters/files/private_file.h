// Files that hold secrets: made for their owner only, never written over, refused when others can
// read them.
#pragma once

#include <filesystem>

#include "protocol/error.h"
#include "protocol/secret.h"

namespace sealwire::files {

enum class Access : std::uint8_t {
  owner,     // 0600
  everyone,  // 0644: certificates, configuration
};

/// Creates `path` with `contents`, on disk (fsync of file and directory) before it returns; a
/// failed write leaves no file. Fails with key_file_exists if there is one already, else
/// file_failed.
[[nodiscard]] Result<> create_file(const std::filesystem::path& path, ByteSpan contents,
                                   Access access);
[[nodiscard]] inline Result<> write_private_file(const std::filesystem::path& path,
                                                 ByteSpan contents) {
  return create_file(path, contents, Access::owner);
}

/// Fails with key_file_permissions (and the command that mends it) when group or others have any
/// right on the file or it belongs to another user; with file_failed when it cannot be read, is not
/// a regular file or is longer than `bytes_max`.
[[nodiscard]] Result<SecretBytes> read_private_file(const std::filesystem::path& path,
                                                    std::size_t bytes_max = 64 * 1024);

/// A file whose contents are no secret. Fails with file_failed.
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path,
                                                 std::size_t bytes_max = 1024 * 1024);

}  // namespace sealwire::files
