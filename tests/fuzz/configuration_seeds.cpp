// Seeds of the configuration target: the commented example, and one fault of each kind.
#include <iterator>

#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  fuzz::Corpus corpus(argv[1]);
  std::ifstream example(SEALWIRE_SOURCE_DIR "/deploy/sealwired.toml");
  const std::string text{std::istreambuf_iterator<char>(example), {}};
  if (text.empty()) return 1;
  corpus.add(as_bytes(text));
  for (
      const std::string_view fault :
      {"[[listen]]\nuri = \"wss://0.0.0.0:7410\"\n[admission]\nmode = \"open\"\nagents = [\"x\"]\n",
       "[[listen]]\nuri = 7\n", "[listn]\n", "[limits]\nsends = { per_second = -1, burst = 1e9 }\n",
       "[http]\nlisten = \"0.0.0.0:80\"\nallow_remote = false\n", "[log\n", "a = \"\\u0000\"\n",
       "[shutdown]\ndrain_seconds = 99999999999999999999\n"})
    corpus.add(as_bytes(fault));
  return 0;
}
