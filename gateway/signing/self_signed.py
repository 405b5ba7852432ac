"""A fresh key with a certificate that vouches for itself, for trying and for partners who ask for none better.

Both kinds carry the same two extensions: not an authority, and digital
signature with non-repudiation as the only use.
"""

import os
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.signing.libcrypto import USER_ID, Context, PrivateKey, ffi, library, must, new_private_key

_NID_KEY_USAGE = 83
_NID_BASIC_CONSTRAINTS = 87
_X509_VERSION_3 = 2
_CONSTRAINTS = x509.BasicConstraints(ca=False, path_length=None)
_USE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _name(subject: str) -> x509.Name:
    """Return the subject; a text without an equals sign is a common name."""
    if "=" not in subject:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    return x509.Name.from_rfc4514_string(subject)


def _serial() -> int:
    """Return eight random bytes that begin like a card's: positive, sixteen hexadecimal digits."""
    return int.from_bytes(os.urandom(8), "big") & 0x7FFF_FFFF_FFFF_FFFF | 0x0100_0000_0000_0000


def new_rsa(subject: str, days: int, now: datetime, bits: int = 2048) -> tuple[bytes, bytes]:
    """Return a fresh RSA key as PEM and its certificate as DER."""
    key = rsa.generate_private_key(65537, bits)
    name = _name(subject)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), _serial(), now, now + timedelta(days=days))
        .add_extension(_CONSTRAINTS, critical=True)
        .add_extension(_USE, critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, certificate.public_bytes(serialization.Encoding.DER)


def new_sm2(subject: str, days: int, now: datetime) -> tuple[bytes, bytes]:
    """Return a fresh SM2 key as PEM and its certificate, signed with SM3 under the usual user id, as DER."""
    key = new_private_key()
    return key.pem(), _sm2_certificate(key, _name(subject).public_bytes(), now, now + timedelta(days=days))


def _sm2_certificate(key: PrivateKey, name_der: bytes, since: datetime, until: datetime) -> bytes:
    lib = library()
    certificate = ffi.gc(must(lib.X509_new(), "certificate"), lib.X509_free)
    must(lib.X509_set_version(certificate, _X509_VERSION_3), "version")
    serial = ffi.gc(must(lib.ASN1_INTEGER_new(), "serial"), lib.ASN1_INTEGER_free)
    must(lib.ASN1_INTEGER_set_uint64(serial, _serial()), "serial")
    must(lib.X509_set_serialNumber(certificate, serial), "serial")
    octets = ffi.from_buffer("unsigned char[]", name_der)
    name = must(lib.d2i_X509_NAME(ffi.NULL, ffi.new("unsigned char **", octets), len(name_der)), "subject")
    name = ffi.gc(name, lib.X509_NAME_free)
    must(lib.X509_set_subject_name(certificate, name), "subject")
    must(lib.X509_set_issuer_name(certificate, name), "issuer")
    for moment, put in ((since, lib.X509_set1_notBefore), (until, lib.X509_set1_notAfter)):
        time = ffi.gc(must(lib.ASN1_TIME_new(), "time"), lib.ASN1_TIME_free)
        must(lib.ASN1_TIME_set_string_X509(time, f"{moment:%Y%m%d%H%M%SZ}".encode()), "time")
        must(put(certificate, time), "time")
    must(lib.X509_set_pubkey(certificate, key.pointer), "public key")
    _extend(certificate)
    context = Context(key.pointer, USER_ID)
    must(lib.EVP_DigestSignInit(context.pointer, ffi.NULL, lib.EVP_sm3(), ffi.NULL, key.pointer), "sign")
    must(lib.X509_sign_ctx(certificate, context.pointer), "sign the certificate")
    length = must(lib.i2d_X509(certificate, ffi.NULL), "write the certificate")
    out = ffi.new("unsigned char[]", length)
    lib.i2d_X509(certificate, ffi.new("unsigned char **", out))
    return bytes(ffi.buffer(out, length))


def _extend(certificate: object) -> None:
    """Give a certificate the two extensions, both critical."""
    lib = library()
    for number, extension in ((_NID_BASIC_CONSTRAINTS, _CONSTRAINTS), (_NID_KEY_USAGE, _USE)):
        value = extension.public_bytes()
        octets = ffi.gc(must(lib.ASN1_OCTET_STRING_new(), "extension"), lib.ASN1_OCTET_STRING_free)
        must(lib.ASN1_OCTET_STRING_set(octets, value, len(value)), "extension")
        made = must(lib.X509_EXTENSION_create_by_NID(ffi.NULL, number, 1, octets), "extension")
        must(lib.X509_add_ext(certificate, ffi.gc(made, lib.X509_EXTENSION_free), -1), "extension")
