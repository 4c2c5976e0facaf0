"""Live migration as pure functions: what is sent when, and how long a guest stands still; no clock and no network of its own."""
