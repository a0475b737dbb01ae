// The codec target: a program that is asked, a JSON line a vector, whether it takes the bytes.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "conformance/generate/vectors.h"
#include "conformance/runner/failure.h"
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

// A child whose standard input and output are ours.
class Child {
 public:
  explicit Child(const std::string& command) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) throw Failure("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      for (const int fd : {to[0], to[1], from[0], from[1]})
        close(fd);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in_ = fdopen(to[1], "w");
    out_ = fdopen(from[0], "r");
  }
  ~Child() {
    fclose(in_);
    fclose(out_);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string ask(const std::string& line) {
    fputs((line + "\n").c_str(), in_);
    fflush(in_);
    std::string answer;
    for (int c = fgetc(out_); c != '\n'; c = fgetc(out_)) {
      if (c == EOF) throw Failure("the codec ended instead of answering");
      answer += static_cast<char>(c);
    }
    return answer;
  }

 private:
  pid_t pid_ = 0;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
};

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
  Child codec(command);
  int good = 0, bad = 0;
  for (const Vector& v : make_vectors()) {
    const std::string answer = codec.ask(question_of(v).dump());
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
