// `sealwire recv`: prints what waits, or hands it to a command, and acknowledges it.
#include <fmt/format.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/message_print.h"
#include "sdk/cli/open.h"
#include "sdk/cli/up/child.h"

namespace sealwire::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Millis kQuiet{1000};  // nothing came for so long: nothing waits
constexpr Millis kSlice{200};   // how late an interrupt may be noticed

struct ReceiveOptions {
  std::uint64_t count = 0;
  std::string wait;
  bool follow = false;
  std::string exec;
};

// The text is on standard input, so that no shell ever reads what a peer wrote.
Outcome<> execute(const std::string& command, const Message& message) {
  SW_TRY(const Finished finished,
         run_to_end({"/bin/sh", "-c", command}, std::string(message.text()), Output::ours,
                    {"SEALWIRE_MESSAGE_ID=" + message.id, "SEALWIRE_FROM=" + message.from,
                     "SEALWIRE_FROM_NAME=" + message.nickname,
                     fmt::format("SEALWIRE_KIND={}", kind_name(message.kind)),
                     "SEALWIRE_MEDIA_TYPE=" + message.payload.media_type}));
  if (finished.status == 0) return {};
  return failure(Errc::cancelled,
                 fmt::format("the command ended with status {}; message {} stays and comes again",
                             finished.status, message.id),
                 "sealwire recv -C 1      (prints and acknowledges it)");
}

/// The next message; `timeout` when none came within `wait` (empty: for ever) or on an interrupt.
Result<Message> next(Agent& agent, std::optional<Millis> wait) {
  const auto deadline = wait ? Clock::now() + *wait : Clock::time_point::max();
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - Clock::now());
    auto message = agent.receive(std::clamp(left, Millis(0), kSlice));
    if (message || message.error().code != Errc::timeout) return message;
    if (interrupted() || Clock::now() >= deadline) return message;
  }
}

Outcome<> receive(Context& context, const ReceiveOptions& options) {
  std::optional<Millis> wait;
  if (!options.wait.empty()) {
    const auto parsed = parse_wait(options.wait, "-W");
    if (!parsed) return tl::unexpected(parsed.error());
    wait = *parsed;
  } else if (!options.follow && options.count == 0) {
    wait = kQuiet;
  }
  catch_interrupts();
  auto agent = open_agent(context, options.follow ? Reach::background : Reach::connected);
  if (!agent) return tl::unexpected(agent.error());
  std::uint64_t printed = 0;
  while (context.out && (options.count == 0 || printed < options.count)) {
    const auto message = next(*agent, options.follow ? std::nullopt : wait);
    if (!message && message.error().code == Errc::timeout) break;
    if (!message) return failure(message.error());
    if (options.exec.empty()) {
      print_message(context, *message);
      if (!context.out) break;  // not printed: not acknowledged
    } else if (auto done = execute(options.exec, *message); !done) {
      return done;
    }
    SW_CHECK(agent->acknowledge(*message));
    ++printed;
  }
  SW_CHECK(agent->drain(kConnectTimeout));
  if (options.count != 0 && printed < options.count && !interrupted())
    return failure(Errc::timeout, fmt::format("{} of {} messages came", printed, options.count));
  return {};
}

}  // namespace

void add_recv(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReceiveOptions>();
  auto* command = app.add_subcommand("recv", "Print the messages that wait, and acknowledge them");
  command->add_option("-C,--count", options->count, "End after so many messages");
  command->add_option("-W,--wait", options->wait,
                      "Wait at most so long for each message [1s; with -C for ever]");
  command->add_flag("-F,--follow", options->follow, "Wait for ever")->excludes("--wait");
  command->add_option(
      "--exec", options->exec,
      "Run this with /bin/sh for each message, its data on standard input; a message "
      "is acknowledged if that succeeds");
  command->callback([&context, options] {
    context.action = [&context, options] { return receive(context, *options); };
  });
}

}  // namespace sealwire::cli
