// Any text as a key file: refused, or a key that encodes to a file of the same key. A passphrase is
// asked for and not given: what derives a key from one is libsodium's.
#include "protocol/identity/key_file.h"

#include "tests/fuzz/check.h"
#include "tests/fuzz/samples.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  const std::string_view text = as_text({data, size});
  if (needs_passphrase(text)) return 0;
  const auto file = decode_key_file(text, "");
  if (!file) return 0;
  fuzz::CountingRandom random(9);
  const auto again = decode_key_file(*encode_key_file(*file, "", random), "");
  FUZZ_CLAIM(again && again->key.public_bytes() == file->key.public_bytes());
  return 0;
}
