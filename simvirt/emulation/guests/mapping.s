# Maps pages anew again and again, and reads them: entry by entry with a fence of each, or by one call where it finds a paravirtual monitor.
.mode supervisor
.include supervisor
.parameter n, 20, "how often all pages are mapped anew"
.parameter pages, 32, "pages, 128 at most"
.parameter asks, 1, "1: the guest looks for a monitor that takes updates of many entries; 0: it does not"
.equ MONITOR, 0x8535650         # extension of its calls: 0 version, 1 update of tables, 3 console
.equ MAPPED, 0xc0200000

start:
    la sp, stack_end
    la t0, trap
    csrw stvec, t0
    li t0, n
    blez t0, wrong
    li t0, pages
    blez t0, wrong
    li t1, 128
    bgt t0, t1, wrong
    la a0, root
    call identity
    mv s0, a0
    la a0, root
    addi a0, a0, 24
    la a1, middle
    call lead
    la a0, middle
    addi a0, a0, 8
    la a1, leaves
    call lead
    csrw satp, s0
    sfence.vma
    li s11, 0                   # 1 where there is a monitor
    li t0, asks
    beqz t0, begin
    li a6, 0
    li a7, MONITOR
    ecall
    bnez a0, begin
    li s11, 1
begin:
    la t0, first                # what the two frames hold
    li t1, 1
    sd t1, 0(t0)
    la t0, second
    li t1, 2
    sd t1, 0(t0)
    li s0, n
    li s1, 0                    # sum of what was read
round:
    la s2, first
    andi t0, s0, 1
    beqz t0, chosen
    la s2, second
chosen:
    srli s2, s2, 2
    addi s2, s2, 0xc7           # what each entry is to be
    la s3, leaves
    la s4, updates
    li s5, MAPPED
    li s6, pages
    li s7, 4096
next_entry:
    bnez s11, later
    sd s2, 0(s3)
    sfence.vma s5, zero
    j mapped
later:
    sd s3, 0(s4)
    sd s2, 8(s4)
    sd s5, 16(s4)
    addi s4, s4, 24
mapped:
    addi s3, s3, 8
    add s5, s5, s7
    addi s6, s6, -1
    bnez s6, next_entry
    beqz s11, read
    la a0, updates
    li a1, pages
    li a6, 1
    li a7, MONITOR
    ecall
    bnez a0, fail
read:
    li s5, MAPPED
    li s6, pages
next_page:
    ld t0, 0(s5)
    add s1, s1, t0
    add s5, s5, s7
    addi s6, s6, -1
    bnez s6, next_page
    addi s0, s0, -1
    bnez s0, round

    mv a0, s1
    call say_number
    la a0, good_bye
    beqz s11, by_firmware
    li a1, 17
    li a6, 3
    li a7, MONITOR
    ecall
    j power_off
by_firmware:
    call say
    j power_off

.align 2
trap:
    j fail

good_bye:
    .asciz " is what was read"
.align 2
wrong:
    la a0, bounds
    j refuse
bounds:
    .asciz "expected to map 1 to 128 pages, once or more\n"
.include tables
first:
    .space 4096
second:
    .space 4096
updates:
    .space 4096
    .space 4096
stack_end:
