/* A station of an open network: it joins, says where it is, dozes and fetches what was kept for it, and notices when the link
   is gone. Its numbers and messages are those of IEEE Std 802.11-2020; what it does when is a driver's business, and simple. */
#include "mac.h"

/* A beacon and all that it announces comes each 102.4 ms. */
enum { BEACON_US = 102400, EARLY_US = 2000 };
/* After so many intervals without a beacon it asks. */
enum { MISSED_MAX = 10 };

static const u8 own[6] = {0x18, 0xfe, 0x34, 0x00, 0x00, 0x01};
static const u8 everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const char network[] = "shakedown", rates[] = "\x01\x04\x82\x84\x8b\x96";
static u8 access_point[6];
static u32 identifier, beacon_at;

static void probe(const u8 *to)
{
    u8 *end = put(header(0x0040, to, own, to), "\0\x09", 2);
    send(put(put(end, network, 9), rates, 6));
}

/* A management frame of this kind for us, or none before TIME. Its buffer is given back, and its octets stay a while. */
static u8 *answer(u32 kind)
{
    u32 length;
    u8 *frame;
    while ((frame = next_frame(&length))) {
        give_back();
        if (frame[0] == kind && is_same(frame + TO, own, 6))
            return frame + HEADER;
    }
    return 0;
}

static void look(void)
{
    u8 *body;
    for (;;) {
        probe(everybody);
        alarm(now_us(), 100000);
        body = answer(0x50);
        if (body) {
            copy(access_point, body - HEADER + FROM, 6);
            ets_printf("found\n");
            return;
        }
    }
}

static u32 join(void)
{
    u8 *body;
    send(put(header(0x00b0, access_point, own, access_point), "\0\0\1\0\0\0", 6));
    alarm(now_us(), 100000);
    body = answer(0xb0);
    if (!body || body[4])
        return 0;
    body = put(header(0x0000, access_point, own, access_point), "\x01\x04\x03\0\0\x09", 6);
    send(put(put(body, network, 9), rates, 6));
    alarm(now_us(), 100000);
    body = answer(0x10);
    if (!body || body[2])
        return 0;
    identifier = (body[4] | body[5] << 8) & 0x3fff;
    ets_printf("joined as %d\n", identifier);
    return 1;
}

/* Data for everybody on the Ethernet behind the access point. */
static void say(const char *text, u32 length)
{
    u8 *end = put(header(0x0108, access_point, own, everybody), "\xaa\xaa\x03\0\0\0\x88\xb5", 8);
    if (!send(put(end, text, length)))
        ets_printf("nobody has acknowledged it\n");
}

static void tell_whether_it_dozes(u32 dozes)
{
    ets_printf(dozes ? "dozes\n" : "is awake\n");
    send(header(dozes ? 0x1148 : 0x0148, access_point, own, access_point));
}

/* What the data frame says, behind LLC and SNAP. */
static void tell(const u8 *frame, u32 length)
{
    u32 n;
    ets_printf("hears ");
    for (n = HEADER + 8; n < length; n++)
        ets_printf("%c", frame[n]);
    ets_printf(frame[TO] & 1 ? " for all" : "");
    ets_printf(frame[1] & 0x20 ? ", and there is more\n" : "\n");
}

/* Deauthenticated or disassociated: the link is gone. */
static u32 is_end(const u8 *frame)
{
    if ((frame[0] != 0xc0 && frame[0] != 0xa0) || !is_same(frame + FROM, access_point, 6))
        return 0;
    ets_printf("sent away, reason %d\n", frame[HEADER] | frame[HEADER + 1] << 8);
    return 1;
}

/* One element of a beacon; 0 if it has none. */
static const u8 *element(const u8 *frame, u32 length, u8 number)
{
    const u8 *at = frame + HEADER + 12;
    while (at + 2 + at[1] <= frame + length) {
        if (at[0] == number)
            return at;
        at += 2 + at[1];
    }
    return 0;
}

enum { FOR_US = 1, FOR_ALL = 2 };

/* What the traffic indication map has for us. */
static u32 indicated(const u8 *frame, u32 length)
{
    const u8 *map = element(frame, length, 5);
    u32 begins, octet, kept = 0;
    if (!map)
        return 0;
    if (map[4] & 1)
        kept |= FOR_ALL;
    begins = map[4] & 0xfe;
    octet = identifier / 8;
    if (octet >= begins && octet - begins + 3 < map[1] + 0u && map[5 + octet - begins] >> identifier % 8 & 1)
        kept |= FOR_US;
    return kept;
}

static u32 poll(void)
{
    out[0] = 0xa4;
    out[1] = 0;
    out[2] = identifier;
    out[3] = 0xc0;
    copy(out + TO, access_point, 6);
    copy(out + FROM, own, 6);
    return send(out + 16);
}

enum { ENDED, BEACON, DATA, NOTHING };

/* The next thing that matters before TIME; what a beacon indicates. */
static u32 next_thing(u32 *kept, u32 *more)
{
    u32 length, thing = NOTHING;
    u8 *frame;
    while (thing == NOTHING && (frame = next_frame(&length))) {
        if (is_end(frame))
            thing = ENDED;
        else if (frame[0] == 0x80 && is_same(frame + FROM, access_point, 6)) {
            thing = BEACON;
            beacon_at = now_us();
            *kept = indicated(frame, length);
        } else if (frame[0] == 0x08) {
            thing = DATA;
            *more = frame[1] & 0x20;
            tell(frame, length);
        }
        give_back();
    }
    return thing;
}

/* Dozes for so many beacons: deaf between them, and awake for each and for what comes behind it. By polls each frame that
   was kept is fetched; otherwise it says that it is awake, and gets all. */
static u32 doze(u32 beacons, u32 by_polls)
{
    u32 n, thing, kept = 0, more = 0;
    tell_whether_it_dozes(1);
    for (n = 0; n < beacons; n++) {
        RECEIVE_CONTROL = 0;
        alarm(beacon_at, BEACON_US - EARLY_US);
        wait_for(TIME);
        RECEIVE_CONTROL = RECEIVE_ON;
        alarm(beacon_at, BEACON_US + EARLY_US);
        kept = 0;
        thing = next_thing(&kept, &more);
        if (thing == ENDED)
            return 0;
        if (thing != BEACON)
            beacon_at += BEACON_US;
        if (kept & FOR_ALL) {
            alarm(beacon_at, 20000);
            while (next_thing(&kept, &more) == DATA && more)
                ;
        }
        if (!(kept & FOR_US))
            continue;
        ets_printf("something was kept\n");
        if (!by_polls)
            break;
        do {
            poll();
            more = 0;
            alarm(now_us(), 20000);
            next_thing(&kept, &more);
        } while (more);
    }
    tell_whether_it_dozes(0);
    alarm(now_us(), 20000);
    while (next_thing(&kept, &more) != NOTHING)
        ;
    return 1;
}

/* Until the link is gone: sent away, or no beacon for ten intervals and no answer. */
static void listen(void)
{
    u32 kept, more;
    for (;;) {
        alarm(beacon_at, MISSED_MAX * BEACON_US);
        switch (next_thing(&kept, &more)) {
        case ENDED:
            return;
        case NOTHING:
            ets_printf("%d beacons were missed\n", MISSED_MAX);
            again = 0;
            probe(access_point);
            alarm(now_us(), 20000);
            if (!answer(0x50)) {
                ets_printf("nobody answers after %d attempts: the link is lost\n", again);
                return;
            }
            ets_printf("it answers\n");
            beacon_at = now_us();
        }
    }
}

/* When the next beacon comes is known once there was one. */
static u32 meet_a_beacon(void)
{
    u32 kept, more, thing;
    alarm(now_us(), 3 * BEACON_US);
    while ((thing = next_thing(&kept, &more)) == DATA)
        ;
    return thing == BEACON;
}

void entry(void)
{
    start_interface(STATION, own);
    start_mac(2437);
    for (;;) {
        look();
        if (!join())
            continue;
        say("here", 4);
        if (meet_a_beacon() && doze(8, 1) && doze(8, 0)) {
            ets_printf("listens\n");
            listen();
        }
    }
}
