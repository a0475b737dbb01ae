// ATK-01 to ATK-09: what a peer can do to the transports before anybody is known. Byte by byte, so
// only where the bytes are not encrypted by CURVE; inside it runs the same decoder of libzmq.
#include <csignal>

#include "tests/security/attack.h"
#include "tests/security/wire_peer.h"

namespace sealwire::broker {
namespace {

constexpr long kClosedWithinMs = 5000;

class Wire : public Attack {
 protected:
  void adjust(Config& config) override {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to what the broker has closed
    config.router.handshake_ms = 1000;
    for (auto& listen : config.listen)
      listen.unproven_per_address_max = 64;
  }
  WirePeer peer() { return {GetParam(), uri_}; }
  std::string hello_text() { return std::string(as_text(hello_of(agent()))); }
  static void expect_closed_in_time(WirePeer& peer) {
    const long took = peer.socket().wait_close();
    EXPECT_GE(took, 0) << "still open";
    EXPECT_LT(took, kClosedWithinMs);
  }
  // The next of these bytes whenever the broker has said nothing for 40 ms, until it closes.
  static void trickle(WirePeer& peer, const std::string& bytes) {
    const auto from = std::chrono::steady_clock::now();
    for (const char byte : bytes)
      if (!peer.socket().quiet_for(40) || !peer.socket().send(std::string(1, byte))) break;
    const auto took = std::chrono::steady_clock::now() - from;
    EXPECT_LT(took, std::chrono::milliseconds(kClosedWithinMs));
    EXPECT_GE(peer.socket().wait_close(), 0);
  }
  void expect_nobody_known() {
    EXPECT_EQ(server_->metrics().sessions_opened, 0U);
    EXPECT_EQ(server_->metrics().agents, 0);
    expect_served();
  }
};
INSTANTIATE_TEST_SUITE_P(On, Wire, ::testing::Values("wss", "ws", "zmtp"),
                         [](const auto& test) { return std::string(test.param); });

// --- ATK-01: a handshake as slow as it can be ----------------------------------------------------

TEST_P(Wire, Atk01a_A_peer_that_connects_and_is_silent_is_closed) {
  WirePeer silent = peer();
  expect_closed_in_time(silent);
  expect_nobody_known();
}

TEST_P(Wire, Atk01b_A_transport_handshake_of_one_byte_at_a_time_is_closed) {
  WirePeer slow = peer();
  trickle(slow, slow.opening() + std::string(1000, 'x'));
  expect_nobody_known();
}

TEST_P(Wire, Atk01c_An_open_transport_without_Hello_is_closed) {
  WirePeer silent = peer();
  silent.open();
  expect_closed_in_time(silent);
  expect_nobody_known();
}

TEST_P(Wire, Atk01d_A_Hello_of_one_byte_at_a_time_is_closed) {
  WirePeer slow = peer();
  slow.open();
  const std::string message = slow.message(hello_text());
  trickle(slow, message);
  expect_nobody_known();
}

// --- ATK-02: pieces of messages, hoarded
// ----------------------------------------------------------

TEST_P(Wire, Atk02a_A_first_piece_whose_rest_never_comes_is_closed) {
  WirePeer half = peer();
  half.open();
  half.socket().send(half.first_piece(hello_text().substr(0, 50)));
  expect_closed_in_time(half);
  expect_nobody_known();
}

TEST_P(Wire, Atk02b_A_message_cut_in_the_middle_is_closed) {
  WirePeer half = peer();
  half.open();
  const std::string message = half.message(hello_text());
  half.socket().send(message.substr(0, message.size() - 1));
  expect_closed_in_time(half);
  expect_nobody_known();
}

TEST_P(Wire, Atk02c_Many_pieces_of_16_KiB_are_closed_and_others_are_served_meanwhile) {
  std::vector<std::unique_ptr<WirePeer>> hoard;
  for (int i = 0; i < 40; ++i) {
    hoard.push_back(std::make_unique<WirePeer>(GetParam(), uri_));
    hoard.back()->open();
    hoard.back()->socket().send(hoard.back()->first_piece(std::string(16'000, 'x')));
  }
  expect_served();
  for (auto& each : hoard)
    expect_closed_in_time(*each);
}

// --- ATK-03: connections that do nothing
// -----------------------------------------------------------

TEST_P(Wire, Atk03a_Idle_connections_do_not_keep_a_valid_agent_out) {
  std::vector<std::unique_ptr<WirePeer>> idle;
  for (int i = 0; i < 60; ++i)
    idle.push_back(std::make_unique<WirePeer>(GetParam(), uri_));
  expect_served();
  for (auto& each : idle)
    expect_closed_in_time(*each);
}

TEST_P(Wire, Atk03b_Beyond_the_limit_of_one_address_connections_are_closed_at_once) {
  std::vector<std::unique_ptr<WirePeer>> idle;
  for (int i = 0; i < 64; ++i) {
    idle.push_back(std::make_unique<WirePeer>(GetParam(), uri_));
    idle.back()->open();
  }
  WirePeer one_more = peer();
  one_more.start_tls_if_answered();
  one_more.socket().send(one_more.opening());
  expect_closed_in_time(one_more);
  for (auto& each : idle)
    expect_closed_in_time(*each);
  expect_served();
}

TEST_P(Wire, Atk03c_Connections_that_stop_after_their_Hello_are_closed) {
  std::vector<std::unique_ptr<WirePeer>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(std::make_unique<WirePeer>(GetParam(), uri_));
    idle.back()->open();
    idle.back()->socket().send(idle.back()->message(hello_text()));
  }
  expect_served();
  for (auto& each : idle)
    expect_closed_in_time(*each);
}

// --- ATK-04: a length that is declared and never sent
// ----------------------------------------------

TEST_P(Wire, Atk04a_A_declared_length_of_8_EiB_closes_before_any_of_it_comes) {
  WirePeer liar = peer();
  liar.open();
  liar.socket().send(liar.declares((1ULL << 63) - 1));
  expect_closed_in_time(liar);
  expect_nobody_known();
}

TEST_P(Wire, Atk04b_A_declared_length_of_4_GiB_closes_before_any_of_it_comes) {
  WirePeer liar = peer();
  liar.open();
  liar.socket().send(liar.declares(1ULL << 32));
  expect_closed_in_time(liar);
  expect_nobody_known();
}

TEST_P(Wire, Atk04c_A_length_just_over_what_a_stranger_may_send_closes) {
  WirePeer liar = peer();
  liar.open();
  liar.socket().send(liar.declares(limits::kFrameBytes + 1));
  expect_closed_in_time(liar);
  expect_nobody_known();
}

TEST_P(Wire, Atk04d_A_message_over_16_KiB_before_Proof_is_refused_though_it_is_all_sent) {
  WirePeer large = peer();
  large.open();
  large.socket().send(large.message(std::string(limits::kFrameBytesBeforeProof + 2000, 'x')));
  expect_closed_in_time(large);
  expect_nobody_known();
}

// --- ATK-05: a length that overflows
// ----------------------------------------------------------------

TEST_P(Wire, Atk05a_A_length_with_every_bit_set_closes) {
  WirePeer liar = peer();
  liar.open();
  liar.socket().send(liar.declares(~0ULL));
  expect_closed_in_time(liar);
  expect_nobody_known();
}

TEST_P(Wire, Atk05b_A_length_that_wraps_when_its_head_is_added_closes) {
  for (const std::uint64_t below : {13U, 8U, 2U}) {
    WirePeer liar = peer();
    liar.open();
    liar.socket().send(liar.declares(~0ULL - below));
    expect_closed_in_time(liar);
  }
  expect_nobody_known();
}

TEST_P(Wire, Atk05c_A_length_that_wraps_32_bits_closes) {
  WirePeer liar = peer();
  liar.open();
  liar.socket().send(liar.declares((1ULL << 32) + 10));
  expect_closed_in_time(liar);
  expect_nobody_known();
}

// --- ATK-06: fragments of one byte
// -------------------------------------------------------------------

TEST_P(Wire, Atk06a_Segments_of_one_byte_are_one_message) {
  WirePeer tiny = peer();
  tiny.open();
  for (const char byte : tiny.message(hello_text()))
    ASSERT_TRUE(tiny.socket().send(std::string(1, byte)));
  EXPECT_NE(tiny.socket().receive_until("SWTM").find("SWTM"), std::string::npos) << "Challenge";
}

TEST_P(Wire, Atk06b_Pieces_of_one_byte_add_up_against_the_limit) {
  WirePeer tiny = peer();
  tiny.open();
  std::string pieces = tiny.first_piece("x");
  for (std::size_t i = 0; i < limits::kFrameBytesBeforeProof + 2000; ++i)
    pieces += tiny.next_piece("x", false);
  tiny.socket().send(pieces);
  expect_closed_in_time(tiny);
  expect_nobody_known();
}

TEST_P(Wire, Atk06c_Empty_pieces_without_end_are_closed) {
  WirePeer tiny = peer();
  tiny.open();
  std::string pieces = tiny.first_piece("");
  for (int i = 0; i < 50'000; ++i)
    pieces += tiny.next_piece("", false);
  tiny.socket().send(pieces);
  expect_closed_in_time(tiny);
  expect_nobody_known();
}

// --- ATK-07: control frames within a message
// ----------------------------------------------------------

TEST_P(Wire, Atk07a_A_ping_between_pieces_does_not_become_part_of_the_message) {
  WirePeer odd = peer();
  odd.open();
  const std::string text = hello_text();
  if (odd.websocket()) {
    odd.socket().send(odd.first_piece(text.substr(0, 40)) + odd.ping() +
                      odd.next_piece(text.substr(40), true));
    EXPECT_NE(odd.socket().receive_until("SWTM").find("SWTM"), std::string::npos);
  } else {  // between messages only; within one it ends the connection or is passed over
    odd.socket().send(odd.ping() + odd.message(text));
    EXPECT_NE(odd.socket().receive_until("SWTM").find("SWTM"), std::string::npos);
  }
}

TEST_P(Wire, Atk07b_A_malformed_control_frame_closes) {
  for (int variant = 0; variant < 3; ++variant) {
    WirePeer odd = peer();
    odd.open();
    const std::string large(126, 'x');
    const std::string bad =
        odd.websocket()
            ? std::array{WirePeer::fragment("x", 0x09), WirePeer::fragment(large, 0x89),
                         WirePeer::fragment("x", 0x8b)}[static_cast<std::size_t>(variant)]
            : std::array{std::string("\x06\x00", 2), WirePeer::command("\x04PIN"),
                         std::string("\x05\x01x", 3)}[static_cast<std::size_t>(variant)];
    odd.socket().send(bad);
    expect_closed_in_time(odd);
  }
  expect_nobody_known();
}

TEST_P(Wire, Atk07c_A_close_or_a_new_message_within_a_message_ends_the_connection) {
  for (int variant = 0; variant < 2; ++variant) {
    WirePeer odd = peer();
    odd.open();
    odd.socket().send(odd.first_piece("x"));
    if (odd.websocket())
      odd.socket().send(variant == 0 ? WirePeer::fragment("\x03\xe8", 0x88)
                                     : WirePeer::fragment("y", 0x82));
    else
      odd.socket().send(variant == 0 ? WirePeer::command("\x05"
                                                         "ERROR")
                                     : odd.message("y") + odd.message("z"));
    expect_closed_in_time(odd);
  }
  expect_nobody_known();
}

TEST_P(Wire, Atk07d_A_flood_of_pings_that_are_never_read_stops_nobody) {
  WirePeer flood = peer();
  flood.open();
  std::string pings;
  for (int i = 0; i < 1000; ++i)
    pings += flood.ping();
  for (int i = 0; i < 20 && flood.socket().send(pings); ++i) {
  }
  expect_nobody_known();
}

// --- ATK-08, ATK-09: compression, where there is such a thing
// ------------------------------------------

class Compression : public Wire {};
INSTANTIATE_TEST_SUITE_P(On, Compression, ::testing::Values("wss", "ws"),
                         [](const auto& test) { return std::string(test.param); });

constexpr char kBomb[] = "\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08";  // deflated zeros

TEST_P(Compression, Atk08a_A_deflate_bomb_is_not_inflated) {
  WirePeer bomb = peer();
  bomb.open();
  bomb.socket().send(WirePeer::fragment(std::string(kBomb, sizeof kBomb - 1), 0xc2));
  expect_closed_in_time(bomb);
  expect_nobody_known();
}

TEST_P(Compression, Atk08b_A_bomb_in_fragments_is_not_inflated) {
  WirePeer bomb = peer();
  bomb.open();
  bomb.socket().send(WirePeer::fragment(std::string(kBomb, sizeof kBomb - 1), 0x42) +
                     WirePeer::fragment(std::string(100, '\0'), 0x80));
  expect_closed_in_time(bomb);
  expect_nobody_known();
}

TEST_P(Compression, Atk08c_Compression_that_is_asked_for_is_not_granted) {
  WirePeer bomb = peer();
  const std::string answer = bomb.open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_EQ(answer.find("deflate"), std::string::npos);
  bomb.socket().send(WirePeer::fragment(std::string(kBomb, sizeof kBomb - 1), 0xc2));
  expect_closed_in_time(bomb);
}

TEST_P(Compression, Atk09a_Window_bits_over_15_negotiate_nothing) {
  WirePeer odd = peer();
  const auto answer =
      odd.open("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n");
  EXPECT_EQ(answer.find("xtensions"), std::string::npos);
}

TEST_P(Compression, Atk09b_Window_bits_under_8_negotiate_nothing) {
  WirePeer odd = peer();
  const auto answer =
      odd.open("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=0\r\n");
  EXPECT_EQ(answer.find("xtensions"), std::string::npos);
}

TEST_P(Compression, Atk09c_Window_bits_that_are_no_number_negotiate_nothing_and_harm_nobody) {
  for (const char* bits : {"-1", "\"", "99999999999999999999", "8;8;8", "a"}) {
    WirePeer odd = peer();
    odd.start_tls();
    odd.socket().send(
        WirePeer::upgrade("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=" +
                          std::string(bits) + "\r\n"));
    const auto answer = odd.socket().receive_until("\r\n\r\n");
    EXPECT_EQ(answer.find("deflate"), std::string::npos) << bits;
  }
  expect_nobody_known();
}

}  // namespace
}  // namespace sealwire::broker
