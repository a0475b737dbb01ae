// The codec target: a program that is asked, a JSON line a vector, whether it takes the bytes.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "conformance/generate/vectors.h"
#include "conformance/runner/failure.h"
#include "conformance/runner/process.h"
#include "conformance/transport/connection.h"
#include "conformance/wire/crypto.h"

namespace conformance {
namespace {

using Json = nlohmann::ordered_json;

Json question_of(const Vector& v) {
  Json out{{"name", v.name + "@" + v.kind}, {"kind", v.kind}, {"now_ms", kVectorTime}};
  if (v.kind == "instance" || v.kind == "agent")
    out["text"] = v.text;
  else
    out["hex"] = hex(v.bytes);
  if (!v.signature.empty()) out["signature"] = hex(v.signature);
  return out;
}

std::string ask(Process& codec, const std::string& question) {
  codec.write_line(question);
  const auto answer = codec.read_line(patience_ms);
  if (!answer) throw Failure("the codec does not answer");
  return *answer;
}

}  // namespace

std::string to_json(const Vector& v) {
  Json out = question_of(v);
  out["requirement"] = v.name.substr(0, v.name.find('.'));
  out["accept"] = v.accept;
  if (!v.accept) out["stage"] = v.stage;
  out["code"] = v.code;
  return out.dump(1) + "\n";
}

void write_vectors(const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (const Vector& v : make_vectors()) {
    // What is long is the same byte over and over: nobody needs it in a file.
    if (v.bytes.size() > 200'000) continue;
    std::ofstream out(folder + "/" + v.kind + "-" + v.name + ".json");
    if (!(out << to_json(v)).flush()) throw Failure("cannot write to " + folder);
  }
}

bool run_codec(const std::string& command) {
  Process codec(command);
  int good = 0, bad = 0;
  for (const Vector& v : make_vectors()) {
    const std::string answer = ask(codec, question_of(v).dump());
    const Json read = Json::parse(answer, nullptr, false);
    const bool same = read.is_object() && read.value("code", "") == v.code;
    ++(same ? good : bad);
    if (!same)
      std::cout << "fail  " << v.name << "@" << v.kind << "  answered " << answer
                << " instead of the code " << v.code << "\n";
  }
  std::cout << good << " passed, " << bad << " failed\n";
  return bad == 0 && good != 0;
}

}  // namespace conformance
