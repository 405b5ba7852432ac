"""The lines of a paper as the ledger keeps them: packed, and read only when somebody asks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, overload

import msgspec

Texts: TypeAlias = Mapping[str, str]
_decode_lines = msgspec.msgpack.Decoder(tuple[dict[str, str], ...]).decode


class Lines(Sequence[Texts]):
    """The lines of a paper as they were packed; they are read when somebody asks, for most papers nobody does."""

    __slots__ = ("_lines", "_packed")

    def __init__(self, packed: msgspec.Raw) -> None:
        """The lines are these, unread."""
        self._packed = packed
        self._lines: tuple[Texts, ...] | None = None

    def _read(self) -> tuple[Texts, ...]:
        if self._lines is None:
            self._lines = _decode_lines(self._packed)
        return self._lines

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._read())

    @overload
    def __getitem__(self, at: int) -> Texts: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Texts, ...]: ...
    def __getitem__(self, at: int | slice) -> Texts | tuple[Texts, ...]:
        """One line, or some of them."""
        return self._read()[at]

    def __iter__(self) -> Iterator[Texts]:
        """Yield every line."""
        return iter(self._read())

    def __eq__(self, other: object) -> bool:
        """Whether these are the same lines."""
        return isinstance(other, Sequence) and self._read() == tuple(other)

    def __hash__(self) -> int:
        """A hash that equal lines share."""
        return len(self)

    def __repr__(self) -> str:
        """The lines as they read."""
        return repr(self._read())
