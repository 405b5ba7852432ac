"""Customs' own opinion of an upload of payment data, reached without a line of the gateway's code.

The text is read with positions, so that what was signed is compared as it was written: order and names of all fields,
no white space, no escaped slash, the required values, the certificate of the platform, and the signature.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapters.simulators.verify import NotBelieved, sm2_holds, validity

_TOP: Final = ("sessionID", "payExchangeInfoHead", "payExchangeInfoLists", "serviceTime", "certNo", "signValue")
_HEAD: Final = (
    ("guid", 36, True), ("initalRequest", 8000, True), ("initalResponse", 8000, True), ("ebpCode", 18, True),
    ("payCode", 18, True), ("payTransactionId", 60, True), ("totalAmount", 0, True), ("currency", 4, True),
    ("verDept", 1, True), ("payType", 1, False), ("tradingTime", 14, True), ("note", 1000, False),
)  # fmt: skip
_LIST: Final = (
    ("orderNo", 60, True), ("goodsInfo", 0, True), ("recpAccount", 60, True), ("recpCode", 18, False),
    ("recpName", 100, True),
)  # fmt: skip
_GOODS: Final = (("gname", 250, True), ("itemLink", 3000, True))
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_GUID: Final = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_MOMENT: Final = re.compile(r"20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d")
Fields = tuple[tuple[str, int, bool], ...]


def believe(body: bytes, kind: str, certificates: Mapping[str, Sequence[bytes]], at: datetime) -> dict[str, Any]:
    """Return the upload if all of it holds, else raise `NotBelieved`; certificates (DER) are by platform code."""
    if kind != "application/x-www-form-urlencoded":
        raise NotBelieved("Content-Type")
    text = _text(body)
    raw = _parts(text)
    told: dict[str, Any] = json.loads(text, parse_float=Decimal)
    empty = [f"{name} : {name}不为空; " for name in ("certNo", "signValue") if not told[name]]
    if empty:
        raise NotBelieved("".join(empty).strip())
    _is_compact(text)
    head, lists = told["payExchangeInfoHead"], told["payExchangeInfoLists"]
    _judge_head(head)
    if not isinstance(lists, list) or not lists:
        raise NotBelieved("payExchangeInfoLists : 不为空")
    for one in lists:
        _judge_fields(one, _LIST, "payExchangeInfoLists")
        if not isinstance(one["goodsInfo"], list) or not one["goodsInfo"]:
            raise NotBelieved("goodsInfo : 不为空")
        for goods in one["goodsInfo"]:
            _judge_fields(goods, _GOODS, "goodsInfo")
    octets = _signed(told["sessionID"], raw["payExchangeInfoHead"], raw["payExchangeInfoLists"], told["serviceTime"])
    _verify(octets, told["certNo"], told["signValue"], certificates.get(head["ebpCode"], ()), at)
    return told


def _text(body: bytes) -> str:
    fields = parse_qsl(body.decode("ascii", "strict"), keep_blank_values=True, strict_parsing=True)
    if [name for name, _ in fields] != ["payExInfoStr"]:
        raise NotBelieved("表单应只有 payExInfoStr 一个字段")
    return fields[0][1]


def _parts(text: str) -> dict[str, str]:
    """Return the text of each value of the object, as it stands; its names must stand in their order."""
    decoder = json.JSONDecoder()
    found: dict[str, str] = {}
    place = 1
    if not text.startswith("{") or not text.endswith("}"):
        raise NotBelieved("payExInfoStr 不是 JSON 对象")
    for name in _TOP:
        opening = f'"{name}":'
        if not text.startswith(opening, place):
            raise NotBelieved(f"字段次序不对：此处应为 {name}")
        try:
            _, end = decoder.raw_decode(text, place + len(opening))
        except ValueError as error:
            raise NotBelieved(f"{name} 不是 JSON") from error
        found[name] = text[place + len(opening) : end]
        if text[end : end + 1] != ("}" if name == _TOP[-1] else ","):
            raise NotBelieved(f"{name} 之后不应有 {text[end : end + 1]}")
        place = end + 1
    if place != len(text):
        raise NotBelieved("JSON 之后还有内容")
    return found


def _is_compact(text: str) -> None:
    if re.search(r"\s", _STRING.sub('""', text)):
        raise NotBelieved("JSON 中夹有空白")
    if r"\/" in text or re.search(r"\\u[0-9a-fA-F]{4}", text.replace(r"\\", "")):
        raise NotBelieved("JSON 中有不应有的转义")


def _judge_head(head: object) -> None:
    _judge_fields(head, _HEAD, "payExchangeInfoHead")
    assert isinstance(head, dict)
    if not _GUID.fullmatch(head["guid"]):
        raise NotBelieved("guid : 不是大写的 UUID")
    if head["verDept"] not in ("1", "2", "3") or head.get("payType", "1") not in ("1", "2", "3", "4"):
        raise NotBelieved("verDept, payType : 代码不对")
    if head["currency"] not in ("142", "502") or not _MOMENT.fullmatch(head["tradingTime"]):
        raise NotBelieved("currency, tradingTime : 值不对")


def _judge_fields(values: object, fields: Fields, where: str) -> None:
    if not isinstance(values, dict):
        raise NotBelieved(f"{where} : 不是对象")
    wanted = [name for name, _, required in fields if required or name in values]
    if list(values) != wanted:
        raise NotBelieved(f"{where} : 字段或次序不对 {list(values)}")
    for name, most, required in fields:
        value = values.get(name)
        if name == "totalAmount":
            if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
                raise NotBelieved(f"{name} : 不是金额")
        elif most and value is not None and (not isinstance(value, str) or len(value) > most):
            raise NotBelieved(f"{name} : 过长或不是文字")
        if required and value in ("", None):
            raise NotBelieved(f"{name} : {name}不为空;")


def _signed(session: str, head: str, lists: str, moment: str | int) -> bytes:
    pieces = {"sessionID": session, "payExchangeInfoHead": head, "payExchangeInfoLists": lists, "serviceTime": moment}
    return "||".join(f'"{name}":"{value}"' for name, value in pieces.items()).encode("utf-8")


def _verify(octets: bytes, number: str, value: str, certificates: Sequence[bytes], at: datetime) -> None:
    try:
        signature = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBelieved("signValue 不是 base64") from error
    der = next((one for one in certificates if _serial(one) == number), None)
    if der is None:
        raise NotBelieved(f"certNo {number} 不是该平台备案的证书")
    since, until = validity(der)
    if not since <= at <= until:
        raise NotBelieved("证书不在有效期内")
    if not (_rsa_holds(octets, signature, der) if _is_rsa(der) else sm2_holds(octets, signature, der)):
        raise NotBelieved("签名值与证书不符")


def _serial(der: bytes) -> str:
    digits = f"{x509.load_der_x509_certificate(der).serial_number:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _is_rsa(der: bytes) -> bool:
    return x509.load_der_x509_certificate(der).public_key_algorithm_oid == x509.PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5


def _rsa_holds(octets: bytes, signature: bytes, der: bytes) -> bool:
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(signature, octets, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  the notice's own digest
    except InvalidSignature:
        return False
    return True
