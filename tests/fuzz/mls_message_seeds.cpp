// Seeds of the mls_message target: one of each message, commits of every shape, their insides.
#include <filesystem>
#include <fstream>

#include "tests/fuzz/mls_samples.h"

namespace {

using namespace sealwire;
using fuzz::MlsInput;

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void add(MlsInput kind, ByteSpan content) {
    const Bytes input = fuzz::mls_input(kind, content);
    std::ofstream file(folder_ / ("seed-" + std::to_string(count_++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
  }
  // A handshake message as it is, and what it carries by itself.
  void add_handshake(ByteSpan message) {
    add(MlsInput::message, message);
    const auto decoded = mls::decode<mls::MlsMessage>(message, "seed").value();
    const auto& body = std::get<mls::PublicMessage>(decoded.body).content.body;
    if (const auto* commit = std::get_if<mls::Commit>(&body)) {
      add(MlsInput::commit, mls::encode(*commit));
      for (const auto& entry : commit->proposals) {
        if (const auto* proposal = std::get_if<mls::Proposal>(&entry.content))
          add(MlsInput::proposal, mls::encode(*proposal));
      }
    } else {
      add(MlsInput::proposal, mls::encode(std::get<mls::Proposal>(body)));
    }
  }
  void add_group_info(ByteSpan message) {
    add(MlsInput::message, message);
    const auto decoded = mls::decode<mls::MlsMessage>(message, "seed").value();
    add(MlsInput::group_info, mls::encode(std::get<mls::GroupInfo>(decoded.body)));
  }

 private:
  std::filesystem::path folder_;
  std::size_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  crypto::initialise();
  Corpus corpus(argv[1]);
  const auto now = fuzz::MlsAgent::kNow;
  fuzz::MlsTrio trio;
  auto& random = trio.mallory.random;
  corpus.add(MlsInput::message, trio.welcome);
  corpus.add(MlsInput::message, trio.newcomer_package.key_package);
  corpus.add(MlsInput::message, trio.m.seal(as_bytes("hello"), as_bytes("h"), random)->message);

  mls::CommitSpec add;
  add.adds = {trio.newcomer_package.key_package};
  mls::CommitSpec add_only = add;
  add_only.force_path = false;
  mls::CommitSpec remove;
  remove.removes = {mls::LeafIndex{0}};
  mls::CommitSpec psks;
  psks.external_psks = {Bytes{1, 2, 3}};
  psks.resumption_psks = {1};
  mls::CommitSpec extensions;
  extensions.group_context_extensions.emplace();
  for (const auto& spec : {mls::CommitSpec{}, add, add_only, remove, psks, extensions}) {
    const auto commit = trio.m.commit(spec, {}, random, now).value();
    corpus.add_handshake(commit.commit);
    corpus.add_group_info(commit.group_info);
    if (commit.welcome) corpus.add(MlsInput::message, *commit.welcome);
    trio.m.discard_pending();
  }
  corpus.add_handshake(trio.m.propose_update({}, random).value());
  corpus.add_handshake(trio.m.propose_remove(mls::LeafIndex{0}, {}).value());
  corpus.add_handshake(trio.m.propose_add(trio.newcomer_package.key_package, {}, now).value());
  const auto external =
      mls::Group::join_externally(trio.a.group_info().value(), trio.mallory.key, as_bytes("agent"),
                                  fuzz::MlsAgent::policy(), mls::LeafIndex{2}, 1, {}, random, now);
  corpus.add_handshake(external.value().commit);
  return 0;
}
