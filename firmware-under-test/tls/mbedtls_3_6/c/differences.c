/* What Mbed TLS 3.6 does its own way: see interface/session.h and interface/inside.h of the crate mbedtls. */

#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "inside.h"

#include "mbedtls/build_info.h"
#include "mbedtls/psa_util.h"
#include "psa/crypto.h"
#include "ssl_misc.h"

int shakedown_crypto_init(void)
{
    return (int) psa_crypto_init();
}

int shakedown_parse_key(mbedtls_pk_context *key, const unsigned char *bytes, size_t length)
{
    return mbedtls_pk_parse_key(key, bytes, length, NULL, 0, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
}

int shakedown_choose(shakedown_session *session, const shakedown_settings *settings)
{
    mbedtls_ssl_config *config = &session->config;
    mbedtls_ssl_conf_rng(config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    if (settings->version_min != 0) {
        mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version) settings->version_min);
    }
    if (settings->version_max != 0) {
        mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version) settings->version_max);
    }
    if (settings->groups != NULL) {
        mbedtls_ssl_conf_groups(config, settings->groups);
    }
    /* Without this, tickets of TLS 1.3 are read and forgotten. */
    if (settings->keeps_session) {
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    }
    return 0;
}

int shakedown_is_resuming(mbedtls_ssl_context *ssl)
{
    if (ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3) {
        return mbedtls_ssl_tls13_key_exchange_mode_with_psk(ssl);
    }
    return ssl->handshake->resume;
}

int shakedown_session_stage(const shakedown_session *session)
{
    switch (session->ssl.state) {
        case MBEDTLS_SSL_HELLO_REQUEST:
        case MBEDTLS_SSL_CLIENT_HELLO:
        case MBEDTLS_SSL_SERVER_HELLO:
        case MBEDTLS_SSL_HELLO_RETRY_REQUEST:
        case MBEDTLS_SSL_CLIENT_CCS_AFTER_CLIENT_HELLO:
        case MBEDTLS_SSL_CLIENT_CCS_BEFORE_2ND_CLIENT_HELLO:
            return 0;
        case MBEDTLS_SSL_ENCRYPTED_EXTENSIONS:
        case MBEDTLS_SSL_CERTIFICATE_REQUEST: /* of TLS 1.3; that of TLS 1.2 comes after stage 2 was entered */
        case MBEDTLS_SSL_SERVER_CERTIFICATE:
            return 1;
        case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        case MBEDTLS_SSL_SERVER_HELLO_DONE:
        case MBEDTLS_SSL_CLIENT_CERTIFICATE: /* of TLS 1.2; that of TLS 1.3 comes after stage 3 was entered */
        case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        case MBEDTLS_SSL_CERTIFICATE_VERIFY:
            return 2;
        default:
            return 3;
    }
}

int shakedown_session_is_handshake_over(const shakedown_session *session)
{
    return mbedtls_ssl_is_handshake_over((mbedtls_ssl_context *) &session->ssl);
}

uint16_t shakedown_session_version(const shakedown_session *session)
{
    return (uint16_t) mbedtls_ssl_get_version_number(&session->ssl);
}
