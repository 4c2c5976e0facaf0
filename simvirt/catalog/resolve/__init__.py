"""From entries and a scenario's words to records in internal units."""
