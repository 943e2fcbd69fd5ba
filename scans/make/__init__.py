"""Makes invented town hall paper, wears it, scans it and writes down the truth about it."""
