/* The rows of the map that keep what they are told, and do nothing: first and last word of each, and the analogue part by the
   ROM's functions. */
#include "esp8266.h"

static void keeps(const char *name, u32 first, u32 last)
{
    REGISTER(first) = 0x12345678;
    REGISTER(last) = 0x9abcdef0;
    ets_printf("%s %x %x\n", name, REGISTER(first), REGISTER(last));
}

void entry(void)
{
    keeps("RF", 0x60000400, 0x600005fc);
    keeps("IO_MUX", 0x60000800, 0x60000840);
    keeps("ANALOG", 0x60000a00, 0x60000efc);
    keeps("BB", 0x60009800, 0x60009ffc);
    rom_i2c_writeReg(0x61, 1, 3, 0xa5);
    ets_printf("I2C %x\n", rom_i2c_readReg(0x61, 1, 3));
}
