"""What commands answer, typed: a model for each document that `--format json` prints, with a meaning and a unit for each key."""
