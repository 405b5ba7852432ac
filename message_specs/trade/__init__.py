"""The law of a trade as data: what its documents owe one another, what it is taxed, and until when.

Pure: nothing here reads anything but the tables beside it, and nothing raises for a bad document.
"""
