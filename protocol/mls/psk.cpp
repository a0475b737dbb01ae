#include "protocol/mls/psk.h"

namespace sealwire::mls {

void PreSharedKeyId::write(Writer& writer) const {
  writer.put(type);
  if (type == PskType::resumption) writer.put(usage);
  writer.put(id);
  if (type == PskType::resumption) writer.put(epoch);
  writer.put(nonce);
}

bool PreSharedKeyId::read(Reader& reader) {
  if (!reader.get(type)) return false;
  if (type == PskType::external) return reader.get(id, nonce);
  return type == PskType::resumption && reader.get(usage, id, epoch, nonce) &&
         usage >= ResumptionUsage::application && usage <= ResumptionUsage::branch;
}

// struct { PreSharedKeyID id; uint16 index; uint16 count; } PSKLabel;
KdfSecret psk_secret(const std::vector<PskWithId>& psks) {
  KdfSecret secret;
  for (std::size_t i = 0; i < psks.size(); ++i) {
    Writer label;
    label.put(psks[i].id, static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(psks.size()));
    const auto extracted = crypto::hkdf_extract(KdfSecret().span(), psks[i].psk.span());
    const auto input = expand_with_label(extracted.span(), "derived psk", label.span());
    secret = crypto::hkdf_extract(input.span(), secret.span());
  }
  return secret;
}

}  // namespace sealwire::mls
