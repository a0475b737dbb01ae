"""A key package of RFC 9420 by hand: what KEY-010 says travels, and no more of MLS than that."""

import struct

from crypto import now_ms, sign, x25519_keys
from identity import did_key
from wire import Malformed

MLS10, WIRE_KEY_PACKAGE, BASIC, SOURCE_KEY_PACKAGE = 1, 5, 1, 1
SUITE = 0x0003  # MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519


def vector(data):
    """RFC 9420 section 2.1.2: a length as a QUIC integer, then the bytes."""
    if len(data) < 64:
        return struct.pack(">B", len(data)) + data
    if len(data) < 16384:
        return struct.pack(">H", 0x4000 | len(data)) + data
    return struct.pack(">I", 0x80000000 | len(data)) + data


def u16(*values):
    return b"".join(struct.pack(">H", v) for v in values)


def sign_with_label(seed, label, content):
    """Section 5.1.2."""
    return sign(seed, vector(b"MLS 1.0 " + label) + vector(content))


def leaf_key(package):
    """The signature key of the leaf, to be compared (KEY-013), in an MLSMessage(KeyPackage)."""
    if package[:8] != u16(MLS10, WIRE_KEY_PACKAGE, MLS10, SUITE):
        raise Malformed("no key package of this suite")
    at = 8
    for _ in ("init_key", "encryption_key", "signature_key"):
        size, at = package[at], at + 1  # keys of 32 bytes have lengths of one
        field, at = package[at:at + size], at + size
        if len(field) != 32:
            raise Malformed("key package")
    return field


def key_package(agent, days=30):
    """MLSMessage(KeyPackage) whose leaf is the agent's instance; its HPKE secrets are dropped."""
    now = now_ms() // 1000
    lifetime = struct.pack(">QQ", now - 3600, now + days * 86400 - 3600)
    capabilities = b"".join(map(vector, (u16(MLS10), u16(SUITE), b"", b"", u16(BASIC))))
    leaf = (vector(x25519_keys()[1]) + vector(agent.key)
            + u16(BASIC) + vector(did_key(agent.key).encode()) + capabilities
            + bytes([SOURCE_KEY_PACKAGE]) + lifetime + vector(b""))
    leaf += vector(sign_with_label(agent.seed, b"LeafNodeTBS", leaf))
    package = u16(MLS10, SUITE) + vector(x25519_keys()[1]) + leaf + vector(b"")
    package += vector(sign_with_label(agent.seed, b"KeyPackageTBS", package))
    return u16(MLS10, WIRE_KEY_PACKAGE) + package
