"""The gateway: the house itself, which decides what happens to a document and writes it down."""
