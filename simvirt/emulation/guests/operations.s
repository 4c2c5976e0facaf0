# n of each operation that virtualization makes dear: calls, faults, registers of control, fences, devices, timers; a phase of each.
.mode supervisor
.include supervisor
.parameter n, 100, "how often each operation is done"
.parameter period, 2000, "ticks from one ring of the timer to the next"
.equ LINE_STATUS, 0x10000005
.equ TOUCHED, 0xc0010000        # pages that the program touches first
.equ PAGES, 256
.equ MARKER_OF_USERS, 0xc01ff100

start:
    la sp, stack_end
    li t0, n
    blez t0, wrong
    la t0, trap
    csrw stvec, t0
    la a0, program
    call own_program
    mv s0, a0
    la t2, leaves               # programs reach the marker too
    li t3, 0x400d7              # readable, writable, the user's
    li t4, 4088
    add t4, t4, t2
    sd t3, 0(t4)
    csrw satp, s0
    sfence.vma

    la t0, kernel               # programs come back here
    la t1, resume
    sd t0, 0(t1)
    li t0, 0x100
    csrc sstatus, t0
    li t0, USERS
    csrw sepc, t0
    li s6, 0                    # pages that are there
    sret

kernel:
    li s10, MARKER
    li s9, n
    li t0, "csr"
    sd t0, 0(s10)
    j csr_next
csr_next:
    csrw sscratch, s9
    addi s9, s9, -1
    bnez s9, csr_next

    li s9, n
    li t0, "fence"
    sd t0, 0(s10)
    j fence_next
fence_next:
    sfence.vma
    addi s9, s9, -1
    bnez s9, fence_next

    li s9, n
    li s8, 1
    slli s8, s8, 44             # the lowest bit of the address space
    li t0, "switch"
    sd t0, 0(s10)
    j switch_next
switch_next:
    xor s0, s0, s8
    csrw satp, s0
    addi s9, s9, -1
    bnez s9, switch_next

    li s9, n
    li s8, LINE_STATUS
    li t0, "mmio"
    sd t0, 0(s10)
    j mmio_next
mmio_next:
    lbu t0, 0(s8)
    addi s9, s9, -1
    bnez s9, mmio_next

    li s9, n
    li t0, "call"
    sd t0, 0(s10)
    j call_next
call_next:
    li a6, 0                    # of which version the firmware is
    li a7, 0x10
    ecall
    addi s9, s9, -1
    bnez s9, call_next

    li s9, n
    li t0, "console"
    sd t0, 0(s10)
    j console_next
console_next:
    li a0, 0x2e
    li a6, 2
    li a7, DBCN
    ecall
    addi s9, s9, -1
    bnez s9, console_next

    li s9, n                    # rings that are to come
    li t0, 0x20
    csrs sie, t0
    csrsi sstatus, 2
    li t0, "timer"
    sd t0, 0(s10)
    j timer_first
timer_first:
    call set_timer
timer_next:
    wfi
    bnez s9, timer_next

    sd zero, 0(s10)
    j finished
finished:
    la a0, end_of_line
    call say
    li a0, n
    call say_number
    la a0, good_bye
    call say
    j power_off

# The timer rings after the period, or never where no ring is to come; it is asked for by a call.
set_timer:
    li a0, -1
    beqz s9, set_it
    rdtime a0
    li a1, period
    add a0, a0, a1
set_it:
    li a6, 0
    li a7, TIME
    ecall
    ret

# The trap handler keeps to registers that nothing else uses, so that an operation is no more than itself.
.align 2
trap:
    csrr s2, scause
    bltz s2, rang
    li s3, 8
    beq s2, s3, called
    li s3, 15
    bne s2, s3, fail
    csrr s2, stval              # a page that is touched first: it gets one
    srli s3, s2, 12
    andi s3, s3, 511
    slli s3, s3, 3
    la s4, leaves
    add s3, s3, s4
    la s4, frame
    srli s4, s4, 2
    ori s4, s4, 0xd7
    sd s4, 0(s3)
    sfence.vma s2, zero
    sret
called:
    bnez a7, ended
    csrr s2, sepc
    addi s2, s2, 4
    csrw sepc, s2
    sret
ended:
    la s2, resume
    ld s2, 0(s2)
    li s3, 2
    beq a7, s3, unmap
    jr s2
unmap:                          # all pages have been touched: they go
    la s3, leaves
    addi s3, s3, 128
    li s4, PAGES
unmap_next:
    sd zero, 0(s3)
    addi s3, s3, 8
    addi s4, s4, -1
    bnez s4, unmap_next
    sfence.vma
    csrr s2, sepc
    addi s2, s2, 4
    csrw sepc, s2
    sret
rang:
    addi s9, s9, -1
    mv s7, ra
    call set_timer
    mv ra, s7
    sret

good_bye:
    .asciz " of each operation\n"
end_of_line:
    .asciz "\n"

# The program: nothing but loops, calls, and pages that are touched first.
.align 12
program:
    li t5, MARKER_OF_USERS
    li s9, n
    li t0, "loop"
    sd t0, 0(t5)
    j loop_next
loop_next:
    addi s9, s9, -1
    bnez s9, loop_next
    li s9, n
    li a7, 0
    li t0, "syscall"
    sd t0, 0(t5)
    j syscall_next
syscall_next:
    ecall
    addi s9, s9, -1
    bnez s9, syscall_next
    li s9, n
    li t6, "fault"
touch:
    li t1, TOUCHED
    li t2, PAGES
    li t3, 4096
    sd t6, 0(t5)
    j touch_next
touch_next:
    sd zero, 0(t1)
    add t1, t1, t3
    addi s9, s9, -1
    beqz s9, touched
    addi t2, t2, -1
    bnez t2, touch_next
    sd zero, 0(t5)
    j touch_again
touch_again:
    li a7, 2
    ecall
    j touch
touched:
    sd zero, 0(t5)
    j leave
leave:
    li a7, 1
    ecall

.align 2
wrong:
    la a0, bounds
    j refuse
bounds:
    .asciz "expected to do each operation once or more\n"
.include tables
frame:
    .space 4096
resume:
    .dword 0
    .space 512
stack_end:
