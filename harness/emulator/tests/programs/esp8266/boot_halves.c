/* A boot loader for two halves, of which one runs while the other is written. The half is chosen by a word of a sector behind
   them. A half begins with its code, which is executed where it lies, and then has an image of its own. */
#include "boot.h"

/* In a flash of 2 MiB whose halves are in a megabyte each. */
#define CHOICE 0x1fe000
#define HALF(n) ((n) == 1 ? 0x001000 : 0x101000)

void entry(void)
{
    u32 choice, half[4];
    entry_point start;

    SPIRead(CHOICE, &choice, 4);
    choice = choice == 2 ? 2 : 1;
    ets_printf("boot loader: half %d\n", choice);
    SPIRead(HALF(choice), half, 16);
    if ((half[0] & 0xffff) != 0x04ea) {
        ets_printf("there is none\n");
        return;
    }
    /* Behind its 16 bytes lies the code, and behind that the image that is loaded. */
    start = load(HALF(choice) + 16 + half[3]);
    Cache_Read_Enable(choice - 1, 0, 0);
    start();
}
