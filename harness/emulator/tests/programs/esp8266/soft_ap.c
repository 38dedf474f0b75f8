/* An access point, on the second interface, beside a station on the first, as chips are that nobody has set up: it beacons,
   lets stations in, and says to each what it has heard of it. */
#include "mac.h"

enum { BEACON_US = 102400 };

static const u8 station[6] = {0x18, 0xfe, 0x34, 0x00, 0x00, 0x01};
static const u8 own[6] = {0x1a, 0xfe, 0x34, 0x00, 0x00, 0x01};
static const u8 everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
/* Interval and capabilities; the name, rates, the channel. */
static const char announced[] = "\x64\0\x01\0" "\0\x0a" "ESP_000001" "\x01\x04\x82\x84\x8b\x96" "\x03\x01\x06";
/* No traffic is kept. */
static const char indication[] = "\x05\x04\0\x01\0\0";

/* The time is when it is sent, near enough. */
static u8 *announce(u32 kind, const u8 *to)
{
    u8 *at = header(kind, to, own, own);
    u32 words[2] = {now_us(), COUNTER_HIGH};
    at = put(at, (const char *)words, 8);
    return put(at, announced, sizeof(announced) - 1);
}

static void beacon(void)
{
    send(put(announce(0x0080, everybody), indication, 6));
}

/* Whether it is asked for this network, or for any. */
static u32 is_meant(const u8 *body)
{
    return body[0] == 0 && (body[1] == 0 || (body[1] == 10 && is_same(body + 2, (const u8 *)announced + 6, 10)));
}

static void echo(const u8 *frame, u32 length, const u8 *to)
{
    u8 *at = header(0x0208, to, own, own);
    at = put(at, "\xaa\xaa\x03\0\0\0\x88\xb5", 8);
    at = put(at, "heard ", 6);
    if (!send(put(at, (const char *)frame + HEADER + 8, length - HEADER - 8)))
        ets_printf("nobody has acknowledged it\n");
}

static void hear(const u8 *frame, u32 length)
{
    u8 from[6];
    if (length < HEADER)
        return;
    copy(from, frame + FROM, 6);
    if (frame[0] == 0x40) {
        if (is_meant(frame + HEADER))
            send(announce(0x0050, from));
        return;
    }
    if (!is_same(frame + TO, own, 6)) {
        if (is_same(frame + TO, station, 6))
            ets_printf("the station hears %x, mark %d\n", frame[0], interfaces_of(frame));
        return;
    }
    switch (frame[0]) {
    case 0xb0:
        send(put(header(0x00b0, from, own, own), "\0\0\2\0\0\0", 6));
        ets_printf("%x authenticates, mark %d\n", from[5], interfaces_of(frame));
        break;
    case 0x00:
        send(put(put(header(0x0010, from, own, own), "\x01\0\0\0\x01\xc0", 6), announced + 16, 6));
        ets_printf("%x is associated\n", from[5]);
        break;
    case 0x08:
        echo(frame, length, from);
        break;
    case 0xc0:
        ets_printf("%x goes, reason %d\n", from[5], frame[HEADER]);
        break;
    }
}

void entry(void)
{
    u32 length, due;
    u8 *frame;
    start_interface(STATION, station);
    start_interface(ACCESS_POINT, own);
    start_mac(2437);
    ets_printf("beacons\n");
    due = now_us();
    for (;;) {
        beacon();
        due += BEACON_US;
        alarm(due, 0);
        while ((frame = next_frame(&length))) {
            hear(frame, length);
            give_back();
        }
    }
}
