"""SPEC chapter 0's notation, and the primitives that the protocol names, from libraries."""

import hashlib
import os
import struct
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

SUITE = 1
ZERO_LINK = bytes(32)

_hpke = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256,
                        AEADId.CHACHA20_POLY1305)


def H(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def L(label, *parts):
    """The labelled string of chapter 0."""
    return b"".join(struct.pack(">I", len(p)) + p for p in (label.encode("ascii"), *parts))


def sign(seed, message):
    return SigningKey(seed).sign(message).signature


def public(seed):
    return bytes(SigningKey(seed).verify_key)


def verify(key, message, signature):
    """Raises BadSignature; says nothing otherwise."""
    try:
        VerifyKey(bytes(key)).verify(message, bytes(signature))
    except (BadSignatureError, ValueError) as error:
        raise BadSignature(str(error)) from error


class BadSignature(Exception):
    pass


def now_ms():
    return time.time_ns() // 1_000_000


def uuid7(at_ms=None):
    """RFC 9562 section 5.7, with 74 random bits."""
    raw = bytearray((at_ms or now_ms()).to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return bytes(raw)


def is_uuid7(raw):
    return len(raw) == 16 and raw[6] >> 4 == 7 and raw[8] >> 6 == 2


def x25519_keys():
    """A fresh (secret, public) pair of raw bytes."""
    secret = X25519PrivateKey.generate()
    return secret.private_bytes_raw(), secret.public_key().public_bytes_raw()


def x25519(secret, peer):
    """Raises ValueError where the output is all zero (SES-023)."""
    return X25519PrivateKey.from_private_bytes(secret).exchange(
        X25519PublicKey.from_public_bytes(peer))


def session_keys(transcript, proof_hash, shared):
    """SES-020: (client to broker, broker to client)."""
    okm = HKDF(algorithm=hashes.SHA256(), length=64, info=b"sealwire/0 session keys",
               salt=L("sealwire/0 session keys", transcript, proof_hash)).derive(shared)
    return okm[:32], okm[32:]


class FrameSealer:
    """SES-021, one direction."""

    def __init__(self, key):
        self._aead, self._count = ChaCha20Poly1305(key), 0

    def _nonce(self):
        self._count += 1
        return struct.pack(">IQ", 0, self._count - 1)

    def seal(self, frame):
        return self._aead.encrypt(self._nonce(), frame, None)

    def open(self, message):
        return self._aead.decrypt(self._nonce(), message, None)


def padme(size):
    """The least Padmé size that holds `size` (chapter E2E)."""
    if size < 2:
        return size
    e = size.bit_length() - 1
    mask = (1 << max(e - e.bit_length(), 0)) - 1
    return (size + mask) & ~mask


def hpke_seal(key, info, aad, plaintext):
    recipient = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(key))
    enc, context = _hpke.create_sender_context(recipient, info)
    return enc, context.seal(plaintext, aad)


def hpke_open(secret, info, aad, enc, ciphertext):
    key = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(secret))
    return _hpke.create_recipient_context(enc, key, info).open(ciphertext, aad)
