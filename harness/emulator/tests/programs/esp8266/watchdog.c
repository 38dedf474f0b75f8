/* The watchdog: fed, it is quiet; then an interrupt, and a stage later a reset. A stage is 0.8 ms, doubled by its register. */
#include "esp8266.h"

#define WDT(offset) REGISTER(0x60000900 + (offset))
#define CTL 0x00
#define OP 0x04
#define OP_ND 0x08
#define FEED 0x14
#define RESET_STATE REGISTER(0x60000714)
#define MEMORY REGISTER(0x60001000)

static volatile u32 interrupts, at;

static void on_watchdog(void *argument)
{
    (void)argument;
    interrupts++;
    at = us();
}

void entry(void)
{
    u32 n, before;

    start_clock();
    ets_printf("reset cause %d, marked %x\n", RESET_STATE & 7, MEMORY);
    if (MEMORY == 0xd06)
        return;
    MEMORY = 0xd06;
    ets_isr_attach(WDT_INTERRUPT, on_watchdog, 0);
    EDGE_ENABLE = 1 << 0;
    ets_isr_unmask(1 << WDT_INTERRUPT);
    WDT(OP) = 3;
    WDT(OP_ND) = 4;
    WDT(CTL) = 1;
    for (n = 0; n < 10; n++) {
        ets_delay_us(5000);
        WDT(FEED) = 0x73;
    }
    ets_printf("fed for 50 ms: %d interrupts\n", interrupts);
    ets_delay_us(2000);
    WDT(FEED) = 0x73;
    before = us();
    while (!interrupts)
        ;
    ets_printf("then one after 6.6 ms: %s\n", about(at - before, 6552));
    /* Thirteen milliseconds are left to be told in. */
    for (;;)
        ;
}
