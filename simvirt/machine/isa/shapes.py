"""Shapes of instructions: what the function of an instruction is given, and what becomes of its result (`steps.py`)."""

REGISTER = 0  # of two registers, into a third
IMMEDIATE = 1  # of a register and an immediate
LOAD = 2
BRANCH = 3  # whether to jump
STORE = 4
UPPER = 5  # the immediate is the result
UPPER_PC = 6
JUMP = 7
JUMP_REGISTER = 8
AMO = 9  # of a place in memory and a register
LINKED = 10
SYSTEM = 11  # all by itself: the row to go on with
NOTHING = 12
GO_ON = 13  # the end of a block that no instruction ends
