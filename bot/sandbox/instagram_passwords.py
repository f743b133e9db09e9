"""Instagram's encrypted passwords and second factors, from the server's side."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import struct
import time

from Cryptodome.Cipher import AES, PKCS1_v1_5
from Cryptodome.PublicKey import RSA

KEY_ID = 41
KEY_BITS = 2048
CODE_SECONDS = 30
"""How long a code of the second factor is good; its neighbours are taken as well."""


@functools.cache
def _key() -> RSA.RsaKey:
    return RSA.generate(KEY_BITS)


def published_key() -> dict[str, str]:
    """The headers that tell a client how to encrypt a password."""
    public = base64.b64encode(_key().public_key().export_key()).decode("ascii")
    return {
        "ig-set-password-encryption-key-id": str(KEY_ID),
        "ig-set-password-encryption-pub-key": public,
    }


def read_password(sent: str) -> str | None:
    """The password in `#PWD_INSTAGRAM:4:<time>:<base64>` (or `:0:`, unencrypted). None if there is none."""
    parts = sent.split(":", 3)
    if len(parts) != 4 or not parts[0].startswith("#PWD_INSTAGRAM"):
        return None
    if parts[1] == "0":
        return parts[3]
    try:
        return _decrypt(base64.b64decode(parts[3]), parts[2].encode("ascii")).decode("utf-8")
    except (ValueError, binascii.Error, struct.error):
        return None


def _decrypt(payload: bytes, sealed_time: bytes) -> bytes:
    """Version, key id, 12 bytes nonce, length and RSA of the AES key, 16 bytes tag, the password."""
    version, key_id, nonce, size = struct.unpack_from("<BB12sH", payload)
    if version != 1 or key_id != KEY_ID:
        raise ValueError("another key")
    start = struct.calcsize("<BB12sH")
    wrapped, tag = payload[start : start + size], payload[start + size : start + size + 16]
    key = PKCS1_v1_5.new(_key()).decrypt(wrapped, b"", expected_pt_len=32)
    cipher = AES.new(key, AES.MODE_GCM, nonce)
    cipher.update(sealed_time)
    return cipher.decrypt_and_verify(payload[start + size + 16 :], tag)


def is_code(code: str, seed: str, now: float | None = None) -> bool:
    """Whether this is the second factor's code (RFC 6238, six digits) for now, give or take one step."""
    step = int(time.time() if now is None else now) // CODE_SECONDS
    return any(hmac.compare_digest(code.strip(), _code(seed, step + near)) for near in (-1, 0, 1))


def _code(seed: str, step: int) -> str:
    padded = seed.replace(" ", "").upper() + "=" * (-len(seed.replace(" ", "")) % 8)
    digest = hmac.new(base64.b32decode(padded), struct.pack(">Q", step), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack_from(">I", digest, place)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
