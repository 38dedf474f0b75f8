/* What boot loaders load: it says which image it is, where it was reset from and what was kept, and orders the other image for
   the next boot, as often as the test has said. */
#include "boot.h"

/* Here the image lies, in the window that shows the flash; the test has put its name at the end of its sector. */
#define SHOWN(offset) REGISTER(0x40201000 + (offset))
#define NAME SHOWN(0xff0)
#define RESETS SHOWN(0xff4)
#define KIND (SHOWN(0) & 0xff)
#define CHOICE 0x1fe000

static u32 in_dram = 1;
static u32 choice[1];

static void order_other_half(void)
{
    choice[0] = NAME == 1 ? 2 : 1;
    SPIEraseSector(CHOICE >> 12);
    SPIWrite(CHOICE, choice, 4);
}

/* What was downloaded lies at 1 MiB. */
static void order_copy(void)
{
    u32 n;
    for (n = 0; n < WORDS; n++)
        RTC_MEMORY(COMMAND + n) = 0;
    RTC_MEMORY(COMMAND + 1) = COPY;
    RTC_MEMORY(COMMAND + 2) = 0x100000;
    RTC_MEMORY(COMMAND + 3) = 0x1000;
    RTC_MEMORY(COMMAND + 4) = 0x1000;
    RTC_MEMORY(COMMAND) = MAGIC;
    /* The second image orders what is damaged. */
    RTC_MEMORY(COMMAND + WORDS - 1) = crc_of_command() ^ (NAME == 1 ? 0 : 1);
}

void entry(void)
{
    ets_printf("image %d, reset cause %d, %d resets, data %d\n", NAME, REGISTER(0x60000714) & 7, RTC_MEMORY(64), in_dram);
    in_dram = 2;
    if (RTC_MEMORY(64)++ >= RESETS)
        return;
    if (KIND == 0xea)
        order_other_half();
    else
        order_copy();
    /* What the ROM has said, and this, must have left before. */
    ets_delay_us(50000);
    restart();
}
