// One direction of a connection, at the end that sends: frames become a stream, the stream
// fragments. No threads, no time; the owner guards it.
#pragma once

#include <optional>

#include "adapters/channels/telegram/fragment.h"

namespace sealwire::channel::telegram {

class Outgoing {
 public:
  /// `first` is this end's opening fragment, the one with number 0.
  Outgoing(ConnectionKey connection, Kind first) : connection_(connection), first_(first) {}

  struct Part {
    Fragment fragment;
    bool document = false;  // the payload goes as a document, the rest as its caption
  };

  void push(ByteSpan frame);
  /// The other end's opening fragment has come: what was pushed may go.
  void open() { open_ = true; }
  /// A credit never shrinks: an older fragment's is passed over.
  void grant(std::uint64_t credit) { credit_ = std::max(credit_, credit); }
  /// What was pushed goes first, then the close fragment; nothing after it.
  void close(std::string reason);

  /// The next fragment that can go now; `credit` is what it tells. An empty one only goes to tell
  /// a credit that is due.
  std::optional<Part> next(std::uint64_t credit, bool credit_due);
  /// The close fragment, now, whatever waits. Nothing more can go afterwards.
  Fragment farewell(std::string_view reason);

  std::size_t waiting_bytes() const { return stream_.size() - begin_; }
  bool closed() const { return closed_; }  // the close fragment was given out

 private:
  Part part(Kind kind, std::uint64_t credit, Bytes payload);
  Bytes take(std::size_t size);

  const ConnectionKey connection_;
  const Kind first_;
  bool open_ = false;
  std::uint32_t number_ = 0;
  std::uint64_t credit_ = 0;  // of the stream, from its beginning
  std::uint64_t given_ = 0;   // bytes of the stream that went
  Bytes stream_;              // what waits, from begin_ on
  std::size_t begin_ = 0;
  std::optional<std::string> reason_;
  bool closed_ = false;
};

}  // namespace sealwire::channel::telegram
