"""Adapters: doors, carriers and the dialects of authorities; the only place that touches a network."""
