"""What can only be checked when all parts of a scenario are there."""
