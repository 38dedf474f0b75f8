/* UART0 and UART1: rates, FIFOs, interrupts, autobaud. What UART0 hears it says again; "x" ends that. */
#include "esp8266.h"

#define UART(n, offset) REGISTER(0x60000000 + 0xf00 * (n) + (offset))
#define FIFO(n) UART(n, 0x00)
#define INT_RAW(n) UART(n, 0x04)
#define INT_ST(n) UART(n, 0x08)
#define INT_ENA(n) UART(n, 0x0c)
#define INT_CLR(n) UART(n, 0x10)
#define CLKDIV(n) UART(n, 0x14)
#define AUTOBAUD(n) UART(n, 0x18)
#define STATUS(n) UART(n, 0x1c)
#define CONF0(n) UART(n, 0x20)
#define CONF1(n) UART(n, 0x24)
#define PULSES(n) UART(n, 0x30)

#define RX_FULL (1 << 0)
#define TX_EMPTY (1 << 1)
#define RX_SILENT (1 << 8)
#define EIGHT_N_ONE (3 << 2 | 1 << 4)

static volatile u32 full, silent, heard, ended;

static void set(u32 n, u32 baud)
{
    CLKDIV(n) = 80000000 / baud;
    CONF0(n) = EIGHT_N_ONE;
}

static void say(u32 n, const char *text)
{
    for (; *text; text++) {
        while ((STATUS(n) >> 16 & 0xff) >= 126)
            ;
        FIFO(n) = *text;
    }
}

static void sent(u32 n)
{
    while (STATUS(n) >> 16 & 0xff)
        ;
}

static void on_uart(void *argument)
{
    u32 status = INT_ST(0);
    (void)argument;
    full += status & RX_FULL ? 1 : 0;
    silent += status & RX_SILENT ? 1 : 0;
    while (STATUS(0) & 0xff) {
        u32 byte = FIFO(0);
        heard++;
        ended |= byte == 'x';
        FIFO(0) = byte;
    }
    INT_CLR(0) = 0x1ff;
}

void entry(void)
{
    u32 before, n;

    start_clock();
    set(0, 115200);
    set(1, 921600);
    say(1, "UART1 speaks at 921600\n");
    say(0, "UART0 at 115200\n");
    sent(0);

    /* A hundred bytes and the one that is on the line: ten bits each. */
    before = us();
    for (n = 0; n < 100; n++)
        FIFO(0) = '.';
    sent(0);
    ets_printf("\n100 bytes take 8.6 ms: %s\n", about(us() - before, 99 * 10 * 694 / 80));
    sent(0);
    ets_delay_us(1000);

    /* Few bytes left to be sent are told. */
    CONF1(0) = 20 << 8;
    INT_CLR(0) = 0x1ff;
    for (n = 0; n < 60; n++)
        FIFO(0) = '-';
    INT_CLR(0) = TX_EMPTY;
    n = INT_RAW(0) & TX_EMPTY ? 1 : 0;
    while (!(INT_RAW(0) & TX_EMPTY))
        ;
    before = STATUS(0) >> 16 & 0xff;
    sent(0);
    ets_printf("\nTX empty %d, then at %d bytes\n", n, before);
    sent(0);
    ets_delay_us(1000);

    AUTOBAUD(0) = 1;
    ets_printf("autobaud %s\n", PULSES(0) ? "has seen edges" : "has seen nothing");
    AUTOBAUD(0) = 0;

    CONF1(0) = 10 | 2 << 24 | 1u << 31;
    INT_CLR(0) = 0x1ff;
    INT_ENA(0) = RX_FULL | RX_SILENT;
    ets_isr_attach(UART_INTERRUPT, on_uart, 0);
    ets_isr_unmask(1 << UART_INTERRUPT);
    ets_printf("speak\n");
    while (!ended)
        ;
    INT_ENA(0) = 0;
    ets_printf("\nheard %d, full %d, silent %d\n", heard, full, silent);
}
