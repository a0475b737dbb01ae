// Seeds of the envelope target: one envelope of each kind, and their headers.
#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  crypto::initialise();
  fuzz::Corpus corpus(argv[1]);
  for (const Kind kind : {Kind::application, Kind::commit, Kind::welcome, Kind::letter}) {
    corpus.add(fuzz::sample_envelope(kind));
    corpus.add(encode_header(fuzz::sample_header(kind)));
  }
  return 0;
}
