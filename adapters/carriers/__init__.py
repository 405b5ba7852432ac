"""Carriers: the ways by which bytes leave for an authority."""
