"""What a scenario asks of each resource, and the closed forms of queueing theory, without simulating anything."""
