/* stdlib.h: Mbed TLS includes it, and takes memory from mbedtls_2_28_config.h's functions. */
#include <stddef.h>
