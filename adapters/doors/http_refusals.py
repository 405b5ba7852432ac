"""Everything the HTTP door says instead of doing what was asked, in both languages.

The code of a refusal is H and its status.  The outside hears this and nothing
else: no traceback, no path, no name of another sender.
"""

from dataclasses import dataclass, replace

import msgspec


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer that is not what was asked for: status, sentence, and headers that belong to it."""

    status: int
    reason: str
    zh: str
    en: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def code(self) -> str:
        """Return the code that programs compare.

        >>> TOO_BIG.code
        'H413'
        """
        return f"H{self.status}"

    def naming(self, about: str, **headers: str) -> "Refusal":
        """Return this refusal naming the thing it is about.

        >>> NOT_UNDERSTOOD.naming("limit").en
        'The request was not understood: limit'
        """
        more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        words = {} if not about else {"zh": f"{self.zh}：{about}", "en": f"{self.en}: {about}"}
        return replace(self, **words, headers=self.headers + more)  # type: ignore[arg-type]

    def body(self) -> bytes:
        """Return the JSON a caller reads.

        >>> NO_SUCH.body().decode()
        '{"code":"H404","zh":"没有这样的编号或地址","en":"There is no such number or address"}'
        """
        return msgspec.json.encode({"code": self.code, "zh": self.zh, "en": self.en})


_SOON = (("Retry-After", "1"),)

NOT_UNDERSTOOD = Refusal(400, "Bad Request", "请求无法理解", "The request was not understood")
WHO_ARE_YOU = Refusal(
    401,
    "Unauthorized",
    "缺少令牌或令牌无效",
    "The bearer token is missing or unknown",
    (("WWW-Authenticate", 'Bearer realm="kouan"'),),
)
MAY_NOT = Refusal(403, "Forbidden", "该伙伴已停用，不能交换", "This partner is suspended")
NOT_ADMITTED = Refusal(403, "Forbidden", "此调用方不在允许之列", "This caller is not admitted here")
NO_SUCH = Refusal(404, "Not Found", "没有这样的编号或地址", "There is no such number or address")
WRONG_VERB = Refusal(405, "Method Not Allowed", "此地址不支持该方法", "This address does not know this method")
TOO_SLOW = Refusal(408, "Request Timeout", "请求传输过慢，已断开", "The request came too slowly and was cut off")
OTHER_BYTES = Refusal(
    409,
    "Conflict",
    "同一 Idempotency-Key 曾提交过不同内容",
    "This Idempotency-Key came before with other bytes",
)
NO_LENGTH = Refusal(
    411,
    "Length Required",
    "缺少 Content-Length 或分块传输",
    "A body needs Content-Length or chunked transfer",
)
TOO_BIG = Refusal(413, "Content Too Large", "报文超过允许的大小", "The body is larger than allowed")
WRONG_KIND = Refusal(
    415,
    "Unsupported Media Type",
    "只接受未压缩的 XML 或表格",
    "Only XML or a table, without content encoding, is taken",
)
TOO_MANY = Refusal(
    429,
    "Too Many Requests",
    "同时等待回执的请求过多",
    "Too many requests of this sender wait for receipts",
    _SOON,
)
HEADERS_TOO_BIG = Refusal(431, "Request Header Fields Too Large", "请求头过大", "The request headers are too large")
OUR_MISTAKE = Refusal(
    500,
    "Internal Server Error",
    "系统内部出错，已记录；请用同一 Idempotency-Key 重发",
    "Kouan made a mistake and logged it; send again with the same Idempotency-Key",
)
BUSY = Refusal(503, "Service Unavailable", "系统繁忙，请稍后重发", "There is no room now; send again soon", _SOON)
DISK_FULL = Refusal(
    507,
    "Insufficient Storage",
    "磁盘空间不足，暂停接收",
    "Intake has stopped because the disk is nearly full",
    (("Retry-After", "60"),),
)

REFUSALS = (
    NOT_UNDERSTOOD,
    WHO_ARE_YOU,
    MAY_NOT,
    NOT_ADMITTED,
    NO_SUCH,
    WRONG_VERB,
    TOO_SLOW,
    OTHER_BYTES,
    NO_LENGTH,
    TOO_BIG,
    WRONG_KIND,
    TOO_MANY,
    HEADERS_TOO_BIG,
    OUR_MISTAKE,
    BUSY,
    DISK_FULL,
)
