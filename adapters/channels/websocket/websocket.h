// WebSocket (RFC 6455), binary messages only, one message one frame, subprotocol "sealwire.0".
//
// wss://host:port/path has the binding `tls_exporter` (RFC 9266) and wants TLS 1.3, or 1.2 with the
// extended master secret. ws://host:port/path has none, and is refused off loopback unless the
// endpoint says allow_insecure. The path is "/" where it is left out, and must match.
//
// Options of listen:
//   certificate_file, private_key_file  PEM; needed for wss; reload() reads them again
//   origins  comma-separated: the pages in browsers that may connect. A request with an Origin
//            header is refused (403) unless it is listed; one without does not come from a page
// Options of dial:
//   ca_file  PEM; the certificate must then chain to it and name the host. Without it the
//            certificate is not checked: Sealwire's handshake has the broker's pinned key sign
//            this TLS session's exporter, so whoever stands between has another and fails there
//
// `threads` of the endpoint is the number of I/O threads, each with its own acceptor on the port
// (SO_REUSEPORT); a connection stays on one. A dialled connection has a thread of its own.
// The per-address cap counts an IPv6 /64 as one address.
#pragma once

#include "adapters/channels/channel.h"

namespace sealwire::channel {

const Channel& websocket_channel();

}  // namespace sealwire::channel
