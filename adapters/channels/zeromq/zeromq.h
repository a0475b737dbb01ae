// ZeroMQ: a DEALER dials, a ROUTER listens, with CURVE (RFC 26/CurveZMQ). WIRE.md is the framing.
//
// tcp://host:port?curve=HEX names the listener's CURVE public key (32 bytes); the binding is
// `curve`: server key ‖ client key. Without a curve key there is no binding, and other than
// loopback is refused unless the endpoint says allow_insecure. uri() of a listener is the form to
// be dialled.
//
// A listener has two ports: the door, which is the URI's, takes handshakes with any CURVE key and
// small messages; the data port, which the door tells, takes only keys that promote() admitted.
//
// Options of listen:
//   curve_secret       the listener's CURVE secret key, 64 hex digits
//   curve_secret_file  a file that holds it, readable by its owner only
//   data_port          0, or left out: the system chooses
// Options of dial: none. Each dial makes a CURVE key pair of its own.
//
// `threads` is the number of libzmq's I/O threads; one more thread owns the sockets and makes every
// callback. There is no native close: a peer that vanishes is noticed when something is sent to it,
// or by the session's Ping. docs/decisions/zeromq-bounds.md says what libzmq leaves unbounded.
#pragma once

#include "adapters/channels/channel.h"

namespace sealwire::channel {

const Channel& zeromq_channel();

}  // namespace sealwire::channel
