/* SPI0 with the flash behind it, by its registers: identity, permission, times, what programming does, and where addresses wrap.
   SPI1 has nobody at its end. */
#include "esp8266.h"

#define SPI0(offset) REGISTER(0x60000200 + (offset))
#define SPI1(offset) REGISTER(0x60000100 + (offset))
#define CMD 0x00
#define ADDR 0x04
#define RD_STATUS 0x10
#define W0 0x40
#define READ (1u << 31)
#define WREN (1u << 30)
#define RDID (1u << 28)
#define RDSR (1u << 27)
#define PP (1u << 25)
#define SE (1u << 24)
#define USR (1u << 18)

static void command(u32 command)
{
    SPI0(CMD) = command;
    while (SPI0(CMD))
        ;
}

static u32 status(void)
{
    command(RDSR);
    return SPI0(RD_STATUS) & 0xff;
}

/* How long it is busy. */
static u32 busy_us(void)
{
    u32 before = us();
    while (status() & 1)
        ;
    return us() - before;
}

static u32 word_at(u32 address)
{
    SPI0(ADDR) = address | 4 << 24;
    command(READ);
    return SPI0(W0);
}

static void program(u32 address, u32 value)
{
    SPI0(ADDR) = address | 4 << 24;
    SPI0(W0) = value;
    command(PP);
}

void entry(void)
{
    start_clock();
    command(RDID);
    ets_printf("identity %x\n", SPI0(W0) & 0xffffff);

    ets_printf("erased %x, status %x\n", word_at(0x80000), status());
    program(0x80000, 0x12345678);
    ets_printf("without permission %x\n", word_at(0x80000));
    command(WREN);
    ets_printf("permission %x\n", status());
    program(0x80000, 0x12345678);
    ets_printf("a page in 0.7 ms: %s\n", about(busy_us(), 700));
    ets_printf("permission is used up: %x\n", status());
    ets_printf("programmed %x\n", word_at(0x80000));
    command(WREN);
    program(0x80000, 0xf0f0f0f0);
    busy_us();
    ets_printf("again, bits fall: %x\n", word_at(0x80000));
    ets_printf("and at 4 MiB beyond: %x\n", word_at(0x480000));
    command(WREN);
    SPI0(ADDR) = 0x80000;
    command(SE);
    ets_printf("a sector in 45 ms: %s\n", about(busy_us(), 45000));
    ets_printf("erased %x\n", word_at(0x80000));

    SPI1(W0) = 0xcafe;
    SPI1(CMD) = USR;
    while (SPI1(CMD))
        ;
    ets_printf("SPI1 is done, and keeps %x\n", SPI1(W0));
}
