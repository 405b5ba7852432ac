"""Desks: pure decisions about a case.  A journey names them in order."""
