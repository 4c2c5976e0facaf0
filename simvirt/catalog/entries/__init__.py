"""The entries of the catalogue as written in YAML."""
