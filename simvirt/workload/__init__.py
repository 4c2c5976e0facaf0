"""What arrives and what it draws: arrivals, classes and demands come in blocks from independent random streams."""
