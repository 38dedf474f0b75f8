/* DPORT: the window to the flash, the edges that become interrupts, the core's clock, and the fuses. */
#include "esp8266.h"

#define CACHE_CONTROL REGISTER(0x3ff0000c)
#define CACHE_ON (1 << 8)
#define UPPER_MEGABYTE (1 << 25)
#define TWO_MEGABYTES 16
#define CPU_CLOCK REGISTER(0x3ff00014)
#define FUSE(n) REGISTER(0x3ff00050 + 4 * (n))
#define FRC1_LOAD REGISTER(0x60000600)
#define FRC1_CTRL REGISTER(0x60000608)
#define WINDOW ((volatile u32 *)0x40240000)

static volatile u32 alarms;
static u32 mark;

static void on_frc1(void *argument)
{
    (void)argument;
    alarms++;
}

static u32 cycles(void)
{
    u32 count;
    __asm__ volatile("rsr %0, ccount" : "=r"(count));
    return count;
}

static u32 cycles_in_a_millisecond(void)
{
    u32 before = cycles(), until = us() + 1000;
    while (us() < until)
        ;
    return cycles() - before;
}

void entry(void)
{
    u32 megabyte, passed;

    start_clock();
    for (megabyte = 0; megabyte < 4; megabyte++) {
        mark = 0xf1a50000 + megabyte;
        SPIEraseSector(megabyte * 0x100 + 0x40);
        SPIWrite(megabyte * 0x100000 + 0x40000, &mark, 4);
    }
    for (megabyte = 0; megabyte < 4; megabyte++) {
        CACHE_CONTROL = CACHE_ON | (megabyte & 1 ? UPPER_MEGABYTE : 0) | (megabyte >> 1) << TWO_MEGABYTES;
        ets_printf("megabyte %d shows %x\n", megabyte, *WINDOW);
    }
    ets_printf("the cache says it is %s\n", CACHE_CONTROL & CACHE_ON ? "on" : "off");

    ets_isr_attach(FRC1_INTERRUPT, on_frc1, 0);
    ets_isr_unmask(1 << FRC1_INTERRUPT);
    EDGE_ENABLE = 0;
    FRC1_LOAD = 800;
    FRC1_CTRL = 1 << 7 | 1 << 6;
    ets_delay_us(1000);
    ets_printf("%d edges pass while none may\n", alarms);
    EDGE_ENABLE = 1 << 1;
    ets_delay_us(1000);
    EDGE_ENABLE = 0;
    passed = alarms;
    ets_delay_us(1000);
    ets_printf("%s pass while they may, and %d afterwards\n", passed > 90 && passed < 110 ? "some hundred" : "others",
               alarms - passed);
    FRC1_CTRL = 0;

    ets_printf("80 MHz: %s\n", about(cycles_in_a_millisecond(), 80000));
    CPU_CLOCK |= 1;
    ets_printf("160 MHz: %s\n", about(cycles_in_a_millisecond(), 160000));
    CPU_CLOCK &= ~1;

    /* As the SDK puts an address together: the maker's part is burnt in the last word if bit 15 of the third says so. */
    ets_printf("maker %s %x\n", FUSE(2) >> 15 & 1 ? "burnt" : "implied", FUSE(3) & 0xffffff);
}
