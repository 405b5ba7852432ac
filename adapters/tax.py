"""The dialect of a tax office as we read it: a declaration lies bare in its folder, and so does its verdict.

No envelope and no signature: neither form is published, and what a real office asks for is to be agreed with it.

**Known limits.** One declaration a file is what our packing is set to; the offline client's own files are unknown.
"""


def wrap(body: bytes) -> bytes:
    """Return the bytes as they leave: those that were sealed.

    >>> wrap(b"<a/>")
    b'<a/>'
    """
    return body
