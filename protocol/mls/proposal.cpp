#include "protocol/mls/proposal.h"

namespace sealwire::mls {
namespace {

enum class ProposalOrRefType : std::uint8_t { proposal = 1, reference = 2 };

}  // namespace

void Proposal::write(Writer& writer) const {
  writer.put(type());
  std::visit([&writer](const auto& body) { writer.put(body); }, content);
}

bool Proposal::read(Reader& reader) {
  ProposalType type{};
  if (!reader.get(type)) return false;
  switch (type) {
    case ProposalType::add:
      return reader.get(content.emplace<Add>());
    case ProposalType::update:
      return reader.get(content.emplace<Update>());
    case ProposalType::remove:
      return reader.get(content.emplace<Remove>());
    case ProposalType::psk:
      return reader.get(content.emplace<PreSharedKey>());
    case ProposalType::reinit:
      return reader.get(content.emplace<ReInit>());
    case ProposalType::external_init:
      return reader.get(content.emplace<ExternalInit>());
    case ProposalType::group_context_extensions:
      return reader.get(content.emplace<GroupContextExtensions>());
  }
  return false;
}

void ProposalOrRef::write(Writer& writer) const {
  if (const auto* proposal = std::get_if<Proposal>(&content)) {
    writer.put(ProposalOrRefType::proposal, *proposal);
  } else {
    writer.put(ProposalOrRefType::reference, std::get<ProposalRef>(content));
  }
}

bool ProposalOrRef::read(Reader& reader) {
  ProposalOrRefType type{};
  if (!reader.get(type)) return false;
  if (type == ProposalOrRefType::proposal) return reader.get(content.emplace<Proposal>());
  return type == ProposalOrRefType::reference && reader.get(content.emplace<ProposalRef>());
}

}  // namespace sealwire::mls
