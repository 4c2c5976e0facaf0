# Each sensitive instruction, tried by a program without privileges: Popek and Goldberg ask that all of them trap.
.mode supervisor
.include supervisor

start:
    la sp, stack_end
    la t0, trap
    csrw stvec, t0
    csrw scounteren, zero       # a clock and counters of one's own are sensitive too
    la a0, tries
    call own_program
    mv s0, a0
    csrw satp, s0
    sfence.vma
    la s1, names
    li s2, USERS
    li s3, 0                    # tried
    li s4, 0                    # of which have trapped
    la s5, tries_end
    la t0, tries
    sub s5, s5, t0
    add s5, s5, s2
next:
    beq s2, s5, over
    li t0, 0x100
    csrc sstatus, t0
    csrw sepc, s2
    sret                        # to the instruction, behind which is a call

.align 2
trap:
    csrr s6, scause
    csrr s7, sepc
    mv a0, s1
    call say
    li t0, 8
    la a0, passes
    beq s6, t0, told
    addi s4, s4, 1
    la a0, traps
told:
    call say
    addi s3, s3, 1
    addi s2, s2, 8
find_end:                       # the next name
    lbu t0, 0(s1)
    addi s1, s1, 1
    bnez t0, find_end
    j next

over:
    mv a0, s3
    call say_number
    la a0, of_which
    call say
    mv a0, s4
    call say_number
    la a0, have_trapped
    call say
    j power_off

traps:
    .asciz "traps\n"
passes:
    .asciz "does not trap\n"
of_which:
    .asciz " tried, "
have_trapped:
    .asciz " trapped\n"
names:
    .asciz "csrr sstatus      "
    .asciz "csrw sstatus      "
    .asciz "csrr sie          "
    .asciz "csrr stvec        "
    .asciz "csrr scounteren   "
    .asciz "csrr sscratch     "
    .asciz "csrr sepc         "
    .asciz "csrr scause       "
    .asciz "csrr stval        "
    .asciz "csrr sip          "
    .asciz "csrr satp         "
    .asciz "csrw satp         "
    .asciz "csrr hstatus      "
    .asciz "csrr hgatp        "
    .asciz "csrr vsstatus     "
    .asciz "csrr mstatus      "
    .asciz "csrr misa         "
    .asciz "csrr mie          "
    .asciz "csrr mip          "
    .asciz "csrr mhartid      "
    .asciz "csrr cycle        "
    .asciz "csrr time         "
    .asciz "csrr instret      "
    .asciz "sret              "
    .asciz "mret              "
    .asciz "wfi               "
    .asciz "sfence.vma        "
    .asciz "hfence.vvma       "
    .asciz "hfence.gvma       "
    .asciz "hlv.d             "
    .asciz "hsv.d             "
    .asciz "add (insensitive) "

.include tables
    .space 512
stack_end:
.align 12
tries:
    csrr t0, sstatus
    ecall
    csrw sstatus, t0
    ecall
    csrr t0, sie
    ecall
    csrr t0, stvec
    ecall
    csrr t0, scounteren
    ecall
    csrr t0, sscratch
    ecall
    csrr t0, sepc
    ecall
    csrr t0, scause
    ecall
    csrr t0, stval
    ecall
    csrr t0, sip
    ecall
    csrr t0, satp
    ecall
    csrw satp, t0
    ecall
    csrr t0, hstatus
    ecall
    csrr t0, hgatp
    ecall
    csrr t0, vsstatus
    ecall
    csrr t0, mstatus
    ecall
    csrr t0, misa
    ecall
    csrr t0, mie
    ecall
    csrr t0, mip
    ecall
    csrr t0, mhartid
    ecall
    csrr t0, cycle
    ecall
    csrr t0, time
    ecall
    csrr t0, instret
    ecall
    sret
    ecall
    mret
    ecall
    wfi
    ecall
    sfence.vma
    ecall
    hfence.vvma zero, zero
    ecall
    hfence.gvma zero, zero
    ecall
    hlv.d t0, (t1)
    ecall
    hsv.d t0, (t1)
    ecall
    add t0, t0, t0
    ecall
tries_end:
