"""What a message is: field tables, specs, rules and wordings, and the one reader of each.

Nothing here raises for a bad message: it answers with findings.
"""
