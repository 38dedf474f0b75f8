/* The memories: data RAM takes any width, instruction RAM and the window to the flash words alone, and the flash is read. */
#include "esp8266.h"

#define CAUSE(n) (*(volatile u32 *)(0x3fffc000 + 4 * (n)))

static volatile u32 causes, address;

/* Every access here is of three bytes. */
static void skip(u32 *frame, u32 cause)
{
    causes = cause;
    __asm__ volatile("rsr %0, excvaddr" : "=r"(address));
    frame[0] += 3;
}

static void told(const char *what)
{
    ets_printf("%s: cause %d at %x\n", what, causes, address);
    causes = address = 0;
}

/* The instruction of that width and no other, where a compiler would choose. */
static u32 load_byte(u32 at)
{
    u32 value = 0;
    __asm__ volatile("l8ui %0, %1, 0" : "+r"(value) : "r"(at));
    return value;
}

static u32 load_half(u32 at)
{
    u32 value = 0;
    __asm__ volatile("l16ui %0, %1, 0" : "+r"(value) : "r"(at));
    return value;
}

static void store_byte(u32 at, u32 value)
{
    __asm__ volatile("s8i %0, %1, 0" ::"r"(value), "r"(at) : "memory");
}

static u32 in_dram[2] = {0x33221100, 0x77665544};
extern u32 in_iram[];
__asm__(".section .text.in_iram, \"ax\"\n.align 4\n.global in_iram\nin_iram: .word 0x33221100, 0\n.text");

void entry(void)
{
    u32 dram = (u32)in_dram, iram = (u32)in_iram, rom_ram = 0x3fffe000;

    _xtos_set_exception_handler(3, skip);
    _xtos_set_exception_handler(9, skip);

    store_byte(dram + 1, 0xaa);
    ets_printf("DRAM %x %x %x\n", in_dram[0], load_byte(dram + 5), load_half(dram + 6));
    REGISTER(rom_ram) = 0x01020304;
    store_byte(rom_ram + 3, 0x7f);
    ets_printf("ROM RAM %x\n", REGISTER(rom_ram));

    in_iram[1] = 0x5a5aa5a5;
    ets_printf("IRAM %x %x\n", in_iram[0], in_iram[1]);
    load_byte(iram + 1);
    told("a byte of IRAM");
    load_half(iram + 2);
    told("a half of IRAM");
    store_byte(iram, 1);
    told("a byte to IRAM");

    ets_printf("FLASH %x\n", REGISTER(0x40210000));
    load_byte(0x40210002);
    told("a byte of the flash");
    __asm__ volatile("l32i.n %0, %1, 0\n nop.n\n" : "=r"(dram) : "r"(0x40210000));
    ets_printf("a word of it: cause %d\n", causes);
}

__attribute__((section(".flash"), used)) static const u32 in_flash = 0x89abcdef;
