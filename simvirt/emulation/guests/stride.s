# One load from each of many pages, again and again: how far the TLB reaches, and what walks of the page tables read.
.mode supervisor
.include supervisor
.parameter pages, 256, "pages that are touched, one load each; of 1 GiB 250 at most"
.parameter rounds, 4, "how often all of them are, after the first time"
.parameter level, 0, "size of the pages: 0 for 4 KiB, 1 for 2 MiB, 2 for 1 GiB"
.equ BEGIN, 0xc0000000          # all pages from here on are the same memory

start:
    la sp, stack_end
    la t0, fail
    csrw stvec, t0
    la a0, root
    call identity
    mv s0, a0
    li s1, level
    li t1, 2
    bgtu s1, t1, wrong
    la t0, root
    addi t0, t0, 24
    li t1, 252                  # entries of the root behind what is the supervisor's own
    li t2, 0x200000cf
    li t4, 2
    beq s1, t4, fill_root
    la t2, middle
    srli t2, t2, 2
    addi t2, t2, 1
fill_root:
    sd t2, 0(t0)
    addi t0, t0, 8
    addi t1, t1, -1
    bnez t1, fill_root
    la a0, middle
    li a1, 0x200000cf
    li t4, 1
    beq s1, t4, fill_middle
    la a1, leaves
    srli a1, a1, 2
    addi a1, a1, 1
fill_middle:
    call fill
    la a0, leaves
    la a1, frame
    srli a1, a1, 2
    ori a1, a1, 0xcf
    call fill
    csrw satp, s0
    sfence.vma

    li s2, 9                    # bits of an address that one level more translates
    mul s2, s2, s1
    addi s2, s2, 12
    li s3, 1
    sll s3, s3, s2              # from one page to the next
    li a0, "first"
    call mark
    call touch_all
    li s4, rounds
    li a0, "again"
    call mark
again:
    beqz s4, over
    call touch_all
    addi s4, s4, -1
    j again
over:
    li a0, 0
    call mark
    li a0, pages
    call say_number
    la a0, good_bye
    call say
    j power_off

touch_all:
    li t0, BEGIN
    li t1, pages
touch_next:
    beqz t1, touched
    ld t2, 0(t0)
    add t0, t0, s3
    addi t1, t1, -1
    j touch_next
touched:
    ret

# fill: all entries of the table at a0 are a1
fill:
    li t0, 512
fill_next:
    sd a1, 0(a0)
    addi a0, a0, 8
    addi t0, t0, -1
    bnez t0, fill_next
    ret

good_bye:
    .asciz " pages touched\n"
.align 2
wrong:
    la a0, bounds
    j refuse
bounds:
    .asciz "expected a level of 0 to 2\n"
.include tables
frame:
    .space 4096
    .space 512
stack_end:
