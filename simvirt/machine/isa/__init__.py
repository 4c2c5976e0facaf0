"""The instruction set: one function an instruction, marked with its syntax and its encoding."""
