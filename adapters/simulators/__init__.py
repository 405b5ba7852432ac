"""Authorities in a box: each is its own process and shares nothing with the gateway but the message specs."""
