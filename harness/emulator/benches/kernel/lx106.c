/* What kernel.rs does, for the LX106: SHA-256, schoolbook bignum multiplication, filling bytes. It computes the same checksum,
   and ends by storing it at 0x6000_0000.

   Build, in this folder (Debian's gcc-xtensa-lx106 12.2.0):

       xtensa-lx106-elf-gcc -O2 -Wall -Werror -ffreestanding -nostdlib -mlongcalls -mtext-section-literals \
           -fno-tree-loop-distribute-patterns -Wl,--build-id=none -Wl,-z,max-page-size=4 -T lx106.ld lx106.c -o lx106.elf
       xtensa-lx106-elf-strip lx106.elf
*/
__asm__(".section .text.begin, \"ax\"\n"
        ".global begin\n"
        "begin: j 1f\n"
        ".align 4\n"
        "2: .word 0x3fffc000\n"
        "1: l32r a1, 2b\n"
        "j entry\n"
        ".text\n");

typedef unsigned int u32;
typedef unsigned char u8;

#define ROUNDS 1000
#define NOINLINE __attribute__((noinline))

static u8 message[16 * 1024];
static u32 left[64], right[64], product[128], digest[8], schedule[64];

static u32 rotated(u32 x, int n)
{
    n &= 31;
    return n == 0 ? x : x >> n | x << (32 - n);
}

static NOINLINE void fill(u8 *bytes, int length, u8 value)
{
    int i;
    for (i = 0; i < length; i++) {
        bytes[i] = value;
        value += 0x35;
        __asm__ volatile("" : "+r"(value));
    }
}

static const u32 ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};

static NOINLINE void compress(u32 *state, const u8 *block)
{
    u32 *w = schedule;
    u32 a, b, c, d, e, f, g, h;
    int i;
    for (i = 0; i < 16; i++)
        w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (i = 16; i < 64; i++) {
        u32 s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (i = 0; i < 64; i++) {
        u32 s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25), s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
        u32 t1 = h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i] + w[i];
        u32 majority = (a & b) ^ (a & c) ^ (b & c);
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + s0 + majority;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static NOINLINE void sha256(const u8 *bytes, int length)
{
    static const u32 BEGINNING[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static u8 last[64];
    int i;
    for (i = 0; i < 8; i++)
        digest[i] = BEGINNING[i];
    for (i = 0; i < length; i += 64)
        compress(digest, bytes + i);
    for (i = 0; i < 64; i++)
        last[i] = 0;
    last[0] = 0x80;
    for (i = 0; i < 4; i++)
        last[63 - i] = (8 * length) >> (8 * i);
    compress(digest, last);
}

/* The core multiplies 16 bits by 16 bits, or 32 by 32 to 32. */
static NOINLINE void multiply(void)
{
    int i, j;
    for (i = 0; i < 128; i++)
        product[i] = 0;
    for (i = 0; i < 64; i++) {
        u32 l = left[i], carry = 0;
        for (j = 0; j < 64; j++) {
            u32 r = right[j], low = l * r, sum;
            u32 first = (l & 0xffff) * (r & 0xffff), middle = (l >> 16) * (r & 0xffff) + (first >> 16);
            u32 other = (l & 0xffff) * (r >> 16) + (middle & 0xffff);
            u32 high = (l >> 16) * (r >> 16) + (middle >> 16) + (other >> 16);
            sum = low + product[i + j];
            high += sum < low;
            low = sum + carry;
            high += low < sum;
            product[i + j] = low;
            carry = high;
        }
        product[i + 64] = carry;
    }
}

void __attribute__((used)) entry(void)
{
    u32 checksum = 0;
    int round, turn, i;
    for (round = 0; round < ROUNDS; round++) {
        fill(message, sizeof message, round);
        sha256(message, sizeof message);
        for (i = 0; i < 64; i++) {
            left[i] = rotated(digest[i % 8], 32 - (i & 31));
            right[i] = digest[(i + 3) % 8] * (2 * i + 1);
        }
        for (turn = 0; turn < 10; turn++) {
            multiply();
            for (i = 0; i < 64; i++)
                left[i] = product[32 + i];
            for (i = 0; i < 128; i++)
                checksum = rotated(checksum, 31) ^ product[i];
        }
    }
    *(volatile u32 *)0x60000000 = checksum;
    for (;;)
        ;
}
