/* Each device says one line; the test compares them. */
typedef unsigned int u32;
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

#define REGISTER(address) (*(volatile u32 *)(address))
#define FRC2_COUNT REGISTER(0x60000624)
#define FRC2_CTRL REGISTER(0x60000628)
#define FRC2_INT REGISTER(0x6000062c)
#define FRC2_ALARM REGISTER(0x60000630)
#define EDGE_ENABLE REGISTER(0x3ff00004)
#define GPIO_OUT_W1TS REGISTER(0x60000304)
#define GPIO_OUT_W1TC REGISTER(0x60000308)
#define GPIO_ENABLE_W1TS REGISTER(0x60000310)
#define GPIO_IN REGISTER(0x60000318)
#define SPI_CMD REGISTER(0x60000200)
#define SPI_W0 REGISTER(0x60000240)
#define RANDOM REGISTER(0x3ff20e44)

/* In the flash, which is read by words alone. */
__attribute__((section(".flash"))) const u8 in_flash[] = "flash";

static u32 queue[2 * 4];
static volatile u32 alarms;

/* A load of less than a word from the flash: l8ui is all that this program has. The handler does it by a word, and goes on
   behind it. */
static void emulate_load(u32 *frame, u32 cause)
{
    u32 pc = frame[0];
    u32 shift = 8 * (pc & 3);
    u32 *words = (u32 *)(pc & ~3);
    u32 instruction = words[0] >> shift | (shift ? words[1] << (32 - shift) : 0);
    u32 s = instruction >> 8 & 15, t = instruction >> 4 & 15;
    u32 address;
    (void)cause;
    /* a0 is word 4 of the frame, a2 to a15 are words 5 to 18, a1 is behind the frame. */
    address = (s == 0 ? frame[4] : s == 1 ? (u32)frame + 256 : frame[3 + s]) + (instruction >> 16 & 255);
    frame[t == 0 ? 4 : 3 + t] = *(u32 *)(address & ~3) >> (8 * (address & 3)) & 255;
    frame[0] = pc + 3;
}

static void on_alarm(void *argument)
{
    FRC2_INT = 0;
    alarms++;
    FRC2_ALARM += 100000;
    ets_post(3, alarms, *(u32 *)argument);
}

static void task(u32 *event)
{
    ets_printf("task %d %x\n", event[0], event[1]);
}

static u32 buffer[4] = {0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00};
static u32 back[4];
static u32 argument = 0xcafe;

void entry(void)
{
    u32 before, took, one, two;
    const volatile u8 *p;

    _xtos_set_exception_handler(3, emulate_load);
    ets_printf("flash says ");
    for (p = in_flash; *p; p++)
        ets_printf("%c", *p);
    ets_printf("\n");

    /* 80 MHz by 16: five counts in a microsecond. */
    FRC2_CTRL = 1 << 7 | 1 << 2;
    before = FRC2_COUNT;
    ets_delay_us(1000);
    took = (FRC2_COUNT - before) / 5;
    ets_printf("delay %s\n", took >= 1000 && took < 1010 ? "is right" : "is wrong");

    before = FRC2_COUNT;
    SPIEraseSector(0x40);
    took = (FRC2_COUNT - before) / 5;
    ets_printf("erase takes %d ms\n", took / 1000);
    SPIWrite(0x40000, buffer, 16);
    SPIRead(0x40000, back, 16);
    ets_printf("flash %x %x\n", back[0], back[3]);
    buffer[0] = 0xf0f0f0f0;
    SPIWrite(0x40000, buffer, 4);
    SPIRead(0x440000, back, 4);
    ets_printf("and wraps %x\n", back[0]);

    SPI_CMD = 1 << 28;
    ets_printf("flash id %x\n", SPI_W0 & 0xffffff);

    GPIO_ENABLE_W1TS = 1 << 5;
    GPIO_OUT_W1TS = 1 << 5;
    one = GPIO_IN >> 5 & 1;
    GPIO_OUT_W1TC = 1 << 5;
    two = GPIO_IN >> 5 & 1;
    ets_printf("pin %d %d\n", one, two);

    one = RANDOM;
    two = RANDOM;
    ets_printf("random %s\n", one != two ? "differs" : "is the same");

    ets_task(task, 3, queue, 4);
    ets_isr_attach(10, on_alarm, &argument);
    EDGE_ENABLE = 1 << 2;
    FRC2_ALARM = FRC2_COUNT + 100000;
    ets_isr_unmask(1 << 10);
}
