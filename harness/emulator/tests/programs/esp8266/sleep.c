/* Light sleep: the core stops until the RTC's alarm or a pin, clocks but the RTC's stand still, and nothing is lost. */
#include "esp8266.h"

#define RTC(offset) REGISTER(0x60000700 + (offset))
#define ALARM 0x04
#define STATE 0x08
#define WAKE_BY 0x18
#define COUNTER 0x1c
#define WAKE_CLEAR 0x24
#define WAKE_STATE 0x28
#define SLEEP (1u << 20)
#define BY_ALARM 8
#define BY_PINS 4
#define MAC_COUNTER REGISTER(0x3ff20c00)
#define GPIO_PIN(n) REGISTER(0x60000328 + 4 * (n))

static void light_sleep(u32 by)
{
    RTC(WAKE_CLEAR) = 0xffffffff;
    RTC(WAKE_BY) = by;
    ets_printf("woken %d before\n", RTC(WAKE_STATE) & 3);
    /* What is said must have left before the line's clock stops. */
    ets_delay_us(5000);
    RTC(STATE) |= SLEEP;
    while (!(RTC(WAKE_STATE) & 3))
        ;
}

void entry(void)
{
    volatile u32 in_dram = 0x12345678;
    u32 counter, frc, mac;

    start_clock();
    RTC(ALARM) = RTC(COUNTER) + 50000;
    counter = RTC(COUNTER);
    frc = us();
    mac = MAC_COUNTER;
    light_sleep(BY_ALARM);
    counter = RTC(COUNTER) - counter;
    frc = us() - frc;
    mac = MAC_COUNTER - mac;
    ets_printf("slept 50000 periods: %s\n", about(counter, 50000));
    ets_printf("FRC2 %s, the MAC %s\n", frc < 20000 ? "stood still" : "ran", mac < 20000 ? "stood still" : "ran");
    ets_printf("kept %x, woken %d\n", in_dram, RTC(WAKE_STATE) & 3);

    /* While it is low. */
    GPIO_PIN(14) = 1 << 10 | 4 << 7;
    ets_printf("pull pin 14 down\n");
    light_sleep(BY_PINS);
    ets_printf("a pin wakes it\n");
}
