// Seeds of the content target: one of each kind, and a batch.
#include "protocol/content/content.h"
#include "tests/fuzz/samples.h"

int main(int, char** argv) {
  using namespace sealwire;
  fuzz::Corpus corpus(argv[1]);
  Content content;
  content.media_type = "text/plain";
  content.data = to_bytes(as_bytes("a few words"));
  std::vector<Content> batch;
  for (const auto kind :
       {ContentKind::message, ContentKind::request, ContentKind::reply, ContentKind::error}) {
    content.kind = kind;
    if (kind == ContentKind::request) content.deadline = fuzz::kNow;
    if (kind == ContentKind::reply) content.reply_to = MessageId{};
    corpus.add(encode_content({&content, 1}));
    batch.push_back(content);
  }
  content.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  batch.push_back(content);
  corpus.add(encode_content(batch));
  return 0;
}
