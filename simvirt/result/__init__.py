"""What commands answer: a model of each document that `--format json` prints, with a meaning and a unit for each key."""
