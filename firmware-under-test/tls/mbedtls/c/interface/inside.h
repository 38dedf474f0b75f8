/*
 * The inside of a session, for session.c and for each version's differences.c. What only one version needs stands in that
 * version's differences.h.
 */
#ifndef SHAKEDOWN_INSIDE_H
#define SHAKEDOWN_INSIDE_H

#include "differences.h"
#include "session.h"

#include "mbedtls/pk.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

struct shakedown_session {
    /* First, so that a pointer to it is a pointer to the session. */
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt authorities;
    mbedtls_x509_crt own_chain;
    mbedtls_pk_context own_key;
    int has_own_chain;
    int has_own_key;
    /* Mbed TLS has one name for SNI and for the check. Where a plan wants only one of the two, the name is exchanged
     * when the certificate is due. */
    int exchanges_name;
    const char *name_to_check;
    int is_resumed;
    shakedown_differences differences;
};

/* What each version's differences.c does its own way, beside crypto_init, stage, is_handshake_over and version of
 * session.h. */
int shakedown_parse_key(mbedtls_pk_context *key, const unsigned char *bytes, size_t length);
/* Randomness, versions, cipher suites, groups, tickets, and whatever else mbedtls_ssl_config_defaults has not chosen: 0
 * or a code. */
int shakedown_choose(shakedown_session *session, const shakedown_settings *settings);
/* Whether the handshake under way resumes a session, as far as can be told by now. */
int shakedown_is_resuming(mbedtls_ssl_context *ssl);

#endif
