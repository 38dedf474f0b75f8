/* FRC1 counts down 23 bits, and begins again or goes round; FRC2 counts up 32 bits to an alarm. */
#include "esp8266.h"

#define FRC1_LOAD REGISTER(0x60000600)
#define FRC1_COUNT REGISTER(0x60000604)
#define FRC1_CTRL REGISTER(0x60000608)
#define FRC1_INT REGISTER(0x6000060c)
#define FRC2_LOAD REGISTER(0x60000620)
#define FRC2_INT REGISTER(0x6000062c)
#define FRC2_ALARM REGISTER(0x60000630)
#define RUNS (1 << 7)
#define RELOADS (1 << 6)
enum { BY_1 = 0 << 2, BY_16 = 1 << 2, BY_256 = 2 << 2 };

static volatile u32 ones, twos;

static void on_frc1(void *argument)
{
    (void)argument;
    FRC1_INT = 1;
    ones++;
}

static void on_frc2(void *argument)
{
    (void)argument;
    FRC2_INT = 0;
    twos++;
}

void entry(void)
{
    u32 before, n;
    static const u32 dividers[] = {BY_1, BY_16, BY_256};
    static const u32 counts[] = {80000, 5000, 312};

    start_clock();
    ets_isr_attach(FRC1_INTERRUPT, on_frc1, 0);
    ets_isr_attach(FRC2_INTERRUPT, on_frc2, 0);
    EDGE_ENABLE = 1 << 1 | 1 << 2;
    ets_isr_unmask(1 << FRC1_INTERRUPT | 1 << FRC2_INTERRUPT);

    for (n = 0; n < 3; n++) {
        FRC1_LOAD = 0x7fffff;
        FRC1_CTRL = RUNS | dividers[n];
        before = FRC1_COUNT;
        ets_delay_us(1000);
        ets_printf("FRC1 in a millisecond: %s\n", about(before - FRC1_COUNT, counts[n]));
    }
    ones = 0;
    before = us();
    FRC1_LOAD = 5000;
    FRC1_CTRL = RUNS | RELOADS | BY_16;
    while (ones < 10)
        ;
    ets_printf("ten of a millisecond each: %s\n", about(us() - before, 10000));
    FRC1_CTRL = RUNS | BY_16;
    FRC1_LOAD = 50;
    ones = 0;
    ets_delay_us(5000);
    ets_printf("without a load again: %d, and it goes round: %d\n", ones, FRC1_COUNT > 0x7f0000);
    FRC1_CTRL = 0;

    twos = 0;
    before = us();
    FRC2_ALARM = FRC2_COUNT + 10000;
    while (!twos)
        ;
    ets_printf("an alarm in 2 ms: %s\n", about(us() - before, 2000));
    ets_delay_us(5000);
    ets_printf("it came %d times\n", twos);
    FRC2_LOAD = 0xfffff000;
    FRC2_ALARM = 0x1000;
    while (FRC2_COUNT >= 0xfffff000)
        ;
    ets_printf("round the end: %d alarms", twos);
    while (twos < 2)
        ;
    ets_printf(", then %d\n", twos);
}
