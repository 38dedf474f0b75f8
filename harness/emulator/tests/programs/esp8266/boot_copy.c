/* A boot loader that copies: firmware leaves a command in the RTC's memory and resets the chip, and another image is then copied
   to where the first one was. */
#include "boot.h"

enum { APPLICATION = 0x1000, SECTOR = 0x1000 };

/* RAM that is nobody's yet. */
#define BUFFER ((u32 *)0x3ffe8000)

static void copy_image(u32 from, u32 to, u32 length)
{
    u32 at, mode = ets_wdt_disable();
    for (at = 0; at < length; at += SECTOR) {
        SPIEraseSector((to + at) >> 12);
        SPIRead(from + at, BUFFER, SECTOR);
        SPIWrite(to + at, BUFFER, SECTOR);
    }
    ets_wdt_restore(mode);
}

void entry(void)
{
    entry_point start;
    if (RTC_MEMORY(COMMAND) == MAGIC && RTC_MEMORY(COMMAND + 1) == COPY) {
        if (RTC_MEMORY(COMMAND + WORDS - 1) == crc_of_command()) {
            ets_printf("boot loader: copies %x\n", RTC_MEMORY(COMMAND + 4));
            copy_image(RTC_MEMORY(COMMAND + 2), RTC_MEMORY(COMMAND + 3), RTC_MEMORY(COMMAND + 4));
        } else
            ets_printf("boot loader: the command is damaged\n");
        RTC_MEMORY(COMMAND) = 0;
    }
    start = load(APPLICATION);
    if (!start) {
        ets_printf("there is none\n");
        return;
    }
    Cache_Read_Enable(0, 0, 0);
    start();
}
