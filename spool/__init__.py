"""The spool: what is durable.

Numbers, states, evidence, mailboxes and the ledger.  Nothing here knows a
network, XML or what an order is.
"""
