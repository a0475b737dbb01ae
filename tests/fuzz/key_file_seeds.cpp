// Seeds of the key file target: one of each role.
#include "protocol/identity/key_file.h"
#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  crypto::initialise();
  fuzz::Corpus corpus(argv[1]);
  fuzz::CountingRandom random(9);
  for (const KeyRole role : {KeyRole::agent, KeyRole::broker})
    corpus.add(as_bytes(*encode_key_file(make_key_file(role, fuzz::kNow, random), "", random)));
  return 0;
}
