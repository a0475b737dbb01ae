// Deterministic samples that the seed programs write and the handshake target replays: the fuzzer
// starts from messages that pass every check and mutates them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "protocol/envelope/envelope.h"
#include "protocol/handshake/handshake.h"

namespace sealwire::fuzz {

inline constexpr UnixMillis kNow{1'700'000'000'000};

/// BLAKE2b of a counter: the same bytes in every run.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint8_t stream) : stream_(stream) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::size_t at = 0; at < out.size(); at += 32) {
      const std::uint8_t input[] = {stream_, static_cast<std::uint8_t>(counter_ >> 8),
                                    static_cast<std::uint8_t>(counter_)};
      ++counter_;
      const Digest block = crypto::blake2b(input);
      const std::size_t size = std::min<std::size_t>(32, out.size() - at);
      std::copy_n(block.bytes.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

 private:
  std::uint8_t stream_;
  std::uint16_t counter_ = 0;
};

inline crypto::SigningKey sample_key(std::uint8_t which) {
  CountingRandom random(which);
  return crypto::SigningKey::generate(random);
}

inline Header sample_header(Kind kind) {
  CountingRandom random(7);
  Header header;
  header.id = make_envelope_id(kNow, random);
  header.sender = sample_key(1).public_key<InstanceKey>();
  header.kind = kind;
  header.conversation = random.make<ConversationId>();
  header.incarnation = 1;
  header.created = kNow;
  header.expires = kNow + kDayMs;
  if (kind == Kind::commit || kind == Kind::welcome || kind == Kind::letter)
    header.recipients.push_back(sample_key(2).public_key<InstanceKey>());
  if (kind == Kind::commit) header.recipients.push_back(header.sender);
  if (kind == Kind::welcome) header.names = random.make<Digest>();
  if (kind == Kind::application) header.epoch = 1;
  if (kind == Kind::letter) {
    header.conversation = {};
    header.incarnation = 0;
  }
  return header;
}

inline Bytes sample_envelope(Kind kind) {
  return seal_envelope(encode_header(sample_header(kind)), as_bytes("an opaque body"),
                       sample_key(1))
      .bytes;
}

inline handshake::ChannelBinding sample_binding(bool bound) {
  if (!bound) return {};
  return {wire::Binding::tls_exporter, Bytes(32, 0xb1)};
}

/// Both ends of a handshake whose every choice is fixed.
struct Ends {
  explicit Ends(bool bound)
      : server(broker_key, {}, sample_binding(bound), broker_random),
        client(agent_key,
               {.inception = make_inception(agent_key, kNow),
                .broker = broker_key.public_key<BrokerKey>(),
                .agent = {}},
               sample_binding(bound), agent_random) {}
  crypto::SigningKey broker_key = sample_key(3);
  crypto::SigningKey agent_key = sample_key(1);
  CountingRandom broker_random{4};
  CountingRandom agent_random{5};
  handshake::Server server;
  handshake::Client client;
};

/// Writes seeds into a directory, numbered.
class Corpus {
 public:
  explicit Corpus(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void add(ByteSpan seed) {
    std::ofstream file(directory_ / ("seed-" + std::to_string(count_++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }

 private:
  std::filesystem::path directory_;
  int count_ = 0;
};

}  // namespace sealwire::fuzz
