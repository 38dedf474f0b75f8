/* Where an image begins, its vectors, and the few instructions that no language has.
 *
 * (Xtensa Instruction Set Architecture Reference Manual, chapters "Exception Option" and "Interrupt Option"; the vectors'
 * places are this core's.) */

    .section .vectors, "ax"
    .align  16
vectors:
    .org    0x10                /* debug */
    ill
    .org    0x20                /* NMI */
    ill
    .org    0x30                /* kernel: PS.UM is always set */
    wsr     a0, excsave1
    j       exception
    .org    0x50                /* user */
    wsr     a0, excsave1
    j       exception
    .org    0x70                /* an exception within one */
    ill
    .org    0x80

    .literal_position
/* The registers as src/exception.rs has them. */
exception:
    addmi   a1, a1, -256
    s32i    a2, a1, 8
    s32i    a3, a1, 12
    s32i    a4, a1, 16
    s32i    a5, a1, 20
    s32i    a6, a1, 24
    s32i    a7, a1, 28
    s32i    a8, a1, 32
    s32i    a9, a1, 36
    s32i    a10, a1, 40
    s32i    a11, a1, 44
    s32i    a12, a1, 48
    s32i    a13, a1, 52
    s32i    a14, a1, 56
    s32i    a15, a1, 60
    rsr     a2, excsave1
    s32i    a2, a1, 0
    addmi   a2, a1, 256
    s32i    a2, a1, 4
    rsr     a2, epc1
    s32i    a2, a1, 64
    rsr     a2, sar
    s32i    a2, a1, 68
    rsr     a2, exccause
    s32i    a2, a1, 72
    rsr     a2, excvaddr
    s32i    a2, a1, 76
    mov     a2, a1
    movi    a0, esp8266_exception
    callx0  a0
    l32i    a2, a1, 64
    wsr     a2, epc1
    l32i    a2, a1, 68
    wsr     a2, sar
    l32i    a0, a1, 0
    l32i    a2, a1, 8
    l32i    a3, a1, 12
    l32i    a4, a1, 16
    l32i    a5, a1, 20
    l32i    a6, a1, 24
    l32i    a7, a1, 28
    l32i    a8, a1, 32
    l32i    a9, a1, 36
    l32i    a10, a1, 40
    l32i    a11, a1, 44
    l32i    a12, a1, 48
    l32i    a13, a1, 52
    l32i    a14, a1, 56
    l32i    a15, a1, 60
    addmi   a1, a1, 256
    rfe

    .global _start
_start:
    /* User mode, nothing gets through. */
    movi    a2, 0x2f
    wsr     a2, ps
    rsync
    movi    a2, 0
    wsr     a2, intenable
    movi    a2, vectors
    wsr     a2, vecbase
    movi    a1, _stack_top
    /* The first megabyte of the flash, and half of the internal RAM for its cache. */
    movi    a2, 0
    movi    a3, 0
    movi    a4, 1
    movi    a0, Cache_Read_Enable
    callx0  a0
    movi    a2, _bss_start
    movi    a3, _bss_end
    movi    a4, 0
1:  bgeu    a2, a3, 2f
    s32i    a4, a2, 0
    addi    a2, a2, 4
    j       1b
    /* So that what was used of the stack can be told. */
2:  movi    a2, _stack_bottom
    movi    a3, 0x5afe5afe
3:  bgeu    a2, a1, 4f
    s32i    a3, a2, 0
    addi    a2, a2, 4
    j       3b
4:  movi    a0, esp8266_main
    callx0  a0

    .text
    .literal_position
    .global esp8266_disable
    .align  4
esp8266_disable:
    rsil    a2, 15
    ret

    .global esp8266_restore
    .align  4
esp8266_restore:
    wsr     a2, ps
    rsync
    ret

    .global esp8266_wait
    .align  4
esp8266_wait:
    waiti   0
    ret

    .global esp8266_interrupts
    .align  4
esp8266_interrupts:
    rsr     a2, interrupt
    rsr     a3, intenable
    and     a2, a2, a3
    ret

    .global esp8266_clear
    .align  4
esp8266_clear:
    wsr     a2, intclear
    ret

    .global esp8266_listen
    .align  4
esp8266_listen:
    wsr     a2, intenable
    rsync
    ret

    .global abort
    .align  4
abort:
    ill
