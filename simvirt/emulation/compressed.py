"""The compressed instructions (C): each is a short form of another one."""

from typing import NamedTuple


class Compressed(NamedTuple):
    """A short form: the instruction that it stands for, and the registers that it does not name."""

    syntax: str
    pattern: str
    base: str
    fixed: dict[str, int]


def short(syntax: str, pattern: str, base: str, **fixed: int) -> Compressed:
    """A row of the list."""
    return Compressed(syntax, pattern, base, fixed)


COMPRESSED = (
    short("c.addi4spn rd, imm", "000 nzuimm[5:4|9:6|2|3] rd' 00", "addi", rs1=2),
    short("c.lw rd, imm(rs1)", "010 uimm[5:3] rs1' uimm[2|6] rd' 00", "lw"),
    short("c.ld rd, imm(rs1)", "011 uimm[5:3] rs1' uimm[7:6] rd' 00", "ld"),
    short("c.sw rs2, imm(rs1)", "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", "sw"),
    short("c.sd rs2, imm(rs1)", "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", "sd"),
    short("c.nop imm", "000 imm[5] 00000 imm[4:0] 01", "addi", rd=0, rs1=0),
    short("c.addi rd, imm", "000 imm[5] rd/rs1!0 imm[4:0] 01", "addi"),
    short("c.addiw rd, imm", "001 imm[5] rd/rs1!0 imm[4:0] 01", "addiw"),
    short("c.li rd, imm", "010 imm[5] rd imm[4:0] 01", "addi", rs1=0),
    short("c.addi16sp imm", "011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01", "addi", rd=2, rs1=2),
    short("c.lui rd, upper", "011 nzimm[17] rd nzimm[16:12] 01", "lui"),
    short("c.srli rd, imm", "100 uimm[5] 00 rd'/rs1' uimm[4:0] 01", "srli"),
    short("c.srai rd, imm", "100 uimm[5] 01 rd'/rs1' uimm[4:0] 01", "srai"),
    short("c.andi rd, imm", "100 imm[5] 10 rd'/rs1' imm[4:0] 01", "andi"),
    short("c.sub rd, rs2", "100 0 11 rd'/rs1' 00 rs2' 01", "sub"),
    short("c.xor rd, rs2", "100 0 11 rd'/rs1' 01 rs2' 01", "xor"),
    short("c.or rd, rs2", "100 0 11 rd'/rs1' 10 rs2' 01", "or"),
    short("c.and rd, rs2", "100 0 11 rd'/rs1' 11 rs2' 01", "and"),
    short("c.subw rd, rs2", "100 1 11 rd'/rs1' 00 rs2' 01", "subw"),
    short("c.addw rd, rs2", "100 1 11 rd'/rs1' 01 rs2' 01", "addw"),
    short("c.j target", "101 imm[11|4|9:8|10|6|7|3:1|5] 01", "jal", rd=0),
    short("c.beqz rs1, target", "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "beq", rs2=0),
    short("c.bnez rs1, target", "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "bne", rs2=0),
    short("c.slli rd, imm", "000 uimm[5] rd/rs1 uimm[4:0] 10", "slli"),
    short("c.lwsp rd, imm(sp)", "010 uimm[5] rd!0 uimm[4:2|7:6] 10", "lw", rs1=2),
    short("c.ldsp rd, imm(sp)", "011 uimm[5] rd!0 uimm[4:3|8:6] 10", "ld", rs1=2),
    short("c.jr rs1", "100 0 rs1!0 00000 10", "jalr", rd=0),
    short("c.mv rd, rs2", "100 0 rd rs2!0 10", "add", rs1=0),
    short("c.ebreak", "100 1 00000 00000 10", "ebreak"),
    short("c.jalr rs1", "100 1 rs1!0 00000 10", "jalr", rd=1),
    short("c.add rd, rs2", "100 1 rd/rs1 rs2!0 10", "add"),
    short("c.swsp rs2, imm(sp)", "110 uimm[5:2|7:6] rs2 10", "sw", rs1=2),
    short("c.sdsp rs2, imm(sp)", "111 uimm[5:3|8:6] rs2 10", "sd", rs1=2),
)
