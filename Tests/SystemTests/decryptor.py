"""Opens what Weir encrypted: written from docs/encryption.md alone, with nothing of Weir's but the format.

As a program it reads one value: decryptor.py KEYS.db KEK_HEX TENANT PLACE PATH [TRACE_ID SPAN_ID [POINTER]] < ENVELOPE
or a sealed file: decryptor.py KEYS.db KEK_HEX FILE
"""

import base64
import hashlib
import hmac
import json
import sqlite3
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

PREFIX = "weir1."
FILE = b"\xe7weir\x01\x03\x10"
CHUNK = 8 + (1 << 16) + 16
ARCHIVE_CLASS = 4
JSON = 0x4A
ATTRIBUTE, EVENT, LINK, STATUS, RESOURCE, SCOPE = 0, 1, 2, 4, 5, 6


class Unreadable(Exception):
    pass


def sized(text):
    data = text.encode()
    return struct.pack(">I", len(data)) + data


def xaes_256_gcm_open(key, nonce, sealed, additional):
    """C2SP's XAES-256-GCM: a key for the message from the first half of the nonce."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    zeros = int.from_bytes(encryptor.update(bytes(16)), "big")
    mask = (zeros << 1) & ((1 << 128) - 1)
    if zeros >> 127:
        mask ^= 0x87
    blocks = b""
    for counter in (b"\x00\x01X\x00", b"\x00\x02X\x00"):
        block = int.from_bytes(counter + nonce[:12], "big") ^ mask
        blocks += encryptor.update(block.to_bytes(16, "big"))
    return AESGCM(blocks).decrypt(nonce[12:], sealed, additional)


class Decryptor:
    def __init__(self, store, *key_encryption_keys):
        self.connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
        self.outer = {
            hmac.digest(key, b"weir key encryption key", hashlib.sha256)[:8].hex(): key for key in key_encryption_keys
        }

    def data_key(self, key_id):
        signed = struct.unpack(">q", key_id)[0]
        row = self.connection.execute(
            "SELECT tenant, class, suite, subject, wrapped_by, wrapped, commitment FROM data_keys WHERE id = ?",
            (signed,)
        ).fetchone()
        if row is None:
            raise Unreadable("unknown key")
        tenant, key_class, suite, subject, wrapped_by, wrapped, commitment = row
        if wrapped is None:
            raise Unreadable("key destroyed")
        if wrapped_by not in self.outer:
            raise Unreadable("no key encryption key")
        key = aes_key_unwrap(self.outer[wrapped_by], bytes.fromhex(wrapped))
        message = b"weir1 key" + key_id + bytes([key_class, suite]) + sized(tenant) + bytes.fromhex(subject)
        if not hmac.compare_digest(hmac.digest(key, message, hashlib.sha256)[:16].hex(), commitment):
            raise Unreadable("damaged key")
        return tenant, suite, key, key_class

    def open(self, text, tenant, place, path, trace_id=b"", span_id=b"", pointer=""):
        if not text.startswith(PREFIX):
            raise Unreadable("no envelope")
        body = text[len(PREFIX):]
        envelope = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        magic, suite, kind, key_id = envelope[0], envelope[1], envelope[2], envelope[3:11]
        if magic != 0xE7:
            raise Unreadable("no envelope")
        size = {1: 24, 2: 12}[suite]
        nonce, sealed = envelope[11:11 + size], envelope[11 + size:]
        additional = b"weir1" + envelope[:11] + bytes([place]) + sized(tenant)
        if place not in (RESOURCE, SCOPE):
            additional += trace_id + span_id
        additional += sized(path)
        if pointer:
            additional += sized(pointer)
        owner, key_suite, key, _ = self.data_key(key_id)
        if owner != tenant or key_suite != suite:
            raise Unreadable("another tenant's key")
        if suite == 1:
            plaintext = xaes_256_gcm_open(key, nonce, sealed, additional)
        else:
            plaintext = AESGCM(key).decrypt(nonce, sealed, additional)
        return value(kind, plaintext)

    def open_inside(self, member, pointer, *where):
        """A value of JSON, or an AnyValue, with all that stands in it in clear; a text that is JSON as what it says."""
        if isinstance(member, AnyValue):
            kind = member.WhichOneof("value")
            if kind == "kvlist_value":
                member = {pair.key: pair.value for pair in member.kvlist_value.values}
            elif kind == "array_value":
                member = list(member.array_value.values)
            else:
                member = getattr(member, kind) if kind else None
        if isinstance(member, dict):
            return {name: self.open_inside(inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", *where)
                    for name, inner in member.items()}
        if isinstance(member, list):
            return [self.open_inside(inner, f"{pointer}/{place}", *where) for place, inner in enumerate(member)]
        if not isinstance(member, str):
            return member
        if member.startswith(PREFIX):
            plain = self.open(member, *where, pointer=pointer)
            return json.loads(plain) if isinstance(plain, str) else self.open_inside(plain, pointer, *where)
        try:
            inner = json.loads(member)
        except ValueError:
            return member
        return self.open_inside(inner, pointer, *where) if isinstance(inner, (dict, list)) else member

    def open_file(self, content):
        """What is in a sealed file, and whose it is."""
        header, body = content[:32], content[32:]
        if header[:8] != FILE or len(header) < 32:
            raise Unreadable("no sealed file")
        tenant, _, data_key, key_class = self.data_key(header[8:16])
        if key_class != ARCHIVE_CLASS:
            raise Unreadable("a key for something else")
        key = HKDFExpand(algorithm=hashes.SHA256(), length=32, info=b"weir1 file" + header).derive(data_key)
        chunks = [body[start:start + CHUNK] for start in range(0, len(body), CHUNK)] or [b""]
        plaintext = b""
        for place, chunk in enumerate(chunks):
            last = place == len(chunks) - 1
            nonce, sealed = bytes(4) + chunk[:8], chunk[8:]
            plaintext += AESGCM(key).decrypt(nonce, sealed, struct.pack(">QB", place, last))
        return plaintext, tenant


def value(kind, plaintext):
    if kind == 1:
        return AnyValue(string_value=plaintext.decode())
    if kind == 2:
        return AnyValue(bool_value=plaintext == b"\x01")
    if kind == 3:
        return AnyValue(int_value=struct.unpack(">q", plaintext)[0])
    if kind == 4:
        return AnyValue(double_value=struct.unpack(">d", plaintext)[0])
    if kind == 5:
        return AnyValue(array_value=ArrayValue.FromString(plaintext))
    if kind == 6:
        return AnyValue(kvlist_value=KeyValueList.FromString(plaintext))
    if kind == JSON:
        return plaintext.decode()
    return AnyValue(bytes_value=plaintext)


if __name__ == "__main__":
    store, key, *rest = sys.argv[1:]
    if len(rest) == 1:
        with open(rest[0], "rb") as file:
            sys.stdout.buffer.write(Decryptor(store, bytes.fromhex(key)).open_file(file.read())[0])
        sys.exit()
    tenant, place, path, *ids = rest
    print(Decryptor(store, bytes.fromhex(key)).open(
        sys.stdin.read().strip(), tenant, int(place), path, *(bytes.fromhex(part) for part in ids[:2]), *ids[2:]))
