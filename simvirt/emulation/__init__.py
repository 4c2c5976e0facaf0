"""The emulation view: real guests on an emulated machine, and what virtualizing them does, counted."""
