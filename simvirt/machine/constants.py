"""Numbers of the instruction set's specification: modes, causes, registers of control, bits of status and of page tables."""

USER = 0
SUPERVISOR = 1
MACHINE = 3

LEFT = -1  # control has left the blocks: the program counter is in the table of the hart
DUMP = 32  # register that takes what is written to x0

FETCH_MISALIGNED = 0
FETCH_ACCESS = 1
ILLEGAL = 2
BREAKPOINT = 3
LOAD_MISALIGNED = 4
LOAD_ACCESS = 5
STORE_MISALIGNED = 6
STORE_ACCESS = 7
ECALL = 8  # and the mode that calls
FETCH_PAGE = 12
LOAD_PAGE = 13
STORE_PAGE = 15
CAUSES = 64  # exceptions, and as many interrupts behind them

SSTATUS = 0x100
SIE = 0x104
STVEC = 0x105
SCOUNTEREN = 0x106
SEPC = 0x141
SCAUSE = 0x142
STVAL = 0x143
SATP = 0x180
MSTATUS = 0x300
MEDELEG = 0x302
MIDELEG = 0x303
MIE = 0x304
MTVEC = 0x305
MCOUNTEREN = 0x306
MCOUNTINHIBIT = 0x320
MEPC = 0x341
MCAUSE = 0x342
MTVAL = 0x343
MIP = 0x344
MCYCLE = 0xB00
MINSTRET = 0xB02
TIME = 0xC01

STATUS_SIE = 0x2
STATUS_MIE = 0x8
STATUS_SPIE = 0x20
STATUS_MPIE = 0x80
STATUS_SPP = 0x100
STATUS_MPP = 0x1800
STATUS_MPRV = 0x20000
STATUS_SUM = 0x40000
STATUS_MXR = 0x80000
STATUS_TVM = 0x100000
STATUS_TW = 0x200000
STATUS_TSR = 0x400000
SPP_BIT = 8
MPP_BIT = 11

SSIP = 0x2
MSIP = 0x8
STIP = 0x20
MTIP = 0x80
SEIP = 0x200
MEIP = 0x800

PTE_V = 1
PTE_R = 2
PTE_W = 4
PTE_X = 8
PTE_U = 16
PTE_G = 32
PTE_A = 64
PTE_D = 128

READ = 0
WRITE = 1
EXECUTES = 2

ABSENT = 0  # what a register of control is, beside its masks
ORDINARY = 1
STATUS = 2
PENDING = 3
DELEGATED = 4
COUNTER = 5
TRANSLATION = 6

FAST = 256  # pages of each context that are found at once
CONTEXTS = 8
BARE = 0  # contexts: no translation, user, supervisor, supervisor that may touch pages of users
OF_USER = 256
OF_SUPERVISOR = 512
OF_SUPERVISOR_SUM = 768

RUNNING = 0  # why advance() came back
BUDGET = 1
POWER_OFF = 2
RESET = 3
FAILED = 4
IDLE = 5
OUTPUT = 6
