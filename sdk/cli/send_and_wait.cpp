#include "sdk/cli/send_and_wait.h"

#include <ostream>

#include "sdk/cli/open.h"
#include "sdk/cli/pipe/line.h"
#include "sdk/cli/text.h"

namespace sealwire::cli {

Outcome<> send_and_wait(Context& context, const std::string& peer, Payload payload,
                        const SendOptions& options, Millis wait) {
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());
  SW_TRY(const Sending sending, agent->send(peer, std::move(payload), options));
  const auto accepted = sending.wait(wait);
  if (!accepted && accepted.error().code == Errc::timeout) {
    const Status status = agent->status();
    std::string cause =
        status.connected ? "not accepted within " : "the broker was not reached within ";
    cause += duration_text(static_cast<std::uint64_t>(wait.count()));
    if (!status.connected && status.last_error) cause += " (" + status.last_error->detail + ")";
    if (options.transient) return failure(Errc::timeout, cause + "; the message is gone");
    return failure(status.connected ? Errc::timeout : Errc::connect_failed,
                   cause + "; the message waits, and is sent when this context next connects",
                   "sealwire status");
  }
  if (!accepted) {
    const auto known = agent->peer(peer);
    if (known && known->contact == Peer::Contact::blocked)
      return failure(accepted.error(), "sealwire peer add " + known->agent + "      (unblocks it)");
    return failure(accepted.error());
  }
  if (context.json)
    context.out << to_line(Json{{"id", accepted->message_id}, {"sequence", accepted->sequence}});
  else
    context.out << accepted->message_id << "\n";
  return {};
}

}  // namespace sealwire::cli
