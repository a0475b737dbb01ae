#include "adapters/channels/zeromq/admission.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "adapters/channels/census.h"
#include "adapters/channels/zeromq/curve.h"

namespace sealwire::channel::zeromq {
namespace {

// RFC 27: version, request id, domain, address, identity, mechanism, credentials…
enum Part : std::size_t {
  version,
  request_id,
  domain,
  address,
  identity,
  mechanism,
  credential,
  parts
};

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Admission::Admission(zmq::context_t& context) : socket_(context, zmq::socket_type::rep) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
}

void Admission::serve(bool full) {
  for (;;) {
    std::vector<std::string> request;
    zmq::message_t part;
    do {
      if (zmq_msg_recv(part.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) return;
      request.push_back(part.to_string());
    } while (part.more());
    std::string key;
    bool admitted = false;
    if (request.size() == parts && request[mechanism] == "CURVE" &&
        request[credential].size() == 32) {
      key = to_hex(as_bytes(request[credential]));
      admitted = decide(request[domain], request[address], key, full);
    } else if (request.size() == credential && request[mechanism] == "NULL") {
      admitted = request[domain] == kDoorDomain && !full;
    }
    const std::string id = request.size() > request_id ? request[request_id] : std::string();
    const std::array<std::string, 6> reply{
        "1.0", id, admitted ? "200" : "400", "", admitted ? key : "", ""};
    for (std::size_t i = 0; i < reply.size(); ++i) {
      const int more = i + 1 < reply.size() ? ZMQ_SNDMORE : 0;
      if (zmq_send(socket_.handle(), reply[i].data(), reply[i].size(), more | ZMQ_DONTWAIT) < 0)
        return;
    }
  }
}

bool Admission::decide(const std::string& at, const std::string& from, const std::string& key,
                       bool full) {
  if (at == kDataDomain) return admitted_.contains(key);
  return at == kDoorDomain && !full && take_token(census_key(from));
}

bool Admission::take_token(const std::string& from) {
  const auto now = now_s();
  const auto refilled = [now](const Bucket& bucket) {
    return std::min(kHandshakeBurst, bucket.tokens + (now - bucket.at_s) * kHandshakesPerSecond);
  };
  if (buckets_.size() >= kAddressesMax) {
    std::erase_if(buckets_,
                  [&](const auto& entry) { return refilled(entry.second) >= kHandshakeBurst; });
  }
  if (buckets_.size() >= kAddressesMax && !buckets_.contains(from)) return false;
  auto& bucket = buckets_[from];
  bucket.tokens = refilled(bucket);
  bucket.at_s = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace sealwire::channel::zeromq
