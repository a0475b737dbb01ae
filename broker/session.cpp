#include "broker/session.h"

namespace sealwire::broker {

Session& Sessions::open(ConnectionId connection, AgentNumber agent, UnixMillis now) {
  auto session = std::make_unique<Session>();
  session->connection = connection;
  session->agent = agent;
  session->heard = session->pinged = now;
  return *(sessions_[connection] = std::move(session));
}

Session* Sessions::find(ConnectionId connection) {
  const auto found = sessions_.find(connection);
  return found == sessions_.end() ? nullptr : found->second.get();
}

std::vector<Session*> Sessions::all() {
  std::vector<Session*> sorted;
  sorted.reserve(sessions_.size());
  for (const auto& [connection, session] : sessions_)
    sorted.push_back(session.get());
  std::sort(sorted.begin(), sorted.end(),
            [](const Session* a, const Session* b) { return a->connection < b->connection; });
  return sorted;
}

Result<> grant(Session& session, const CreditGranted& credit) {
  if (credit.entries < session.credit_entries || credit.bytes < session.credit_bytes)
    return fail(Errc::frame_field, "credit taken back");
  session.credit_entries = credit.entries;
  session.credit_bytes = credit.bytes;
  return {};
}

}  // namespace sealwire::broker
