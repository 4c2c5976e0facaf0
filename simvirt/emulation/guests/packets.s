# Sends frames over a virtio network and waits for each to come back, or sends back what comes: kicks, interrupts, bytes by frame.
.mode supervisor
.include supervisor
.include virtio
.parameter n, 20, "frames that go and come back"
.parameter bytes, 64, "bytes of a frame, 14 to 1500"
.parameter answers, 0, "1: wait for n frames and send each back"
.equ SIZE, 8                    # descriptors of a queue
.equ NET, 1
.equ ROOM, 1600

start:
    la sp, stack_end
    la t0, acknowledge
    csrw stvec, t0
    li t0, bytes
    li t1, 14
    bltu t0, t1, wrong
    li t1, 1501
    bgeu t0, t1, wrong
    li a0, NET
    call find_device
    beqz a0, nothing
    li a0, 0
    la a2, receiving
    call rings
    li a0, 1
    la a2, sending
    call rings
    la t0, receiving            # one descriptor a queue: room for what comes, and what goes
    la t1, arrived
    sd t1, 0(t0)
    li t1, ROOM
    sw t1, 8(t0)
    li t1, 2
    sh t1, 12(t0)
    la t0, sending
    la t1, frame
    li t2, answers
    beqz t2, own_frame
    la t1, arrived
own_frame:
    sd t1, 0(t0)
    li t1, bytes + 12
    sw t1, 8(t0)
    la t0, sending              # what went needs no interrupt
    li t1, 1
    sh t1, 0x100(t0)
    call drive
    la t0, frame                # to all
    li t1, -1
    sd t1, 12(t0)
    li s2, 0                    # frames that went
    li s3, 0                    # frames that came
    li s4, n
    li a0, "packets"
    call mark
    call offer
next:
    beq s3, s4, over
    li t0, answers
    bnez t0, listen
    call transmit
    call wait
    call offer
    j next
listen:
    call wait
    la t0, sending              # as long as what came
    la t3, last
    ld t3, 0(t3)
    sw t3, 8(t0)
    call transmit
    call offer
    j next
over:
    li a0, 0
    call mark
    mv a0, s3
    call say_number
    la a0, good_bye
    call say
    j power_off

# rings: those of queue a0 lie at a2: descriptors, what is available 0x100 on, what was used 0x200 on
rings:
    li a1, SIZE
    addi a3, a2, 0x100
    addi a4, a2, 0x200
    j queue

# offer: room for one frame more
offer:
    la t0, receiving
    addi t1, s3, 1
    sh t1, 0x102(t0)
    fence
    sw zero, 0x50(s0)
    ret

# transmit: send the frame
transmit:
    addi s2, s2, 1
    la t0, sending
    sh s2, 0x102(t0)
    fence
    li t1, 1
    sw t1, 0x50(s0)
    ret

# wait: until one frame more has come
wait:
    csrsi sstatus, 2
    addi t1, s3, 1
    slli t1, t1, 48
    srli t1, t1, 48
wait_on:
    la t0, receiving
    lhu t2, 0x202(t0)
    beq t1, t2, came
    wfi
    j wait_on
came:
    csrci sstatus, 2
    andi t2, s3, 7              # its length
    slli t2, t2, 3
    add t2, t2, t0
    lw t2, 0x208(t2)
    la t3, last
    sd t2, 0(t3)
    addi s3, s3, 1
    ret

nothing:
    la a0, no_net
    j refuse
wrong:
    la a0, bounds
    j refuse
bounds:
    .asciz "expected 14 to 1500 bytes of a frame\n"
no_net:
    .asciz "no network: give one with --device net:echo\n"
good_bye:
    .asciz " frames came\n"
.align 12
receiving:
    .space 1024
sending:
    .space 1024
last:
    .dword 0
    .space 512
stack_end:
.align 6
frame:
    .space 1600
.align 6
arrived:
    .space 1664
