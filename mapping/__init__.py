"""From the partners' shapes to ours and back: maps, sheets, verbs."""
