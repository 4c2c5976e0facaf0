"""A debugger for teaching: one instruction at a time, forwards and backwards, with walks of page tables drawn entry by entry."""
