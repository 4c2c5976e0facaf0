# A first guest: machine mode sets up a supervisor with paging, the supervisor runs a program that calls it, a timer interrupts.
.equ UART, 0x10000000
.equ CLINT, 0x2000000
.equ FINISHER, 0x100000
.equ PASS, 0x5555
.equ FAIL, 0x13333
.equ PERIOD, 10000
.equ TICKS, 3
.equ CALLS, 10

start:
    la sp, stack_end
    la t0, machine_trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x100                # calls of the program go to the supervisor
    csrw medeleg, t0
    li t0, 0x222                # and its own interrupts
    csrw mideleg, t0
    li t0, 0x80                 # the timer stays here
    csrw mie, t0
    la a0, hello_machine
    call print
    call arm
    li t0, 0x1800
    csrc mstatus, t0
    li t0, 0x800
    csrs mstatus, t0
    la t0, supervisor
    csrw mepc, t0
    mret

# The timer: counted, handed on to the supervisor as its own interrupt, and armed again.
machine_trap:
    csrw mscratch, sp
    la sp, machine_stack
    sd t0, 0(sp)
    sd t1, 8(sp)
    sd t2, 16(sp)
    csrr t0, mcause
    bgez t0, fail
    li t0, CLINT
    li t2, 0xbff8
    add t2, t0, t2
    ld t1, 0(t2)
    li t2, PERIOD
    add t1, t1, t2
    li t2, 0x4000
    add t0, t0, t2
    sd t1, 0(t0)
    csrsi mip, 2
    ld t0, 0(sp)
    ld t1, 8(sp)
    ld t2, 16(sp)
    csrr sp, mscratch
    mret

arm:
    li t0, CLINT
    li t1, 0xbff8
    add t1, t0, t1
    ld t1, 0(t1)
    li t2, PERIOD
    add t1, t1, t2
    li t2, 0x4000
    add t0, t0, t2
    sd t1, 0(t0)
    ret

fail:
    li t0, FINISHER
    li t1, FAIL
    sw t1, 0(t0)
    j fail

# The supervisor maps the first four gibibytes onto themselves, the third for the program too at another address.
supervisor:
    la t0, supervisor_trap
    csrw stvec, t0
    la t0, root
    li t1, 0xcf                 # devices
    sd t1, 0(t0)
    li t1, 0x200000cf           # memory
    sd t1, 16(t0)
    la t1, middle
    srli t2, t1, 12
    slli t2, t2, 10
    addi t2, t2, 1
    sd t2, 24(t0)
    la t2, leaves
    srli t3, t2, 12
    slli t3, t3, 10
    addi t3, t3, 1
    sd t3, 0(t1)
    la t3, program
    srli t3, t3, 12
    slli t3, t3, 10
    addi t3, t3, 0x1b           # readable, executable, the user's
    sd t3, 0(t2)
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    la a0, hello_supervisor
    call print
    csrsi sie, 2
    li t0, 0x100
    csrc sstatus, t0
    li t0, 0x20                 # interrupts are on in the program
    csrs sstatus, t0
    li t0, 0xc0000000
    csrw sepc, t0
    sret

supervisor_trap:
    csrw sscratch, sp
    la sp, supervisor_stack
    sd ra, 0(sp)
    sd t0, 8(sp)
    sd t1, 16(sp)
    sd a0, 24(sp)
    csrr t0, scause
    bltz t0, tick
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    li t0, 1
    beq a7, t0, power_off
    la t0, calls
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    j back
tick:
    csrci sip, 2
    la t0, ticks
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
back:
    ld ra, 0(sp)
    ld t0, 8(sp)
    ld t1, 16(sp)
    ld a0, 24(sp)
    csrr sp, sscratch
    la a6, ticks
    ld a6, 0(a6)
    sret

power_off:
    la t0, calls
    ld t1, 0(t0)
    li t2, CALLS
    bne t1, t2, fail
    la a0, good_bye
    call print
    li t0, FINISHER
    li t1, PASS
    sw t1, 0(t0)
stopped:
    wfi
    j stopped

print:
    li t0, UART
print_next:
    lbu t1, 0(a0)
    beqz t1, print_end
    sb t1, 0(t0)
    addi a0, a0, 1
    j print_next
print_end:
    ret

hello_machine:
    .asciz "hello from machine mode\n"
hello_supervisor:
    .asciz "hello from the supervisor, behind a page table\n"
good_bye:
    .asciz "the program has made its calls, and the timer has rung\n"

# The program: calls the supervisor, then waits for the timer.
.align 12
program:
    li s0, CALLS
    li a7, 0
program_next:
    ecall
    addi s0, s0, -1
    bnez s0, program_next
    li s1, TICKS
program_wait:
    blt a6, s1, program_wait
    li a7, 1
    ecall

.align 12
root:
    .space 4096
middle:
    .space 4096
leaves:
    .space 4096
calls:
    .dword 0
ticks:
    .dword 0
machine_stack:
    .space 64
supervisor_stack:
    .space 256
    .space 4096
stack_end:
