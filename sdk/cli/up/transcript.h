// What the agents said, beside what the broker saw of it. The broker's side is read from its own
// log, in which it says of every envelope what it knows.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sealwire::cli {

/// One envelope as the broker logged it.
struct Seen {
  std::string kind;
  std::string id;
  std::string sender;  // did:key
  std::string conversation;
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
  std::string digest;  // hex
};

/// What a line of the broker's log says of an envelope, if it does.
std::optional<Seen> parse_seen(const std::string& line);

class Transcript {
 public:
  Transcript(std::ostream& out, std::filesystem::path broker_log, bool json);

  void headings();
  struct Speaker {
    std::string name;
    std::string instance;  // did:key: the sender of its envelopes
  };
  /// `text` went from one agent to another; what the broker has logged of the first one's envelopes
  /// since its last words stands beside it.
  void said(const Speaker& from, const std::string& to, const std::string& text);
  /// Looks for everything that was said in every file below `folder`, and says so.
  /// False if any of it was found.
  bool search(const std::filesystem::path& folder);

 private:
  std::vector<Seen> take(const std::string& sender);
  std::ostream& out_;
  std::filesystem::path log_;
  std::streamoff read_ = 0;
  std::vector<Seen> pending_;  // logged, and not shown yet
  bool json_;
  std::set<std::string> texts_;
};

}  // namespace sealwire::cli
