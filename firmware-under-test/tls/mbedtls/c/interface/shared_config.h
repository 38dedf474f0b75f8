/*
 * What is the same in both configurations: mbedtls_3_6_config.h and mbedtls_2_28_config.h begin with it.
 * Each line is a decision of these images, and every other feature is as its authors ship it. What one of the two versions
 * does not know is undefined there for nothing.
 */
#ifndef SHAKEDOWN_SHARED_CONFIG_H
#define SHAKEDOWN_SHARED_CONFIG_H

#include <stddef.h>
#include <stdint.h>

/* No operating system: no files, sockets, interval timer or environment. */
#undef MBEDTLS_FS_IO
#undef MBEDTLS_NET_C
#undef MBEDTLS_TIMING_C
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C

/* Memory, randomness and time come from the image: client/src/port.rs and port.rs have the other side of these. */
void *shakedown_calloc(size_t count, size_t size_bytes);
void shakedown_free(void *memory);
int64_t shakedown_unix_time_s(int64_t *out);
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO shakedown_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO shakedown_free
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_PLATFORM_TIME_TYPE_MACRO int64_t
#define MBEDTLS_PLATFORM_TIME_MACRO shakedown_unix_time_s
#define MBEDTLS_PLATFORM_GMTIME_R_ALT

/* Whether dates are compared with the clock, which Mbed TLS decides when it is compiled, is a plan's to choose: build.rs
 * makes x509.c look here. */
extern int shakedown_checks_dates;

/* A client over TCP: no server, no datagrams. */
#undef MBEDTLS_SSL_SRV_C
#undef MBEDTLS_SSL_CACHE_C
#undef MBEDTLS_SSL_COOKIE_C
#undef MBEDTLS_SSL_TICKET_C
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_BADMAC_LIMIT
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_CONTEXT_SERIALIZATION

/* Texts, self tests and formats that nobody here reads or writes. Error names are looked up in a table that is made
 * from the headers. */
#undef MBEDTLS_CERTS_C
#undef MBEDTLS_DEBUG_C
#undef MBEDTLS_ERROR_C
#undef MBEDTLS_ERROR_STRERROR_DUMMY
#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_VERSION_FEATURES
#undef MBEDTLS_LMS_C
#undef MBEDTLS_PKCS7_C
#undef MBEDTLS_X509_CREATE_C
#undef MBEDTLS_X509_CSR_PARSE_C
#undef MBEDTLS_X509_CSR_WRITE_C
#undef MBEDTLS_X509_CRT_WRITE_C
#define MBEDTLS_X509_REMOVE_INFO

/* Another processor's instructions. */
#undef MBEDTLS_AESNI_C
#undef MBEDTLS_AESCE_C
#undef MBEDTLS_PADLOCK_C

/* AES tables in flash, not 8.5 KiB of RAM. */
#define MBEDTLS_AES_ROM_TABLES

/* The record buffers' sizes are a scenario's to choose, so they are variables. Mbed TLS uses these macros in
 * expressions only, apart from upper bounds in #if, where an identifier counts as 0; session.c keeps the bounds. */
extern size_t shakedown_receive_buffer_bytes;
extern size_t shakedown_send_buffer_bytes;
#define MBEDTLS_SSL_IN_CONTENT_LEN shakedown_receive_buffer_bytes
#define MBEDTLS_SSL_OUT_CONTENT_LEN shakedown_send_buffer_bytes

#endif
