"""The door's refusals: an SFTP status code and one sentence in Chinese and English each.

A client that shows the text (paramiko, lftp, WinSCP) tells its user what to do;
OpenSSH shows only the code's own word.
"""

import errno
from typing import Final

from twisted.conch.ssh.filetransfer import (
    FX_BAD_MESSAGE,
    FX_EOF,
    FX_FAILURE,
    FX_NO_SUCH_FILE,
    FX_OP_UNSUPPORTED,
    FX_PERMISSION_DENIED,
)

_SENTENCES: Final[dict[str, tuple[int, str, str]]] = {
    "append": (
        FX_FAILURE,
        "该文件已送达,不能续写,请整份重传",
        "this file is delivered and takes no more; send it whole again",
    ),
    "broken": (FX_FAILURE, "本次上传已失败,请重传", "this upload has failed; send it again"),
    "busy": (FX_FAILURE, "文件仍在写入,关闭后再改名", "the file is still being written; rename it after closing it"),
    "delivered": (
        FX_PERMISSION_DENIED,
        "已送达的文件不能收回或改名",
        "a delivered file cannot be taken back or renamed",
    ),
    "directory": (FX_FAILURE, "这是文件夹", "this is a folder"),
    "disk": (
        FX_FAILURE,
        "平台磁盘空间不足,请稍后再传",
        "the gateway's disk is nearly full; nothing is taken until there is room",
    ),
    "exists": (FX_FAILURE, "已经存在", "it is already there"),
    "fixed": (
        FX_PERMISSION_DENIED,
        "只有 /in /out /refused 三个文件夹,不能新建或删除",
        "there are only /in, /out and /refused; no folder can be made or removed",
    ),
    "handles": (FX_FAILURE, "打开的文件过多", "too many files are open in this session"),
    "links": (FX_OP_UNSUPPORTED, "不支持链接", "there are no links here"),
    "long": (FX_FAILURE, "文件名超过 200 字节", "the name is longer than 200 bytes"),
    "message": (FX_BAD_MESSAGE, "请求无法解读", "the request cannot be read"),
    "missing": (FX_NO_SUCH_FILE, "没有这个文件", "there is no such file"),
    "name": (
        FX_FAILURE,
        "文件名须为 UTF-8,且不含控制字符",
        "a name must be UTF-8 and without control characters",
    ),
    "ours": (FX_FAILURE, "平台内部错误,已记录", "the gateway itself is wrong here; it is in its log"),
    "quota_bytes": (
        FX_FAILURE,
        "信箱容量已满,请等待已送文件被接收",
        "your mailbox is full (bytes); wait until what you sent is taken in",
    ),
    "quota_files": (
        FX_FAILURE,
        "信箱文件数已满,请等待已送文件被接收",
        "your mailbox is full (files); wait until what you sent is taken in",
    ),
    "read_in": (FX_PERMISSION_DENIED, "/in 只能写入", "/in can be written, not read"),
    "read_only": (FX_PERMISSION_DENIED, "只能写入 /in", "only /in can be written"),
    "rename": (
        FX_PERMISSION_DENIED,
        "只能在 /in 中把临时名改为正式名",
        "only a temporary name in /in can be renamed, and only within /in",
    ),
    "unsupported": (FX_OP_UNSUPPORTED, "不支持此操作", "this operation is not offered"),
    "writing": (FX_PERMISSION_DENIED, "该账号不可上传", "this account may not write"),
}
_ERRORS: Final = {
    errno.ENOENT: "missing",
    errno.ELOOP: "missing",
    errno.EISDIR: "directory",
    errno.EEXIST: "exists",
    errno.ENOSPC: "disk",
    errno.EDQUOT: "disk",
    errno.ENAMETOOLONG: "long",
}


class Refused(Exception):  # noqa: N818  it is an answer, not an error of ours
    """The door does not do what the client asked; `code` and `text` are what he is told."""

    def __init__(self, reason: str) -> None:
        """The refusal carries the sentence of `reason`.

        >>> Refused("directory").text
        '这是文件夹; this is a folder'
        """
        super().__init__(reason)
        self.reason = reason
        self.code, zh, en = _SENTENCES[reason]
        self.text = f"{zh}; {en}"


def status(trouble: BaseException) -> tuple[int, str]:
    """Return the SFTP code and text of a trouble; what nobody foresaw is a plain failure.

    >>> status(FileNotFoundError(2, "x"))[0] == FX_NO_SUCH_FILE, status(EOFError())[0] == FX_EOF
    (True, True)
    """
    if isinstance(trouble, EOFError):
        return FX_EOF, "end of file"
    if isinstance(trouble, Refused):
        return trouble.code, trouble.text
    known = _ERRORS.get(trouble.errno or 0, "ours") if isinstance(trouble, OSError) else "ours"
    answer = Refused(known)
    return answer.code, answer.text


def is_ours(trouble: BaseException) -> bool:
    """Tell whether a trouble is one the operator should read about."""
    if isinstance(trouble, (Refused, EOFError)):
        return False
    return not (isinstance(trouble, OSError) and trouble.errno in _ERRORS and trouble.errno != errno.ENOSPC)
