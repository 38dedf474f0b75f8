/* The RTC: why the chip was reset, a counter, and what survives a reset by software. */
#include "esp8266.h"

#define RTC(offset) REGISTER(0x60000700 + (offset))
#define CONTROL 0x00
#define RESET_STATE 0x14
#define COUNTER 0x1c
#define STORE 0x30
#define MEMORY REGISTER(0x60001000)
#define MEMORY_END REGISTER(0x600013fc)
#define IO_MUX_U0RXD REGISTER(0x60000814)

static u32 in_dram = 1;

void entry(void)
{
    u32 before;

    start_clock();
    ets_printf("reset cause %d\n", RTC(RESET_STATE) & 7);
    ets_printf("kept %x %x %x\n", RTC(STORE), MEMORY, MEMORY_END);
    ets_printf("not kept %x, data %d\n", IO_MUX_U0RXD, in_dram);
    /* Some 150 to 200 kHz. */
    before = RTC(COUNTER);
    ets_delay_us(10000);
    before = RTC(COUNTER) - before;
    ets_printf("the counter %s\n", before > 1400 && before < 2100 ? "runs" : "does not run as it should");
    if (MEMORY == 0x11111111)
        return;
    RTC(STORE) = 0x33333333;
    MEMORY = 0x11111111;
    MEMORY_END = 0x22222222;
    IO_MUX_U0RXD = 0x80;
    in_dram = 2;
    ets_delay_us(2000);
    RTC(CONTROL) |= 1u << 31;
    for (;;)
        ;
}
