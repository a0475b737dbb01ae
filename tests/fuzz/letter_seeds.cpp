// Seeds of the letter target: the sample itself.
#include "tests/fuzz/letter_sample.h"

int main(int, char** argv) {
  sealwire::crypto::initialise();
  sealwire::fuzz::Corpus(argv[1]).add(sealwire::fuzz::LetterSample().body);
  return 0;
}
