/* Code as a compiler makes it, for the lock-step with QEMU: hashing, long multiplication, sorting, text, calls through
   pointers. Nothing is divided (the ESP8266 has that in its ROM), and no table of bytes is read, as code lies where words alone
   are loaded. */
/* The core begins at the first byte, without a stack. */
__asm__(".section .text.begin, \"ax\"\n"
        "begin: j 1f\n"
        ".align 4\n"
        "2: .word 0x3ffd0000\n"
        "1: l32r a1, 2b\n"
        "j entry\n"
        ".text\n");

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef signed short s16;

static u32 numbers[3][32];
static u8 text[256];
static s16 halves[64];

static u32 rotated(u32 x, int n)
{
    return x >> n | x << (32 - n);
}

static u32 hash(const u8 *from, int length)
{
    u32 a = 0x6a09e667, b = 0xbb67ae85, c = 0x3c6ef372;
    int n;
    for (n = 0; n < length; n++) {
        u32 t = c + (rotated(a, 6) ^ rotated(a, 11) ^ rotated(a, 25)) + ((a & b) ^ (~a & c)) + from[n];
        c = b;
        b = a;
        a = t + (rotated(b, 2) ^ rotated(b, 13) ^ rotated(b, 22));
    }
    return a ^ b ^ c;
}

/* The core multiplies 16 bits by 16 bits, or 32 by 32 to 32. */
static void multiply(u32 *to, const u32 *left, const u32 *right, int words)
{
    int i, j;
    for (i = 0; i < words; i++) {
        u32 carry = 0;
        for (j = 0; i + j < words; j++) {
            u32 l = left[i], r = right[j];
            u32 low = (l & 0xffff) * (r & 0xffff), middle = (l >> 16) * (r & 0xffff) + (low >> 16);
            u32 high = (l >> 16) * (r >> 16) + (middle >> 16);
            u32 sum = to[i + j] + l * r;
            carry = high + (sum < l * r) + carry;
            to[i + j] = sum;
        }
    }
}

static void sort(s16 *of, int count)
{
    int i, j;
    for (i = 1; i < count; i++) {
        s16 moved = of[i];
        for (j = i; j > 0 && of[j - 1] > moved; j--)
            of[j] = of[j - 1];
        of[j] = moved;
    }
}

static int fibonacci(int n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u32 in_digits(u8 *to, u32 value)
{
    u32 n = 0;
    do {
        u32 digit = value & 15;
        to[n++] = digit < 10 ? '0' + digit : 'a' + digit - 10;
        value >>= 4;
    } while (value);
    to[n] = 0;
    return n;
}

static u32 chosen(u32 which, int value)
{
    switch (which & 7) {
    case 0: return fibonacci(value & 7);
    case 1: return value << 3;
    case 2: return (u32)(value >> 2);
    case 3: return value < 0 ? -value : value;
    case 4: return __builtin_clz(value | 1);
    case 5: return (u32)(s16)value;
    case 6: return (u16)value * (u16)(value >> 16);
    default: return ~value;
    }
}

void entry(void)
{
    u32 (*volatile choose)(u32, int) = chosen;
    u32 seed = 1, n;
    for (;;) {
        for (n = 0; n < 32; n++) {
            seed = seed * 1103515245 + 12345;
            numbers[0][n] = seed;
            numbers[1][n] = seed ^ seed >> 7;
            numbers[2][n] = 0;
            halves[n] = (s16)(seed >> 9);
            halves[63 - n] = (s16)(seed >> 5);
        }
        multiply(numbers[2], numbers[0], numbers[1], 12);
        sort(halves, 24);
        for (n = 0; n < 16; n++)
            seed ^= choose(n, (int)numbers[2][n]);
        n = in_digits(text, seed);
        n += in_digits(text + n, (u32)halves[3]);
        seed ^= hash(text, (int)n);
    }
}
