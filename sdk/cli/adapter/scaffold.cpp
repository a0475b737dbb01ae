#include "sdk/cli/adapter/scaffold.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "adapters/files/private_file.h"
#include "sdk/cli/adapter/places.h"

namespace sealwire::cli {
namespace {

namespace fs = std::filesystem;

// What a language's bridge is made of, in the shipped bridges' folder, and what makes it run.
struct Scaffold {
  const char* language;
  std::vector<const char*> files;
  const char* build;  // in its folder; empty where it runs as it is
  const char* program;
};

const std::vector<Scaffold>& scaffolds() {
  static const std::vector<Scaffold> all{
      {"python", {"hello/bridge.py"}, "", "bridge.py"},
      {"javascript", {"hello/bridge.mjs"}, "", "bridge.mjs"},
      {"typescript",
       {"hello/bridge.mts", "hello/package.json"},
       "npm install && npm run build",
       "bridge.mjs"},
      {"cpp", {"hello/bridge.cpp"}, "g++ -std=c++20 -O2 bridge.cpp -o bridge", "bridge"},
      {"cpp-library",
       {"hello/library.cpp", "library/sealwire_bridge.h"},
       "g++ -std=c++20 -O2 -fPIC -shared library.cpp -o libbridge.so",
       "libbridge.so"},
  };
  return all;
}

}  // namespace

std::vector<std::string> languages() {
  std::vector<std::string> all;
  for (const Scaffold& each : scaffolds())
    all.emplace_back(each.language);
  return all;
}

Outcome<> new_bridge(Context& context, const std::string& name, const std::string& language) {
  const auto scaffold = std::ranges::find_if(
      scaffolds(), [&](const Scaffold& each) { return language == each.language; });
  const fs::path folder = name;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failure(Errc::file_failed, folder.string() + ": " + error.message());
  for (const char* file : scaffold->files) {
    SW_TRY(const std::string text, files::read_text_file(fs::path(bridges_directory()) / file));
    const fs::path to = folder / fs::path(file).filename();
    if (fs::exists(to)) return failure(Errc::file_failed, to.string() + " is there already");
    SW_CHECK(files::create_file(to, as_bytes(text), files::Access::everyone));
    context.out << to.string() << "\n";
  }
  if (*scaffold->build != 0)
    context.err << fmt::format("build: (cd {} && {})\n", folder.string(), scaffold->build);
  const std::string program = (folder / scaffold->program).string();
  context.err << fmt::format("try:   sealwire adapter test {}{}\n", program,
                             program.ends_with(".so") ? " --uncaged" : "");
  return {};
}

}  // namespace sealwire::cli
