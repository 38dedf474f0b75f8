/* What only Mbed TLS 2.28 needs in a session. */
#ifndef SHAKEDOWN_DIFFERENCES_H
#define SHAKEDOWN_DIFFERENCES_H

#include <stddef.h>

#include "mbedtls/ecp.h"

/* More than Mbed TLS 2.28 knows. */
#define SHAKEDOWN_GROUPS_MAX 32

typedef struct {
    mbedtls_ecp_group_id groups[SHAKEDOWN_GROUPS_MAX];
    const unsigned char *client_hello;
    size_t client_hello_bytes;
} shakedown_differences;

#endif
