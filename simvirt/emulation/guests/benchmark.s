# Work for the benchmark of the machine: a sieve, a checksum, a product of matrices, a sorted list, all over memory of half a mebibyte.
.equ UART, 0x10000000
.equ FINISHER, 0x100000
.equ PASS, 0x5555
.equ SIZE, 65536
.equ ROUNDS, 24
.equ ORDER, 48
.equ HASHES, 60000

start:
    la s0, data
    li s11, ROUNDS
    li s10, 0
rounds:
    call sieve
    add s10, s10, a0
    call checksum
    add s10, s10, a0
    call matrices
    add s10, s10, a0
    call chase
    add s10, s10, a0
    addi s11, s11, -1
    bnez s11, rounds
    call print_number
    li t0, FINISHER
    li t1, PASS
    sw t1, 0(t0)
stopped:
    wfi
    j stopped

# Number of primes below SIZE.
sieve:
    li t0, SIZE
    mv t1, s0
    add t2, s0, t0
sieve_clear:
    sb zero, 0(t1)
    addi t1, t1, 1
    bltu t1, t2, sieve_clear
    li a0, 0
    li t1, 2
sieve_next:
    add t2, s0, t1
    lbu t3, 0(t2)
    bnez t3, sieve_not
    addi a0, a0, 1
    add t3, t1, t1
    li t5, 1
sieve_mark:
    bgeu t3, t0, sieve_not
    add t4, s0, t3
    sb t5, 0(t4)
    add t3, t3, t1
    j sieve_mark
sieve_not:
    addi t1, t1, 1
    bltu t1, t0, sieve_next
    ret

# A number that all numbers of a generator go into.
checksum:
    li t0, HASHES
    li a0, 0
    li t1, 88172645463325252
checksum_next:
    slli t2, t1, 13
    xor t1, t1, t2
    srli t2, t1, 7
    xor t1, t1, t2
    slli t2, t1, 17
    xor t1, t1, t2
    andi t2, t1, 0xff
    add t3, s0, t2
    lbu t3, 0(t3)
    add a0, a0, t3
    slli t2, a0, 5
    xor a0, a0, t2
    sext.w a0, a0
    addi t0, t0, -1
    bnez t0, checksum_next
    ret

# Trace of the product of a matrix with itself.
matrices:
    li t0, 0
    li a0, 0
    li a7, ORDER
matrices_row:
    li t1, 0
matrices_column:
    li t2, 0
    li t3, 0
    mul t4, t0, a7
    slli t4, t4, 3
    add t4, t4, s0
    slli t5, t1, 3
    add t5, t5, s0
    slli a6, a7, 3
matrices_inner:
    ld a1, 0(t4)
    ld a2, 0(t5)
    mul a1, a1, a2
    add t3, t3, a1
    addi t4, t4, 8
    add t5, t5, a6
    addi t2, t2, 1
    blt t2, a7, matrices_inner
    bne t0, t1, matrices_off
    add a0, a0, t3
matrices_off:
    addi t1, t1, 1
    blt t1, a7, matrices_column
    addi t0, t0, 1
    blt t0, a7, matrices_row
    ret

# Makes a list that jumps through the memory, and follows it, with a call for each member.
chase:
    addi sp, s0, -64
    sd ra, 0(sp)
    li t0, 4096
    li t1, 0
    li t2, 1229
    mv t6, s0
chase_make:
    add t3, t1, t2
    li t4, 4095
    and t3, t3, t4
    slli t5, t1, 3
    add t5, t5, t6
    slli t4, t3, 3
    add t4, t4, t6
    sd t4, 0(t5)
    mv t1, t3
    addi t0, t0, -1
    bnez t0, chase_make
    li t0, 20000
    mv a1, t6
    li a0, 0
chase_next:
    call chase_one
    addi t0, t0, -1
    bnez t0, chase_next
    ld ra, 0(sp)
    ret
chase_one:
    ld a1, 0(a1)
    sub a2, a1, t6
    add a0, a0, a2
    ret

# Prints s10 in hexadecimal.
print_number:
    li t0, UART
    li t1, 60
print_digit:
    srl t2, s10, t1
    andi t2, t2, 15
    li t3, 10
    blt t2, t3, print_decimal
    addi t2, t2, 39
print_decimal:
    addi t2, t2, 48
    sb t2, 0(t0)
    addi t1, t1, -4
    bgez t1, print_digit
    li t2, 10
    sb t2, 0(t0)
    ret

.align 12
    .space 128
data:
    .space 65536
