/* What the programs share: types, the ROM's functions, and registers by their places in Espressif's technical reference
   (version 1.7). */
#ifndef ESP8266_H
#define ESP8266_H

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

int ets_printf(const char *format, ...);
void ets_isr_attach(int number, void (*handler)(void *), void *argument);
void ets_isr_unmask(u32 mask);
void ets_task(void (*task)(u32 *), u8 priority, u32 *queue, u8 length);
int ets_post(u8 priority, u32 signal, u32 parameter);
void ets_delay_us(u32 us);
void *_xtos_set_exception_handler(u32 cause, void (*handler)(u32 *frame, u32 cause));
int SPIRead(u32 address, u32 *to, u32 length);
int SPIWrite(u32 address, const u32 *from, u32 length);
int SPIEraseSector(u32 sector);
u8 rom_i2c_readReg(u8 block, u8 host, u8 address);
void rom_i2c_writeReg(u8 block, u8 host, u8 address, u8 value);

#define REGISTER(address) (*(volatile u32 *)(address))

/* Interrupts, by their numbers. */
enum { GPIO_INTERRUPT = 4, UART_INTERRUPT = 5, WDT_INTERRUPT = 8, FRC1_INTERRUPT = 9, FRC2_INTERRUPT = 10 };

#define EDGE_ENABLE REGISTER(0x3ff00004)
#define FRC2_COUNT REGISTER(0x60000624)
#define FRC2_CTRL REGISTER(0x60000628)

/* 80 MHz by 16: five counts of FRC2 are a microsecond. */
static inline void start_clock(void)
{
    FRC2_CTRL = 1 << 7 | 1 << 2;
}

static inline u32 us(void)
{
    return FRC2_COUNT / 5;
}

/* Whether it took so long, or up to a fiftieth longer; what it is measured with may show 20 too few. */
static inline const char *about(u32 took, u32 wanted)
{
    return took + 20 >= wanted && took <= wanted + wanted / 50 + 20 ? "as it should" : "otherwise";
}

#endif
