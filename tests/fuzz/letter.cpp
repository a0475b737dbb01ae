// Any bytes as the body of a sealed letter: refused, unless it is the sample under its own header.
#include "protocol/letter/letter.h"

#include "tests/fuzz/check.h"
#include "tests/fuzz/letter_sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealwire;
  crypto::initialise();
  static const fuzz::LetterSample sample;
  (void)letter_prekey({data, size});
  if (const auto opened = open_letter(sample.prekey, sample.header, {data, size}))
    FUZZ_CLAIM(std::ranges::equal(*opened, sample.content));
  return 0;
}
