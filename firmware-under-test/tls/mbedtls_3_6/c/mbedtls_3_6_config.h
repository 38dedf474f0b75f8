/*
 * What differs from the configuration that Mbed TLS 3.6 is released with. Read after it (MBEDTLS_USER_CONFIG_FILE), so
 * every line here is a decision of this image, and every other feature is as its authors ship it.
 */
#ifndef SHAKEDOWN_MBEDTLS_3_6_CONFIG_H
#define SHAKEDOWN_MBEDTLS_3_6_CONFIG_H

#include "shared_config.h"

#define MBEDTLS_PLATFORM_MS_TIME_ALT

/* The default already checks dates (MBEDTLS_HAVE_TIME_DATE), sends SNI and ALPN, knows max_fragment_length, tickets, TLS
 * 1.2 and TLS 1.3, RSA key exchange and every curve. Said again, because scenarios stand on it: */
#if !defined(MBEDTLS_HAVE_TIME_DATE) || !defined(MBEDTLS_SSL_SERVER_NAME_INDICATION) || \
    !defined(MBEDTLS_SSL_ALPN) || !defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH) || \
    !defined(MBEDTLS_SSL_SESSION_TICKETS) || !defined(MBEDTLS_SSL_PROTO_TLS1_2) || !defined(MBEDTLS_SSL_PROTO_TLS1_3)
#error "a feature that scenarios stand on is missing from Mbed TLS's default configuration"
#endif

#endif
