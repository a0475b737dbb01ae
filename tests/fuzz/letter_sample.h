// One sealed letter whose every choice is fixed.
#pragma once

#include "protocol/content/content.h"
#include "protocol/letter/letter.h"
#include "tests/fuzz/samples.h"

namespace sealwire::fuzz {

struct LetterSample {
  LetterSample() {
    CountingRandom random(8);
    prekey = crypto::AgreementKey::generate(random);
    header = encode_header(sample_header(Kind::letter));
    Content item;
    item.media_type = "text/plain";
    item.data = to_bytes(as_bytes("a letter"));
    content = encode_content({&item, 1});
    body = seal_letter(PrekeyKey{prekey.public_key}, header, content, random).value();
  }
  crypto::AgreementKey prekey;
  Bytes header, content, body;
};

}  // namespace sealwire::fuzz
