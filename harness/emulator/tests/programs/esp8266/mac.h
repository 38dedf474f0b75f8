/* The MAC as programs drive it: a ring of buffers, one queue, a timer, and one interrupt for all of them. What a program does
   between two events costs nothing: it waits. */
#ifndef MAC_H
#define MAC_H
#include "esp8266.h"

void rom_mhz2ieee(u32 mhz);

#define WDEV(offset) REGISTER(0x3ff20000 + (offset))
#define RECEIVE_CONTROL WDEV(0x004)
#define RING_BASE WDEV(0x008)
#define EVENTS_ENABLED WDEV(0xc18)
#define EVENTS WDEV(0xc20)
#define EVENTS_CLEAR WDEV(0xc24)
#define OWN_ADDRESS(interface) WDEV(0xc48 + 8 * (interface))
#define OWN_MASK(interface) WDEV(0xc58 + 8 * (interface))
#define RESULT WDEV(0xc84)
#define QUEUE(offset) WDEV(0xdc0 + (offset))
#define COUNTER WDEV(0x1048)
#define COUNTER_HIGH WDEV(0x104c)
#define TIMER WDEV(0x10c8)
#define TIMER_AT WDEV(0x10cc)
#define TIMER_AT_HIGH WDEV(0x10d0)

/* Events. */
#define RECEIVED (1u << 8)
#define SENT (1u << 18 | 1u << 19)
#define TIME (1u << 26)

#define RECEIVE_ON (1u << 31)
#define OWNER (1u << 31)
#define HAS_DATA (1u << 30)
#define GO (3u << 30)
#define ACKNOWLEDGED (1u << 24)
#define INTERFACE_ON (1u << 16)

#define WMAC_INTERRUPT 0

/* The receiver's words before a frame, and its check sequence. */
enum { WORDS_BYTES = 12, CHECK_BYTES = 4 };
enum { RING_LENGTH = 6, BUFFER_BYTES = 1604 };
enum { STATION = 0, ACCESS_POINT = 1 };
/* Octets of a header with three addresses; where its parts are. */
enum { HEADER = 24, TO = 4, FROM = 10, THIRD = 16, SEQUENCE = 22 };
/* Drivers try so often: once, and ten times again. */
enum { ATTEMPTS_MAX = 11 };

static u8 buffers[RING_LENGTH][BUFFER_BYTES] __attribute__((aligned(4)));
static volatile u32 ring[RING_LENGTH][3];
static u32 in_turn;
static u8 out[256] __attribute__((aligned(4)));
static volatile u32 to_send[3];
static volatile u32 seen;
static u32 sequence, again;

static void copy(u8 *to, const u8 *from, u32 length)
{
    while (length-- > 0)
        *to++ = *from++;
}

static inline u32 is_same(const u8 *one, const u8 *other, u32 length)
{
    while (length-- > 0)
        if (*one++ != *other++)
            return 0;
    return 1;
}

static void on_event(void *argument)
{
    u32 events;
    (void)argument;
    while ((events = EVENTS & EVENTS_ENABLED) != 0) {
        EVENTS_CLEAR = events;
        seen |= events;
    }
}

/* Waits until one of these events has happened, and takes it. */
static u32 wait_for(u32 events)
{
    u32 level, taken;
    for (;;) {
        __asm__ volatile("rsil %0, 15" : "=a"(level) : : "memory");
        taken = seen & events;
        seen &= ~taken;
        if (taken)
            break;
        /* An interrupt that came in between ends it at once. */
        __asm__ volatile("waiti 0" : : : "memory");
    }
    __asm__ volatile("rsil %0, 0" : "=a"(level) : : "memory");
    return taken;
}

static u32 now_us(void)
{
    return COUNTER;
}

/* TIME is to happen so much later than `from`; at once, if that has passed. */
static void alarm(u32 from, u32 after)
{
    TIMER = 0;
    seen &= ~TIME;
    TIMER_AT = from + after;
    TIMER_AT_HIGH = COUNTER_HIGH;
    TIMER = 1u << 31;
}

static void start_interface(u32 interface, const u8 *address)
{
    OWN_ADDRESS(interface) = address[0] | address[1] << 8 | address[2] << 16 | (u32)address[3] << 24;
    (&OWN_ADDRESS(interface))[1] = address[4] | address[5] << 8;
    (&OWN_MASK(interface))[0] = 0xffffffff;
    (&OWN_MASK(interface))[1] = INTERFACE_ON | 0xffff;
}

static void start_mac(u32 mhz)
{
    u32 n;
    for (n = 0; n < RING_LENGTH; n++) {
        ring[n][0] = OWNER | BUFFER_BYTES;
        ring[n][1] = (u32)buffers[n];
        ring[n][2] = (u32)ring[n + 1 < RING_LENGTH ? n + 1 : 0];
    }
    rom_mhz2ieee(mhz);
    RING_BASE = (u32)ring;
    RECEIVE_CONTROL = RECEIVE_ON | 1;
    EVENTS_ENABLED = RECEIVED | SENT | TIME;
    ets_isr_attach(WMAC_INTERRUPT, on_event, 0);
    ets_isr_unmask(1 << WMAC_INTERRUPT);
}

/* The frame that came first of those that lie there; 0 if none does. */
static u8 *first_frame(u32 *length)
{
    if (!(ring[in_turn][0] & HAS_DATA))
        return 0;
    *length = (ring[in_turn][0] >> 12 & 0xfff) - WORDS_BYTES - CHECK_BYTES;
    return buffers[in_turn] + WORDS_BYTES;
}

/* In front of a frame: bits 28 and 29 say for which interface it is. */
static inline u32 interfaces_of(const u8 *frame)
{
    return *(const u32 *)(frame - WORDS_BYTES) >> 28 & 3;
}

/* Its buffer is the receiver's again. */
static void give_back(void)
{
    ring[in_turn][0] = OWNER | BUFFER_BYTES;
    in_turn = in_turn + 1 < RING_LENGTH ? in_turn + 1 : 0;
}

/* The next frame that comes before TIME. What it is given stays until give_back(). */
static u8 *next_frame(u32 *length)
{
    u8 *frame;
    while (!(frame = first_frame(length)))
        if (wait_for(RECEIVED | TIME) & TIME)
            return 0;
    return frame;
}

/* A header of `kind`, the first two octets; what follows begins behind it. */
static u8 *header(u32 kind, const u8 *to, const u8 *from, const u8 *third)
{
    out[0] = kind;
    out[1] = kind >> 8;
    out[2] = out[3] = 0;
    copy(out + TO, to, 6);
    copy(out + FROM, from, 6);
    copy(out + THIRD, third, 6);
    sequence += 16;
    out[SEQUENCE] = sequence;
    out[SEQUENCE + 1] = sequence >> 8;
    return out + HEADER;
}

/* One attempt at 1 Mbit/s; 0 if it was acknowledged or nobody has to, 5 if nobody has. */
static u32 attempt(u32 length)
{
    u32 expects = out[TO] & 1 ? 0 : ACKNOWLEDGED;
    length += CHECK_BYTES;
    to_send[0] = length << 12 | length | HAS_DATA | OWNER;
    to_send[1] = (u32)out;
    to_send[2] = 0;
    seen &= ~SENT;
    QUEUE(0) = 0;
    QUEUE(8) = length;
    QUEUE(16) = 0;
    QUEUE(20) = 0x100000;
    QUEUE(4) = ((u32)to_send & 0x3ffff) | GO | expects;
    wait_for(SENT);
    return RESULT >> 28;
}

/* Sends what lies in `out` up to `end`, again where it has to be; whether it was acknowledged. */
static u32 send(const u8 *end)
{
    u32 n;
    for (n = 0; n < ATTEMPTS_MAX; n++) {
        if (attempt(end - out) == 0)
            return 1;
        out[1] |= 8;
        again++;
    }
    return 0;
}

static inline u8 *put(u8 *at, const char *octets, u32 length)
{
    copy(at, (const u8 *)octets, length);
    return at + length;
}

#endif
