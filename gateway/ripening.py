"""Ripening: by what the closed lists of a consignor are found by an application for a period."""

from datetime import date

from message_specs.trade.marking import mark_of


def ripe_mark(consignor: str, closed_on: date) -> int:
    """Return by what the lists of a consignor that were closed in a month are found by an application for a period."""
    return mark_of("ripe", consignor, f"{closed_on:%Y%m}")
