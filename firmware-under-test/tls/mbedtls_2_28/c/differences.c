/* What Mbed TLS 2.28 does its own way: see interface/session.h and interface/inside.h of the crate mbedtls. */

#include "inside.h"

#include <string.h>

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "mbedtls/ssl_internal.h"

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_generator;

int shakedown_crypto_init(void)
{
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_generator);
    return mbedtls_ctr_drbg_seed(&random_generator, mbedtls_entropy_func, &entropy, NULL, 0);
}

int shakedown_parse_key(mbedtls_pk_context *key, const unsigned char *bytes, size_t length)
{
    return mbedtls_pk_parse_key(key, bytes, length, NULL, 0);
}

int shakedown_choose(shakedown_session *session, const shakedown_settings *settings)
{
    mbedtls_ssl_config *config = &session->config;
    shakedown_differences *own = &session->differences;
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_generator);
    if (settings->version_min != 0) {
        mbedtls_ssl_conf_min_version(config, settings->version_min >> 8, settings->version_min & 0xff);
    }
    if (settings->version_max != 0) {
        mbedtls_ssl_conf_max_version(config, settings->version_max >> 8, settings->version_max & 0xff);
    }
    if (settings->cipher_suites != NULL) {
        /* Off by default, in addition to the list (ssl_tls.c, mbedtls_ssl_config_defaults). */
        mbedtls_ssl_conf_arc4_support(config, MBEDTLS_SSL_ARC4_ENABLED);
    }
    if (settings->groups != NULL) {
        size_t count = 0;
        for (; settings->groups[count] != 0 && count < SHAKEDOWN_GROUPS_MAX - 1; count++) {
            const mbedtls_ecp_curve_info *curve = mbedtls_ecp_curve_info_from_tls_id(settings->groups[count]);
            if (curve == NULL) {
                return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
            }
            own->groups[count] = curve->grp_id;
        }
        own->groups[count] = MBEDTLS_ECP_DP_NONE;
        mbedtls_ssl_conf_curves(config, own->groups);
    }
    own->client_hello = settings->client_hello;
    own->client_hello_bytes = settings->client_hello_bytes;
    return 0;
}

int shakedown_is_resuming(mbedtls_ssl_context *ssl)
{
    return ssl->handshake->resume;
}

int shakedown_session_stage(const shakedown_session *session)
{
    switch (session->ssl.state) {
        case MBEDTLS_SSL_HELLO_REQUEST:
        case MBEDTLS_SSL_CLIENT_HELLO:
        case MBEDTLS_SSL_SERVER_HELLO:
            return 0;
        case MBEDTLS_SSL_SERVER_CERTIFICATE:
            return 1;
        case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        case MBEDTLS_SSL_CERTIFICATE_REQUEST:
        case MBEDTLS_SSL_SERVER_HELLO_DONE:
        case MBEDTLS_SSL_CLIENT_CERTIFICATE:
        case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        case MBEDTLS_SSL_CERTIFICATE_VERIFY:
            return 2;
        default:
            return 3;
    }
}

int shakedown_session_is_handshake_over(const shakedown_session *session)
{
    return session->ssl.state == MBEDTLS_SSL_HANDSHAKE_OVER;
}

uint16_t shakedown_session_version(const shakedown_session *session)
{
    return (uint16_t) (session->ssl.major_ver << 8 | session->ssl.minor_ver);
}

/* For abilities.rs. */
int shakedown_knows_cipher_suite(int suite)
{
    return mbedtls_ssl_ciphersuite_from_id(suite) != NULL;
}

int shakedown_knows_group(uint16_t group)
{
    return mbedtls_ecp_curve_info_from_tls_id(group) != NULL;
}

/* See mbedtls_2_28_config.h. Only the first hello of a connection is replaced; there is no other, as renegotiation is off. */
int shakedown_replace_hello(mbedtls_ssl_context *ssl, unsigned char *message, const unsigned char *end,
                            unsigned char **written_to)
{
    const shakedown_differences *own = &((const shakedown_session *) ssl)->differences;
    /* Type, length, version, then the random bytes (RFC 5246, 7.4 and 7.4.1.2). */
    const size_t random_at = 1 + 3 + 2;
    if (own->client_hello == NULL) {
        return 0;
    }
    if (own->client_hello_bytes < random_at + 32 ||
        mbedtls_ssl_chk_buf_ptr(message, end, own->client_hello_bytes) != 0) {
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    }
    memcpy(message, own->client_hello, own->client_hello_bytes);
    memcpy(ssl->handshake->randbytes, message + random_at, 32);
    *written_to = message + own->client_hello_bytes;
    return 0;
}
