"""SM2 and SM3 by OpenSSL 3's libcrypto, called through cffi; no curve arithmetic here.

`cryptography` and libxmlsec know no SM2.  A signature leaves here as customs
wants it, 64 bytes r and s, made with the user id of GM/T 0009.

**Known limits**: needs libcrypto.so.3 on the machine; private keys are read
from unencrypted PEM only.
"""

import functools
from typing import Any

from cffi import FFI
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from gateway.signing.signer import LibcryptoMissing

USER_ID = b"1234567812345678"

_DECLARATIONS = """
typedef ... EVP_PKEY; typedef ... EVP_PKEY_CTX; typedef ... EVP_MD; typedef ... EVP_MD_CTX;
typedef ... BIO; typedef ... X509; typedef ... X509_NAME; typedef ... X509_EXTENSION;
typedef ... ASN1_INTEGER; typedef ... ASN1_OCTET_STRING; typedef ... ASN1_TIME; typedef ... OSSL_LIB_CTX;
const EVP_MD *EVP_sm3(void);
int EVP_Digest(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, void *);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *);
void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *, EVP_PKEY_CTX *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *, void *);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *);
int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *, const void *, int);
int EVP_DigestSignInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, void *, EVP_PKEY *);
int EVP_DigestSign(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_DigestVerifyInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, void *, EVP_PKEY *);
int EVP_DigestVerify(EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *);
int EVP_PKEY_verify(EVP_PKEY_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);
EVP_PKEY *EVP_PKEY_Q_keygen(OSSL_LIB_CTX *, const char *, const char *, ...);
int EVP_PKEY_is_a(const EVP_PKEY *, const char *);
int EVP_PKEY_eq(const EVP_PKEY *, const EVP_PKEY *);
void EVP_PKEY_free(EVP_PKEY *);
BIO *BIO_new(const void *);
const void *BIO_s_mem(void);
BIO *BIO_new_mem_buf(const void *, int);
long BIO_ctrl(BIO *, int, long, void *);
int BIO_free(BIO *);
EVP_PKEY *PEM_read_bio_PrivateKey(BIO *, EVP_PKEY **, void *, void *);
int PEM_write_bio_PKCS8PrivateKey(BIO *, const EVP_PKEY *, void *, const char *, int, void *, void *);
X509 *X509_new(void);
void X509_free(X509 *);
X509 *d2i_X509(X509 **, const unsigned char **, long);
int i2d_X509(const X509 *, unsigned char **);
EVP_PKEY *X509_get_pubkey(X509 *);
int X509_set_version(X509 *, long);
int X509_set_serialNumber(X509 *, ASN1_INTEGER *);
int X509_set_subject_name(X509 *, const X509_NAME *);
int X509_set_issuer_name(X509 *, const X509_NAME *);
int X509_set_pubkey(X509 *, EVP_PKEY *);
int X509_set1_notBefore(X509 *, const ASN1_TIME *);
int X509_set1_notAfter(X509 *, const ASN1_TIME *);
int X509_add_ext(X509 *, X509_EXTENSION *, int);
int X509_sign_ctx(X509 *, EVP_MD_CTX *);
X509_NAME *d2i_X509_NAME(X509_NAME **, const unsigned char **, long);
void X509_NAME_free(X509_NAME *);
X509_EXTENSION *X509_EXTENSION_create_by_NID(X509_EXTENSION **, int, int, ASN1_OCTET_STRING *);
void X509_EXTENSION_free(X509_EXTENSION *);
ASN1_INTEGER *ASN1_INTEGER_new(void);
int ASN1_INTEGER_set_uint64(ASN1_INTEGER *, uint64_t);
void ASN1_INTEGER_free(ASN1_INTEGER *);
ASN1_OCTET_STRING *ASN1_OCTET_STRING_new(void);
int ASN1_OCTET_STRING_set(ASN1_OCTET_STRING *, const unsigned char *, int);
void ASN1_OCTET_STRING_free(ASN1_OCTET_STRING *);
ASN1_TIME *ASN1_TIME_new(void);
int ASN1_TIME_set_string_X509(ASN1_TIME *, const char *);
void ASN1_TIME_free(ASN1_TIME *);
void ERR_clear_error(void);
"""

_BIO_CTRL_INFO = 3
LIBRARY = "libcrypto.so.3"
ffi = FFI()
ffi.cdef(_DECLARATIONS)


@functools.cache
def library() -> Any:
    """Return the loaded libcrypto; raise `LibcryptoMissing` where there is none."""
    try:
        return ffi.dlopen(LIBRARY)
    except OSError as trouble:
        raise LibcryptoMissing(str(trouble)) from trouble


class Refused(Exception):  # noqa: N818  told to our own callers only
    """libcrypto would not do what it was asked"""


def must(answer: Any, act: str) -> Any:
    """Return answer; raise `Refused` when libcrypto answered NULL, zero or less."""
    if answer == ffi.NULL if isinstance(answer, ffi.CData) else answer <= 0:
        library().ERR_clear_error()
        raise Refused(act)
    return answer


def sm3(octets: bytes) -> bytes:
    """Return the SM3 digest.

    >>> sm3(b"abc").hex()[:16]
    '66c7f0f462eeedd9'
    """
    lib, out, length = library(), ffi.new("unsigned char[32]"), ffi.new("unsigned int *")
    must(lib.EVP_Digest(octets, len(octets), out, length, lib.EVP_sm3(), ffi.NULL), "SM3")
    return bytes(ffi.buffer(out, 32))


def raw(der: bytes) -> bytes:
    """Return r and s as 64 bytes, out of their DER form; `ValueError` when it is no such form."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(signature: bytes) -> bytes:
    """Return the DER form of 64 bytes r and s."""
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


class Context:
    """A digest context bound to one key and one user id; freed on leaving."""

    def __init__(self, key: Any, user_id: bytes = USER_ID) -> None:
        lib = library()
        self.pointer = ffi.gc(must(lib.EVP_MD_CTX_new(), "context"), lib.EVP_MD_CTX_free)
        # EVP_MD_CTX_set_pkey_ctx leaves the key context to us, so it must outlive the digest context.
        self.key_context = ffi.gc(must(lib.EVP_PKEY_CTX_new(key, ffi.NULL), "key context"), lib.EVP_PKEY_CTX_free)
        must(lib.EVP_PKEY_CTX_set1_id(self.key_context, user_id, len(user_id)), "user id")
        lib.EVP_MD_CTX_set_pkey_ctx(self.pointer, self.key_context)


class PublicKey:
    """The SM2 key of a certificate."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def verify(self, signature: bytes, octets: bytes, user_id: bytes = USER_ID) -> bool:
        """Return whether the 64 bytes are this key's signature of octets under the user id."""
        if len(signature) != 64:
            return False
        lib, context, form = library(), Context(self._key, user_id), der(signature)
        must(lib.EVP_DigestVerifyInit(context.pointer, ffi.NULL, lib.EVP_sm3(), ffi.NULL, self._key), "verify")
        good: bool = lib.EVP_DigestVerify(context.pointer, form, len(form), octets, len(octets)) == 1
        lib.ERR_clear_error()
        return good

    def verify_digest(self, signature: bytes, digest: bytes) -> bool:
        """Return whether the 64 bytes sign a bare digest, as signers do that know no user id."""
        if len(signature) != 64:
            return False
        lib, form = library(), der(signature)
        context = ffi.gc(must(lib.EVP_PKEY_CTX_new(self._key, ffi.NULL), "context"), lib.EVP_PKEY_CTX_free)
        must(lib.EVP_PKEY_verify_init(context), "verify")
        good: bool = lib.EVP_PKEY_verify(context, form, len(form), digest, len(digest)) == 1
        lib.ERR_clear_error()
        return good


class PrivateKey:
    """An SM2 private key inside libcrypto; its number never becomes Python's."""

    def __init__(self, key: Any) -> None:
        if not library().EVP_PKEY_is_a(key, b"SM2"):
            raise Refused("not an SM2 key")
        self._key = key

    @property
    def pointer(self) -> Any:
        """The EVP_PKEY, for libcrypto's own use."""
        return self._key

    def sign(self, octets: bytes) -> bytes:
        """Return r and s, 64 bytes, over octets under the usual user id."""
        lib, context = library(), Context(self._key)
        out, length = ffi.new("unsigned char[80]"), ffi.new("size_t *", 80)
        must(lib.EVP_DigestSignInit(context.pointer, ffi.NULL, lib.EVP_sm3(), ffi.NULL, self._key), "sign")
        must(lib.EVP_DigestSign(context.pointer, out, length, octets, len(octets)), "sign")
        return raw(bytes(ffi.buffer(out, length[0])))

    def fits(self, public: PublicKey) -> bool:
        """Return whether both keys are one pair."""
        return bool(library().EVP_PKEY_eq(self._key, public._key) == 1)  # noqa: SLF001  two halves of one thing

    def pem(self) -> bytes:
        """Return the key as unencrypted PKCS#8 PEM, for the key folder only."""
        lib = library()
        out = ffi.gc(must(lib.BIO_new(lib.BIO_s_mem()), "buffer"), lib.BIO_free)
        must(
            lib.PEM_write_bio_PKCS8PrivateKey(out, self._key, ffi.NULL, ffi.NULL, 0, ffi.NULL, ffi.NULL),
            "write the key",
        )
        place = ffi.new("char **")
        length = lib.BIO_ctrl(out, _BIO_CTRL_INFO, 0, place)
        return bytes(ffi.buffer(place[0], length))


def new_private_key() -> PrivateKey:
    """Return a fresh SM2 key."""
    lib = library()
    return PrivateKey(ffi.gc(must(lib.EVP_PKEY_Q_keygen(ffi.NULL, ffi.NULL, b"SM2"), "make a key"), lib.EVP_PKEY_free))


def private_key(pem: bytes) -> PrivateKey:
    """Return the SM2 key of an unencrypted PEM text; raise `Refused` when it is none."""
    lib = library()
    source = ffi.gc(must(lib.BIO_new_mem_buf(pem, len(pem)), "buffer"), lib.BIO_free)
    # An empty pass phrase: with none at all libcrypto would ask for one on the terminal.
    no_phrase = ffi.new("char[]", b"")
    key = must(lib.PEM_read_bio_PrivateKey(source, ffi.NULL, ffi.NULL, no_phrase), "read the key")
    return PrivateKey(ffi.gc(key, lib.EVP_PKEY_free))


@functools.lru_cache(maxsize=1024)
def public_key(certificate: bytes) -> PublicKey | None:
    """Return the SM2 key of a DER certificate, or None when it holds none."""
    lib = library()
    octets = ffi.from_buffer("unsigned char[]", certificate)
    parsed = lib.d2i_X509(ffi.NULL, ffi.new("unsigned char **", octets), len(certificate))
    if parsed == ffi.NULL:
        lib.ERR_clear_error()
        return None
    parsed = ffi.gc(parsed, lib.X509_free)
    key = lib.X509_get_pubkey(parsed)
    if key == ffi.NULL:
        lib.ERR_clear_error()
        return None
    key = ffi.gc(key, lib.EVP_PKEY_free)
    return PublicKey(key) if lib.EVP_PKEY_is_a(key, b"SM2") else None
