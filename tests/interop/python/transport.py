"""SES-040: WebSocket on TLS, one binary message a frame. TLS is pyOpenSSL's, for its exporter."""

import select
import socket
import time

from OpenSSL import SSL
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

TIMEOUT_S = 20.0


class Closed(Exception):
    """The other end has closed the connection; no further message comes. `status` is RFC 6455's."""

    def __init__(self, status=None):
        super().__init__(status)
        self.status = status


class Refused(Exception):
    """The upgrade to WebSocket was refused; `status` is HTTP's."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class WebSocket:
    """One connection. `wss` has no certificate check: the Challenge authenticates the broker."""

    def __init__(self, uri, origin=None, subprotocols=("sealwire.0",)):
        self._uri = parse_uri(uri)
        plain = socket.create_connection((self._uri.host, self._uri.port), TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        self._plain, self._tls = plain, None
        if self._uri.secure:
            self._start_tls()
        self._protocol = ClientProtocol(self._uri, subprotocols=list(subprotocols), origin=origin,
                                        max_size=8 << 20)
        self._events = []
        self._upgrade()

    def _start_tls(self):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_verify(SSL.VERIFY_NONE)
        self._tls = SSL.Connection(context, self._plain)
        self._tls.set_connect_state()
        self._retry(self._tls.do_handshake)

    def _upgrade(self):
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        response = self._next_event()
        if self._protocol.handshake_exc is not None:
            raise Refused(getattr(response, "status_code", None))
        self.subprotocol = self._protocol.subprotocol

    def exporter(self):
        """RFC 9266: the channel binding of this TLS connection, 32 bytes."""
        return self._tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")

    def send(self, message):
        if self._protocol.state is not State.OPEN:
            raise Closed(self._protocol.close_code)
        self._protocol.send_binary(message)
        self._flush()

    def send_text(self, text):
        self._protocol.send_text(text.encode())
        self._flush()

    def receive(self, timeout_s=TIMEOUT_S):
        """The next binary message."""
        deadline = time.monotonic() + timeout_s
        parts = []
        while True:
            event = self._next_event(deadline)
            if event.opcode in (Opcode.BINARY, Opcode.CONT):
                parts.append(event.data)
                if event.fin:
                    return b"".join(bytes(p) for p in parts)
            elif event.opcode is Opcode.TEXT:
                raise AssertionError("a text message came")

    def close(self):
        """Orderly, as far as the other end still listens."""
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                self._flush()
        except (Closed, OSError):
            pass
        self._plain.close()

    def drop(self):
        """As a crash does it."""
        self._plain.close()

    def _flush(self):
        for data in self._protocol.data_to_send():
            sent = 0
            while data and sent < len(data):
                sent += self._retry(self._writer(), data[sent:sent + 65536])

    def _writer(self):
        return self._tls.send if self._tls else self._plain.send

    def _next_event(self, deadline=None):
        deadline = deadline or time.monotonic() + TIMEOUT_S
        while not self._events:
            if self._protocol.state is State.CLOSED:
                raise Closed(self._protocol.close_code)
            reader = self._tls.recv if self._tls else self._plain.recv
            try:
                data = self._retry(reader, 65536, deadline=deadline)
            except Closed:
                data = b""
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            self._events = [e for e in self._protocol.events_received()
                            if not hasattr(e, "opcode") or e.opcode in
                            (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)]
            if data:
                self._flush()
            if not data and not self._events:
                raise Closed(self._protocol.close_code)
        return self._events.pop(0)

    def _retry(self, call, *arguments, deadline=None):
        """Runs a non-blocking call until it is through."""
        deadline = deadline or time.monotonic() + TIMEOUT_S
        while True:
            wait_read, wait_write = [self._plain], []
            try:
                return call(*arguments)
            except (SSL.WantReadError, BlockingIOError):
                if call == self._plain.send:
                    wait_read, wait_write = [], [self._plain]
            except SSL.WantWriteError:
                wait_read, wait_write = [], [self._plain]
            except (SSL.Error, ConnectionError) as error:
                raise Closed from error
            left = deadline - time.monotonic()
            if left <= 0 or not any(select.select(wait_read, wait_write, [], left)):
                raise TimeoutError("nothing came")
