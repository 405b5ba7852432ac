"""What partners, authorities and keys may be called, and what a partner may be."""

import re

NAME = re.compile(r"[a-z0-9_-]{1,32}")
ROLES = ("platform", "merchant", "payment", "logistics", "courier", "agent", "operator", "bank")
