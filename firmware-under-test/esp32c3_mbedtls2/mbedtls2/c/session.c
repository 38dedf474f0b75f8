/* See session.h of the crate mbedtls; here for Mbed TLS 2.28. */

#include "session.h"

#include <string.h>

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/ecp.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform.h"
#include "mbedtls/ssl.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "mbedtls/ssl_internal.h"
#include "mbedtls/version.h"

/* Set before a session is set up, and not changed while one lives: Mbed TLS reads them again when it frees. */
size_t shakedown_receive_buffer_bytes = 16384;
size_t shakedown_send_buffer_bytes = 16384;

/* Read by x509.c, which build.rs changes for it. */
int shakedown_checks_dates = 1;

/* More than Mbed TLS 2.28 knows. */
#define GROUPS_MAX 32

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
    mbedtls_ecp_group_id groups[GROUPS_MAX];
    const unsigned char *client_hello;
    size_t client_hello_bytes;
};

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_generator;

int shakedown_crypto_init(void)
{
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_generator);
    return mbedtls_ctr_drbg_seed(&random_generator, mbedtls_entropy_func, &entropy, NULL, 0);
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
    int ret = mbedtls_pk_parse_key(&session->own_key, bytes, length, NULL, 0);
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
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_generator);
    mbedtls_ssl_conf_authmode(config, settings->authmode);
    mbedtls_ssl_conf_ca_chain(config, &session->authorities, NULL);
    if (settings->version_min != 0) {
        mbedtls_ssl_conf_min_version(config, settings->version_min >> 8, settings->version_min & 0xff);
    }
    if (settings->version_max != 0) {
        mbedtls_ssl_conf_max_version(config, settings->version_max >> 8, settings->version_max & 0xff);
    }
    if (settings->cipher_suites != NULL) {
        mbedtls_ssl_conf_ciphersuites(config, settings->cipher_suites);
        /* Off by default, in addition to the list (ssl_tls.c, mbedtls_ssl_config_defaults). */
        mbedtls_ssl_conf_arc4_support(config, MBEDTLS_SSL_ARC4_ENABLED);
    }
    if (settings->groups != NULL) {
        size_t count = 0;
        for (; settings->groups[count] != 0 && count < GROUPS_MAX - 1; count++) {
            const mbedtls_ecp_curve_info *curve = mbedtls_ecp_curve_info_from_tls_id(settings->groups[count]);
            if (curve == NULL) {
                return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
            }
            session->groups[count] = curve->grp_id;
        }
        session->groups[count] = MBEDTLS_ECP_DP_NONE;
        mbedtls_ssl_conf_curves(config, session->groups);
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
    session->client_hello = settings->client_hello;
    session->client_hello_bytes = settings->client_hello_bytes;
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
    return (uint16_t) (session->ssl.major_ver << 8 | session->ssl.minor_ver);
}

const char *shakedown_session_cipher_suite(const shakedown_session *session)
{
    return mbedtls_ssl_get_ciphersuite(&session->ssl);
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

/* See mbedtls2_config.h. Only the first hello of a connection is replaced; there is no other, as renegotiation is off. */
int shakedown_replace_hello(mbedtls_ssl_context *ssl, unsigned char *message, const unsigned char *end,
                            unsigned char **written_to)
{
    const shakedown_session *session = (const shakedown_session *) ssl;
    /* Type, length, version, then the random bytes (RFC 5246, 7.4 and 7.4.1.2). */
    const size_t random_at = 1 + 3 + 2;
    if (session->client_hello == NULL) {
        return 0;
    }
    if (session->client_hello_bytes < random_at + 32 ||
        mbedtls_ssl_chk_buf_ptr(message, end, session->client_hello_bytes) != 0) {
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    }
    memcpy(message, session->client_hello, session->client_hello_bytes);
    memcpy(ssl->handshake->randbytes, message + random_at, 32);
    *written_to = message + session->client_hello_bytes;
    return 0;
}
