/* See session.h. */

#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "session.h"

#include "mbedtls/build_info.h"
#include "mbedtls/platform.h"
#include "mbedtls/psa_util.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"
#include "psa/crypto.h"

/* Set before a session is set up, and not changed while one lives: Mbed TLS reads them again when it frees. */
size_t shakedown_receive_buffer_bytes = 16384;
size_t shakedown_send_buffer_bytes = 16384;

/* Read by x509.c, which build.rs changes for it. */
int shakedown_checks_dates = 1;

struct shakedown_session {
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
};

int shakedown_crypto_init(void)
{
    return (int) psa_crypto_init();
}

uint32_t shakedown_version(void)
{
    return (uint32_t) mbedtls_version_get_number();
}

shakedown_session *shakedown_session_new(void)
{
    shakedown_session *session = mbedtls_calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    mbedtls_ssl_init(&session->ssl);
    mbedtls_ssl_config_init(&session->config);
    mbedtls_x509_crt_init(&session->authorities);
    mbedtls_x509_crt_init(&session->own_chain);
    mbedtls_pk_init(&session->own_key);
    return session;
}

void shakedown_session_free(shakedown_session *session)
{
    if (session == NULL) {
        return;
    }
    mbedtls_ssl_free(&session->ssl);
    mbedtls_ssl_config_free(&session->config);
    mbedtls_x509_crt_free(&session->authorities);
    mbedtls_x509_crt_free(&session->own_chain);
    mbedtls_pk_free(&session->own_key);
    mbedtls_free(session);
}

int shakedown_session_add_authorities(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    return mbedtls_x509_crt_parse(&session->authorities, bytes, length);
}

int shakedown_session_add_own_certificate(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    int ret = mbedtls_x509_crt_parse(&session->own_chain, bytes, length);
    if (ret == 0) {
        session->has_own_chain = 1;
    }
    return ret;
}

int shakedown_session_set_own_key(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    int ret = mbedtls_pk_parse_key(&session->own_key, bytes, length, NULL, 0, mbedtls_psa_get_random,
                                   MBEDTLS_PSA_RANDOM_STATE);
    if (ret == 0) {
        session->has_own_key = 1;
    }
    return ret;
}

int shakedown_session_setup(shakedown_session *session, const shakedown_settings *settings)
{
    mbedtls_ssl_config *config = &session->config;
    int ret = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);
    if (ret != 0) {
        return ret;
    }
    mbedtls_ssl_conf_rng(config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_authmode(config, settings->authmode);
    mbedtls_ssl_conf_ca_chain(config, &session->authorities, NULL);
    if (settings->version_min != 0) {
        mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version) settings->version_min);
    }
    if (settings->version_max != 0) {
        mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version) settings->version_max);
    }
    if (settings->cipher_suites != NULL) {
        mbedtls_ssl_conf_ciphersuites(config, settings->cipher_suites);
    }
    if (settings->groups != NULL) {
        mbedtls_ssl_conf_groups(config, settings->groups);
    }
    if (settings->alpn != NULL && (ret = mbedtls_ssl_conf_alpn_protocols(config, settings->alpn)) != 0) {
        return ret;
    }
    if (settings->fragment_code != 0 && (ret = mbedtls_ssl_conf_max_frag_len(config, settings->fragment_code)) != 0) {
        return ret;
    }
    if (session->has_own_chain && session->has_own_key &&
        (ret = mbedtls_ssl_conf_own_cert(config, &session->own_chain, &session->own_key)) != 0) {
        return ret;
    }
    if ((ret = mbedtls_ssl_setup(&session->ssl, config)) != 0) {
        return ret;
    }
    session->exchanges_name = settings->name != NULL && !settings->sends_name != !settings->checks_name;
    session->name_to_check = settings->checks_name ? settings->name : NULL;
    return mbedtls_ssl_set_hostname(&session->ssl, settings->sends_name ? settings->name : NULL);
}

void shakedown_session_set_io(shakedown_session *session, void *io, shakedown_send *send,
                              shakedown_receive *receive)
{
    mbedtls_ssl_set_bio(&session->ssl, io, send, receive, NULL);
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

int shakedown_session_step(shakedown_session *session)
{
    if (session->exchanges_name && session->ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE) {
        int ret = mbedtls_ssl_set_hostname(&session->ssl, session->name_to_check);
        if (ret != 0) {
            return ret;
        }
        session->exchanges_name = 0;
    }
    return mbedtls_ssl_handshake_step(&session->ssl);
}

int shakedown_session_read(shakedown_session *session, unsigned char *into, size_t length)
{
    return mbedtls_ssl_read(&session->ssl, into, length);
}

int shakedown_session_write(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    return mbedtls_ssl_write(&session->ssl, bytes, length);
}

int shakedown_session_close_notify(shakedown_session *session)
{
    return mbedtls_ssl_close_notify(&session->ssl);
}

int shakedown_session_alert(const shakedown_session *session)
{
    const mbedtls_ssl_context *ssl = &session->ssl;
    if (ssl->in_msgtype != MBEDTLS_SSL_MSG_ALERT || ssl->in_msg == NULL || ssl->in_msglen < 2) {
        return -1;
    }
    return ssl->in_msg[1];
}

uint32_t shakedown_session_verify_flags(const shakedown_session *session)
{
    return mbedtls_ssl_get_verify_result(&session->ssl);
}

uint16_t shakedown_session_version(const shakedown_session *session)
{
    return (uint16_t) mbedtls_ssl_get_version_number(&session->ssl);
}

const char *shakedown_session_cipher_suite(const shakedown_session *session)
{
    return mbedtls_ssl_get_ciphersuite(&session->ssl);
}
