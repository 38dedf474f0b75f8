/*
 * What differs from the configuration that Mbed TLS 2.28 is released with. Read after it (MBEDTLS_USER_CONFIG_FILE), so
 * every line here is a decision of this image, and every other feature is as its authors ship it.
 */
#ifndef SHAKEDOWN_MBEDTLS_2_28_CONFIG_H
#define SHAKEDOWN_MBEDTLS_2_28_CONFIG_H

#include "shared_config.h"

/* TLS works without PSA in this version, and so do the platforms that this image stands for. */
#undef MBEDTLS_PSA_CRYPTO_C

/* The ClientHello is a plan's to choose: build.rs makes ssl_cli.c ask. `message` may be written to as far as `end`; what
 * was written ends at `*written_to`. */
struct mbedtls_ssl_context;
int shakedown_replace_hello(struct mbedtls_ssl_context *ssl, unsigned char *message, const unsigned char *end,
                            unsigned char **written_to);

/* The default checks dates, sends SNI and ALPN, and knows tickets, TLS 1.0 to 1.2, RSA and DHE key exchange, CBC, 3DES and
 * RC4; it offers the last two only where a plan lists them. Said again, because scenarios stand on it: */
#if !defined(MBEDTLS_HAVE_TIME_DATE) || !defined(MBEDTLS_SSL_SERVER_NAME_INDICATION) || \
    !defined(MBEDTLS_SSL_ALPN) || !defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH) || \
    !defined(MBEDTLS_SSL_SESSION_TICKETS) || \
    !defined(MBEDTLS_SSL_PROTO_TLS1) || !defined(MBEDTLS_SSL_PROTO_TLS1_1) || !defined(MBEDTLS_SSL_PROTO_TLS1_2) || \
    !defined(MBEDTLS_KEY_EXCHANGE_RSA_ENABLED) || !defined(MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED) || \
    !defined(MBEDTLS_CIPHER_MODE_CBC) || !defined(MBEDTLS_DES_C) || !defined(MBEDTLS_ARC4_C)
#error "a feature that scenarios stand on is missing from Mbed TLS's default configuration"
#endif

#endif
