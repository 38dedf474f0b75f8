/* GPIO: levels, open drain, and interrupts of edges and levels, on pins that are driven from inside and outside. */
#include "esp8266.h"

#define GPIO(offset) REGISTER(0x60000300 + (offset))
#define OUT_W1TS 0x04
#define OUT_W1TC 0x08
#define ENABLE_W1TS 0x10
#define ENABLE_W1TC 0x14
#define IN 0x18
#define STATUS 0x1c
#define STATUS_W1TC 0x24
#define PIN(n) (0x28 + 4 * (n))
#define OPEN_DRAIN (1 << 2)
enum { RISES = 1, FALLS = 2, EITHER = 3 };

static volatile u32 interrupts;

static void on_gpio(void *argument)
{
    (void)argument;
    interrupts++;
    GPIO(STATUS_W1TC) = GPIO(STATUS);
}

static u32 level(u32 pin)
{
    return GPIO(IN) >> pin & 1;
}

void entry(void)
{
    u32 before, n, kind;

    start_clock();
    GPIO(ENABLE_W1TS) = 1 << 5;
    GPIO(OUT_W1TS) = 1 << 5;
    n = level(5);
    GPIO(OUT_W1TC) = 1 << 5;
    ets_printf("driven %d %d\n", n, level(5));
    GPIO(ENABLE_W1TC) = 1 << 5;
    ets_printf("let go %d\n", level(5));

    GPIO(PIN(4)) = OPEN_DRAIN;
    GPIO(ENABLE_W1TS) = 1 << 4;
    GPIO(OUT_W1TC) = 1 << 4;
    n = level(4);
    GPIO(OUT_W1TS) = 1 << 4;
    ets_printf("open drain %d %d\n", n, level(4));

    ets_isr_attach(GPIO_INTERRUPT, on_gpio, 0);
    ets_isr_unmask(1 << GPIO_INTERRUPT);
    GPIO(ENABLE_W1TS) = 1 << 12;
    GPIO(OUT_W1TC) = 1 << 12;
    for (kind = RISES; kind <= EITHER; kind++) {
        interrupts = 0;
        GPIO(PIN(12)) = kind << 7;
        for (n = 0; n < 5; n++) {
            GPIO(OUT_W1TS) = 1 << 12;
            GPIO(OUT_W1TC) = 1 << 12;
        }
        ets_printf("five pulses, kind %d: %d interrupts\n", kind, interrupts);
    }
    GPIO(PIN(12)) = 0;

    interrupts = 0;
    GPIO(PIN(14)) = FALLS << 7;
    ets_printf("pull pin 14 down\n");
    before = us();
    while (!interrupts && us() - before < 100000)
        ;
    ets_printf("pulled: %d, level %d\n", interrupts, level(14));
}
