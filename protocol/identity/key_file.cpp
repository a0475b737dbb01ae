#include "protocol/identity/key_file.h"

#include "protocol/identity/did_key.h"

// sealwire-key/1 agent
// inception <statement> <signature>          (agents only)
// seed plain <seed>                          or
// seed argon2id <salt> <operations> <memory, bytes> <nonce> <sealed seed>
//
// Binary values are base64url; a line that begins with # is a comment.

namespace sealwire {
namespace {

constexpr std::string_view kMagic = "sealwire-key/1";
constexpr std::size_t kTextBytesMax = 8 * 1024;
// libsodium's "moderate": about 0.7 s and 256 MiB. A file may ask for no more than that.
constexpr unsigned long long kOperations = crypto_pwhash_argon2id_OPSLIMIT_MODERATE;
constexpr std::size_t kMemoryBytes = crypto_pwhash_argon2id_MEMLIMIT_MODERATE;

// Views of the caller's text: no copy of a seed is left behind.
using Words = std::vector<std::string_view>;

// What stands between any of `separators`; nothing of it is empty.
std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    if (text.empty()) return parts;
    parts.push_back(text.substr(0, text.find_first_of(separators)));
    text.remove_prefix(parts.back().size());
  }
}

std::vector<Words> lines_of(std::string_view text) {
  std::vector<Words> lines;
  for (const std::string_view line : split(text, "\n")) {
    if (line.starts_with('#')) continue;
    Words words = split(line, " \t\r");
    if (!words.empty()) lines.push_back(std::move(words));
  }
  return lines;
}

std::string_view role_name(KeyRole role) {
  return role == KeyRole::agent ? "agent" : "broker";
}

Result<Secret<32>> stretch(std::string_view passphrase, ByteSpan salt,
                           unsigned long long operations, std::size_t memory_bytes) {
  Secret<32> key;
  if (crypto_pwhash(key.data(), 32, passphrase.data(), passphrase.size(), salt.data(), operations,
                    memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Errc::crypto_failed,
                "Argon2id needs " + std::to_string(memory_bytes >> 20) + " MiB of memory");
  return key;
}

Result<crypto::SigningSeed> read_seed(const Words& words, std::string_view passphrase) {
  const auto malformed = [] { return fail(Errc::key_file_malformed, "seed"); };
  if (words.size() == 3 && words[1] == "plain") {
    auto bytes = parse_base64url(words[2]);
    if (!bytes) return malformed();
    const SecretBytes plain(std::move(*bytes));
    auto seed = crypto::SigningSeed::from(plain.span());
    if (!seed) return malformed();
    return std::move(*seed);
  }
  if (words.size() != 7 || words[1] != "argon2id") return malformed();
  if (passphrase.empty()) return fail(Errc::passphrase_wrong, "the key file has a passphrase");
  const auto salt = parse_base64url(words[2]);
  const auto nonce = parse_base64url(words[5]);
  const auto sealed = parse_base64url(words[6]);
  if (!salt || salt->size() != crypto_pwhash_SALTBYTES || !nonce ||
      nonce->size() != crypto::kAeadNonceBytes || !sealed)
    return malformed();
  // The file says what it cost to make; one that asks for more than we ever write is not ours.
  if (words[3] != std::to_string(kOperations) || words[4] != std::to_string(kMemoryBytes))
    return malformed();
  SW_TRY(const Secret<32> key, stretch(passphrase, *salt, kOperations, kMemoryBytes));
  auto opened = crypto::aead_open(std::span<const std::uint8_t, 32>(key.data(), 32),
                                  std::span<const std::uint8_t, 12>(nonce->data(), 12),
                                  as_bytes(label::kKeyFile), *sealed);
  if (!opened) return fail(Errc::passphrase_wrong);
  const SecretBytes plain(std::move(*opened));
  auto seed = crypto::SigningSeed::from(plain.span());
  if (!seed) return malformed();
  return std::move(*seed);
}

}  // namespace

KeyFile make_key_file(KeyRole role, UnixMillis now, Random& random) {
  KeyFile file{role, crypto::SigningKey::generate(random), {}};
  if (role == KeyRole::agent) file.inception = make_inception(file.key, now);
  return file;
}

Result<std::string> encode_key_file(const KeyFile& file, std::string_view passphrase,
                                    Random& random) {
  std::string out;
  out.reserve(kTextBytesMax);  // so that it never moves and leaves a seed where it was
  const auto line = [&out](std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words)
      out.append(word).push_back(' ');
    out.back() = '\n';
  };
  line({kMagic, role_name(file.role)});
  if (file.role == KeyRole::agent)
    line({"inception", base64url(file.inception.statement), base64url(file.inception.signature)});
  const auto seed = file.key.seed();
  if (passphrase.empty()) {
    std::string plain = base64url(seed.span());
    line({"seed", "plain", plain});
    sodium_memzero(plain.data(), plain.size());
    return out;
  }
  const auto salt = random.make<Opaque<struct SaltTag, crypto_pwhash_SALTBYTES>>();
  const auto nonce = random.make<Opaque<struct KeyNonceTag, crypto::kAeadNonceBytes>>();
  SW_TRY(const Secret<32> key, stretch(passphrase, salt, kOperations, kMemoryBytes));
  const Bytes sealed = crypto::aead_seal(std::span<const std::uint8_t, 32>(key.data(), 32),
                                         nonce.bytes, as_bytes(label::kKeyFile), seed.span());
  line({"seed", "argon2id", base64url(salt), std::to_string(kOperations),
        std::to_string(kMemoryBytes), base64url(nonce), base64url(sealed)});
  return out;
}

Result<KeyFile> decode_key_file(std::string_view text, std::string_view passphrase) {
  if (text.size() > kTextBytesMax) return fail(Errc::key_file_malformed, "too large");
  const auto lines = lines_of(text);
  if (lines.empty() || lines[0].size() != 2 || lines[0][0] != kMagic)
    return fail(Errc::key_file_malformed, "does not begin with sealwire-key/1");
  const bool agent = lines[0][1] == role_name(KeyRole::agent);
  if (!agent && lines[0][1] != role_name(KeyRole::broker))
    return fail(Errc::key_file_malformed, "role");
  if (lines.size() != (agent ? 3u : 2u) || lines.back()[0] != "seed")
    return fail(Errc::key_file_malformed, "lines");

  SW_TRY(const auto seed, read_seed(lines.back(), passphrase));
  KeyFile file{agent ? KeyRole::agent : KeyRole::broker, crypto::SigningKey::from_seed(seed), {}};
  if (agent) {
    if (lines[1].size() != 3 || lines[1][0] != "inception")
      return fail(Errc::key_file_malformed, "inception");
    auto statement = parse_base64url(lines[1][1]);
    const auto signature_bytes = parse_base64url(lines[1][2]);
    const auto signature = signature_bytes ? Signature::from(*signature_bytes) : std::nullopt;
    if (!statement || !signature) return fail(Errc::key_file_malformed, "inception");
    SW_TRY(AgentIdentity identity, verify_inception({std::move(*statement), *signature}));
    if (identity.instance != file.key.public_key<InstanceKey>())
      return fail(Errc::key_file_malformed, "the inception is another key's");
    file.inception = std::move(identity.inception);
  }
  return file;
}

bool needs_passphrase(std::string_view text) {
  return text.find("\nseed argon2id ") != std::string_view::npos;
}

}  // namespace sealwire
