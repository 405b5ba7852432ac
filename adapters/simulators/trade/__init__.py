"""What customs knows of trades: its own matching, its own tax, its own aggregation; nothing of it is the gateway's."""
