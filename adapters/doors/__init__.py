"""Doors: code by which bytes come in."""
