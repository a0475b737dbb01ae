// A stranger's program: makes an agent, opens it offline and meets an error by its name.
#include <sealwire/agent.h>
#include <sealwire/context.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

int run(const std::string& home) {
  sealwire::Context wanted;
  wanted.name = "stranger";
  const auto context = sealwire::write_context(home, wanted);
  if (!context || !sealwire::create_key(*context, "")) return 1;

  sealwire::Options options;
  options.name = context->name;
  options.key_file = context->key_file();
  options.state_file = context->state_file();
  options.offline = true;
  auto agent = sealwire::Agent::open(options);
  if (!agent) {
    std::cerr << sealwire::name(agent.error().code) << ": " << agent.error().detail << '\n';
    return 1;
  }
  std::cout << agent->id() << '\n';
  const auto nobody = agent->send("nobody", "hello");
  return !nobody && nobody.error().code == sealwire::Errc::peer_unknown ? 0 : 1;
}

int main() {
  std::string home = "/tmp/sealwire-consumer-XXXXXX";
  if (mkdtemp(home.data()) == nullptr) return 1;
  const int status = run(home);
  std::filesystem::remove_all(home);
  return status;
}
