// What comes for a hub. It is anybody's until a link's peer is found to have sent it.
#include "adapters/channels/telegram/hub.h"

namespace sealwire::channel::telegram {

bool Hub::is_new(std::int64_t update) {
  if (std::ranges::find(updates_, update) != updates_.end()) return false;
  updates_.at(updates_at_++ % updates_.size()) = update;
  return true;
}

void Hub::arrived(const Update& update) {
  if (!is_new(update.id)) return;
  if (update.migrated_to != 0)
    return move_chat(std::to_string(update.chat), std::to_string(update.migrated_to));
  if (update.sender == 0 || !update.from_bot) return;
  auto fragment = parse_fragment(update.text);
  if (!fragment) return;
  const bool first = fragment->kind == Kind::open || fragment->kind == Kind::opened;
  if (first && update.is_document()) return;
  const LinkPtr link = find(update, *fragment);
  if (fragment->kind == Kind::open) return link ? void() : admit(update, *fragment);
  if (!link || link->ended) return;
  const auto now = Clock::now();
  const std::uint32_t number = fragment->number;
  link->heard = now;
  link->out.grant(fragment->credit);
  const auto took =
      link->in.accept(std::move(*fragment),
                      update.is_document() ? std::optional(update.file_bytes) : std::nullopt, now);
  if (!took) return end(link, took.error(), true);
  if (*took == Incoming::Took::document) {
    Job job;
    job.what = Job::What::download;
    job.link = link;
    job.number = number;
    job.file_id = update.file_id;
    job.file_bytes = update.file_bytes;
    downloads_.push_back(std::move(job));
    work.notify_all();
  }
  if (link->in.opened()) link->out.open();
  want(link);
  link->stir();
}

LinkPtr Hub::find(const Update& update, const Fragment& fragment) {
  if (const auto known = links_.find({update.sender, fragment.connection}); known != links_.end())
    return known->second;
  const auto dialled = links_.find({0, fragment.connection});
  if (dialled == links_.end() || fragment.kind == Kind::open) return nullptr;
  // In a group, or by a name: whoever answers is the other end. The session proves who that is.
  LinkPtr link = dialled->second;
  links_.erase(dialled);
  link->peer = update.sender;
  links_[{link->peer, link->key}] = link;
  return link;
}

void Hub::admit(const Update& update, const Fragment& fragment) {
  if (!listening) return;
  const DeskPtr& desk = listening;
  const std::string to = std::to_string(update.chat);
  const auto refuse = [&](std::string_view reason) {
    Fragment refusal{Kind::close, fragment.connection, 0, 0, ending_payload(reason, {})};
    leave(to, std::move(refusal));
  };
  if (!desk->accepting) return refuse("accepts no more connections");
  const auto of_chat = std::ranges::count_if(
      desk->links, [&](const LinkPtr& link) { return !link->ended && link->chat == to; });
  if (static_cast<std::size_t>(of_chat) >= kConnectionsPerChat)
    return refuse("too many connections of this chat");
  if (desk->unproven >= kUnprovenConnections) return refuse("too many connections");
  auto link = std::make_shared<Link>(shared_from_this(), desk, Role::listening, fragment.connection,
                                     to, update.sender);
  link->place = Place::take(desk->census, link->peer_address());
  if (!link->place) return refuse("too many connections");
  link->unproven = true;
  ++desk->unproven;
  // It cannot fail: it is the first, and carries nothing.
  static_cast<void>(link->in.accept(fragment, std::nullopt, Clock::now()));
  link->out.open();
  link->out.grant(fragment.credit);
  add(link);
  link->stir();
}

}  // namespace sealwire::channel::telegram
