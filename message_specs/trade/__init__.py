"""The law of a trade as data: what its documents need to know of one another, and what must agree."""
