"""What is declared to the tax office, and the law by which it is reckoned: tables, and the one reader of each."""
