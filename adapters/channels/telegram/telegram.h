// Telegram, sealed mode: an agent behind a bot of its own talks to the broker's bot through the Bot
// API. Telegram sees who, when and how much; frames are sealed by the session, since there is no
// binding. WIRE.md is the framing, docs/telegram.md the operator's page. Telegram itself was never
// reached with it: it is tested against a double of the Bot API.
//
// telegram://CHAT dials; CHAT is the id of the broker's bot, its @name, or the id of a group that
// both bots are in. telegram://ID listens, where ID is the bot's own and has to be the token's.
//
// Options of both:
//   token_file  a file with the bot's token, readable by its owner only; must be given
//   api         the Bot API server; https://api.telegram.org where left out. Plain http only on
//               loopback, unless the endpoint says allow_insecure
//   pace_ms     between two messages to one chat, 1000 where left out; three times that in a group,
//               and 30 messages in that time to all chats
//
// One thread polls for a bot and two send and fetch, whatever uses its token in this process; each
// end has one more that makes its callbacks (`threads` is not used). There is no native close: a
// peer that vanishes is noticed by the session's Ping, or after 180 s of silence. What was sent
// before the process began to poll is passed over. A close flushes for a second and one pace.
#pragma once

#include "adapters/channels/channel.h"

namespace sealwire::channel {

const Channel& telegram_channel();

}  // namespace sealwire::channel
