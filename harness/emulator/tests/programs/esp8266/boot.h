/* What the boot loaders share: they read images of Espressif's first format from the flash by the ROM's functions, as their
   published descriptions have it (esptool documentation, "Firmware Image Format"). */
#ifndef BOOT_H
#define BOOT_H
#include "esp8266.h"

void Cache_Read_Enable(u32 odd, u32 two_megabytes, u32 whole_ram);
void Cache_Read_Disable(void);
u32 ets_wdt_disable(void);
void ets_wdt_restore(u32 mode);

/* The RTC's memory, of which the second half is firmware's. */
#define RTC_MEMORY(word) REGISTER(0x60001000 + 4 * (word))
#define RTC_CONTROL REGISTER(0x60000700)
#define SOFTWARE_RESET (1u << 31)

/* A command for the boot loader that copies, as the Arduino core's `eboot` takes it: a magic number, what to do, where from,
   where to, how long, and at the end of the 32 words a CRC-32 over the others. */
enum { COMMAND = 128, WORDS = 32, MAGIC = 0xeb001000, COPY = 1 };

static inline u32 crc_of_command(void)
{
    u32 crc = 0xffffffff, n, bit, carry;
    for (n = 0; n < 4 * (WORDS - 1); n++) {
        u32 octet = RTC_MEMORY(COMMAND + n / 4) >> 8 * (n % 4) & 0xff;
        for (bit = 0x80; bit; bit >>= 1) {
            carry = crc >> 31 ^ (octet & bit ? 1 : 0);
            crc = crc << 1 ^ (carry ? 0x04c11db7 : 0);
        }
    }
    return crc;
}

typedef void (*entry_point)(void);

static inline void restart(void)
{
    RTC_CONTROL |= SOFTWARE_RESET;
    for (;;)
        ;
}

/* Loads the segments of the image at `at`; its entry point, or 0. */
static inline entry_point load(u32 at)
{
    u32 header[2], segment[2], n;
    SPIRead(at, header, 8);
    if ((header[0] & 0xff) != 0xe9)
        return 0;
    at += 8;
    for (n = 0; n < (header[0] >> 8 & 0xff); n++) {
        SPIRead(at, segment, 8);
        SPIRead(at + 8, (u32 *)segment[0], segment[1]);
        at += 8 + segment[1];
    }
    return (entry_point)header[1];
}

#endif
