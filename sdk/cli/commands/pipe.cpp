// `sealwire pipe`: an agent for any language, as JSON lines on standard input and output.
#include <unistd.h>

#include <CLI/App.hpp>

#include "sdk/cli/commands/commands.h"
#include "sdk/cli/input.h"
#include "sdk/cli/interrupt.h"
#include "sdk/cli/open.h"
#include "sdk/cli/pipe/session.h"

namespace sealwire::cli {
namespace {

constexpr int kSliceMs = 200;  // how late an interrupt may be noticed

void refuse_line(EventWriter& events, const LineError& error) {
  Json event{{"event", "error"}};
  if (!error.ref.empty()) event["ref"] = error.ref;
  event["code"] = "usage";
  event["cause"] = error.cause;
  event["try"] = "docs/pipe.md lists the operations and their members";
  events.write(event);
}

void feed(PipeSession& session, EventWriter& events) {
  LineReader lines(STDIN_FILENO, kPipeLineBytes);
  std::string line;
  while (!interrupted() && !events.broken() && !session.stopped()) {
    switch (lines.next(line, kSliceMs)) {
      case LineReader::Got::nothing:
        break;
      case LineReader::Got::end:
        return;
      case LineReader::Got::too_long:
        refuse_line(events, {"longer than 2 MiB", {}});
        break;
      case LineReader::Got::line:
        if (auto operation = parse_operation(line))
          session.perform(std::move(*operation));
        else
          refuse_line(events, operation.error());
        break;
    }
  }
}

Outcome<> pipe(Context& context) {
  catch_interrupts();
  auto agent = open_agent(context, Reach::background);
  if (!agent) return tl::unexpected(agent.error());
  const auto found = read_context(context);
  if (!found) return tl::unexpected(found.error());
  EventWriter events(context.out);
  events.write({{"event", "ready"}, {"agent", agent->id()}, {"context", found->name}});
  std::optional<Error> stopped;
  {
    PipeSession session(std::move(*agent), events);
    feed(session, events);
    session.drain();
    stopped = session.stopped();
  }
  events.write({{"event", "closed"}, {"code", stopped ? name(stopped->code) : "ok"}});
  if (events.broken()) {  // the program that we worked for has gone, and needs no telling
    context.out.clear();
    return {};
  }
  if (stopped) return failure(*stopped);
  return {};
}

}  // namespace

void add_pipe(CLI::App& app, Context& context) {
  app.add_subcommand("pipe",
                     "JSON lines on standard input and output, for any language (docs/pipe.md)")
      ->callback([&context] { context.action = [&context] { return pipe(context); }; });
}

}  // namespace sealwire::cli
