/* stdlib.h: Mbed TLS includes it, and takes memory from mbedtls2_config.h's functions. */
#include <stddef.h>
