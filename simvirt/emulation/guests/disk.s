# Reads blocks of a virtio disk, one request after the other or several by one kick: kicks, interrupts, descriptors, bytes copied.
.mode supervisor
.include supervisor
.include virtio
.parameter n, 64, "sectors that are read"
.parameter sectors, 1, "sectors of a request, 64 at most"
.parameter batch, 1, "requests by one kick, 32 at most"
.parameter polls, 0, "1: no interrupts, the driver looks at the ring"
.equ SIZE, 128                  # descriptors of the queue
.equ BLOCK, 2

start:
    la sp, stack_end
    la t0, acknowledge
    csrw stvec, t0
    li t0, sectors
    li t1, 64
    beqz t0, wrong
    bgtu t0, t1, wrong
    li t0, batch
    li t1, 32
    beqz t0, wrong
    bgtu t0, t1, wrong
    li a0, BLOCK
    call find_device
    beqz a0, nothing
    li a0, 0
    li a1, SIZE
    la a2, descriptors
    la a3, available
    la a4, used
    call queue
    la t0, available            # whether it is to interrupt
    li t1, polls
    sh t1, 0(t0)
    call drive

    li s2, 0                    # sector
    li s3, 0                    # requests so far
    li s4, n
    li s5, 0                    # sum of what was read
    li a0, "read"
    call mark
next_batch:
    li s6, 0                    # requests of this kick
next_request:
    bgeu s2, s4, kick
    li t0, batch
    bgeu s6, t0, kick
    call request
    li t0, sectors
    add s2, s2, t0
    addi s6, s6, 1
    addi s3, s3, 1
    j next_request
kick:
    beqz s6, over
    la t0, available
    fence
    sh s3, 2(t0)
    fence
    sw zero, 0x50(s0)
    li t0, polls
    bnez t0, look
    la t0, used
    csrsi sstatus, 2
wait:
    lhu t1, 2(t0)
    slli t2, s3, 48
    srli t2, t2, 48
    beq t1, t2, came
    wfi
    j wait
look:
    la t0, used
    lhu t1, 2(t0)
    slli t2, s3, 48
    srli t2, t2, 48
    bne t1, t2, look
came:
    csrci sstatus, 2
    call add_up
    j next_batch
over:
    li a0, 0
    call mark
    mv a0, s2
    call say_number
    la a0, good_bye
    call say
    mv a0, s5
    call say_number
    la a0, end_of_line
    call say
    j power_off

# request: three descriptors for the s6-th request of a kick: what is wanted, where to, how it went
request:
    slli t0, s6, 4
    la t1, headers
    add t1, t1, t0
    sd zero, 0(t1)
    sd s2, 8(t1)
    li t2, 48
    mul t2, t2, s6
    la t3, descriptors
    add t3, t3, t2
    sd t1, 0(t3)
    li t4, 16
    sw t4, 8(t3)
    li t4, 1
    sh t4, 12(t3)
    li t5, 3
    mul t5, t5, s6
    addi t4, t5, 1
    sh t4, 14(t3)
    la t1, data
    slli t0, s6, 15
    add t1, t1, t0
    sd t1, 16(t3)
    li t4, 512 * sectors
    sw t4, 24(t3)
    li t4, 3
    sh t4, 28(t3)
    addi t4, t5, 2
    sh t4, 30(t3)
    la t1, states
    add t1, t1, s6
    li t4, 0xff
    sb t4, 0(t1)
    sd t1, 32(t3)
    li t4, 1
    sw t4, 40(t3)
    li t4, 2
    sh t4, 44(t3)
    andi t0, s3, 127            # its place in the ring
    slli t0, t0, 1
    la t1, available
    add t1, t1, t0
    sh t5, 4(t1)
    ret

# add_up: the words of what s6 requests have read; none of them may have failed
add_up:
    li t0, 0
add_request:
    la t1, states
    add t1, t1, t0
    lbu t2, 0(t1)
    bnez t2, failed
    la t1, data
    slli t2, t0, 15
    add t1, t1, t2
    li t3, 64 * sectors
add_word:
    ld t2, 0(t1)
    add s5, s5, t2
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, add_word
    addi t0, t0, 1
    bne t0, s6, add_request
    ret
nothing:
    la a0, no_disk
    j refuse
wrong:
    la a0, bounds
    j refuse
failed:
    la a0, error
    j refuse

bounds:
    .asciz "expected 1 to 64 sectors of a request, and 1 to 32 requests by one kick\n"
no_disk:
    .asciz "no disk: give one with --disk\n"
error:
    .asciz "the disk has refused a request\n"
good_bye:
    .asciz " sectors read, the sum of their words is "
end_of_line:
    .asciz "\n"
.align 12
descriptors:
    .space 2048
available:
    .space 1024
used:
    .space 2048
headers:
    .space 512
states:
    .space 64
    .space 1024
stack_end:
.align 12
data:
    .space 1048576
