/* WDEV: time, chance, keys, and a frame each way. A descriptor is size, length, end and owner; buffer; next. */
#include "esp8266.h"

#define WDEV(offset) REGISTER(0x3ff20000 + (offset))
#define RECEIVE_CONTROL WDEV(0x004)
#define RING_BASE WDEV(0x008)
#define MICROSECONDS WDEV(0xc00)
#define EVENTS WDEV(0xc20)
#define EVENTS_CLEAR WDEV(0xc24)
#define RESULT WDEV(0xc84)
#define QUEUE(offset) WDEV(0xdc0 + (offset))
#define RANDOM WDEV(0xe44)
#define KEYS_VALID WDEV(0x80c)
#define KEY(offset) WDEV(0x1400 + (offset))

#define RECEIVED (1 << 8)
#define SENT (1 << 18 | 1 << 19)

/* A probe request to everybody, for any network. */
static u8 probe[] __attribute__((aligned(4))) = {
    0x40, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x18, 0xfe, 0x34, 0x01, 0x02, 0x03, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0x10, 0x00, 0x00, 0x00, 0x01, 0x04, 0x02, 0x04, 0x0b, 0x16, 0, 0, 0, 0,
};
static u8 buffers[2][1600] __attribute__((aligned(4)));
static u32 to_send[3], ring[2][3];

void entry(void)
{
    u32 n, before, one, two;

    start_clock();
    before = MICROSECONDS;
    ets_delay_us(1000);
    ets_printf("its microseconds: %s\n", about(MICROSECONDS - before, 1000));

    one = RANDOM;
    two = RANDOM;
    ets_printf("random %s\n", one != two ? "differs" : "is the same");

    for (n = 0; n < 4; n++)
        KEY(8 + 4 * n) = 0x01010101 * n;
    KEYS_VALID = 1;
    ets_printf("key %x %x\n", KEY(8), KEY(20));

    /* The frame and room for its check sequence: the descriptor's length is all of it. */
    to_send[0] = sizeof(probe) << 12 | sizeof(probe) | 1 << 30 | 1u << 31;
    to_send[1] = (u32)probe;
    to_send[2] = 0;
    QUEUE(0) = 0;
    QUEUE(8) = sizeof(probe);
    QUEUE(16) = 0;
    QUEUE(20) = 0x100000;
    QUEUE(4) = ((u32)to_send & 0x3ffff) | 3u << 30;
    before = us();
    while ((EVENTS & SENT) != SENT && us() - before < 20000)
        ;
    ets_printf("sent %d, status %d\n", (EVENTS & SENT) == SENT, RESULT >> 28);
    EVENTS_CLEAR = SENT;
    ets_printf("and cleared: %d\n", (EVENTS & SENT) == 0);

    for (n = 0; n < 2; n++) {
        ring[n][0] = 1u << 31 | sizeof(buffers[n]);
        ring[n][1] = (u32)buffers[n];
        ring[n][2] = n == 0 ? (u32)ring[1] : 0;
    }
    RING_BASE = (u32)ring;
    RECEIVE_CONTROL = 1u << 31 | 1;
    ets_printf("listening\n");
    before = us();
    while (!(EVENTS & RECEIVED) && us() - before < 100000)
        ;
    EVENTS_CLEAR = RECEIVED;
    /* Twelve bytes of the receiver's own, then the frame. */
    ets_printf("received %d, frame control %x, owner %d, end %d\n", ring[0][0] >> 12 & 0xfff, buffers[0][12],
               ring[0][0] >> 31, ring[0][0] >> 30 & 1);
}
