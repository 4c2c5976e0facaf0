"""Orchestrators: each a plain function from what is wanted and what is there to what is to be done next."""
