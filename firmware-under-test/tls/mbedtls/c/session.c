/* See interface/session.h. The same for both versions of Mbed TLS; what differs is in each one's differences.c. */

#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "inside.h"

#include "mbedtls/platform.h"
#include "mbedtls/version.h"

/* Set before a session is set up, and not changed while one lives: Mbed TLS reads them again when it frees. */
size_t shakedown_receive_buffer_bytes = 16384;
size_t shakedown_send_buffer_bytes = 16384;

/* Read by x509.c, which build.rs changes for it. */
int shakedown_checks_dates = 1;

struct shakedown_kept {
    mbedtls_ssl_session session;
    int is_there;
};

uint32_t shakedown_library_version(void)
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
    int ret = shakedown_parse_key(&session->own_key, bytes, length);
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
    mbedtls_ssl_conf_authmode(config, settings->authmode);
    mbedtls_ssl_conf_ca_chain(config, &session->authorities, NULL);
    if ((ret = shakedown_choose(session, settings)) != 0) {
        return ret;
    }
    if (settings->cipher_suites != NULL) {
        mbedtls_ssl_conf_ciphersuites(config, settings->cipher_suites);
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

shakedown_kept *shakedown_kept_new(void)
{
    shakedown_kept *kept = mbedtls_calloc(1, sizeof(*kept));
    if (kept != NULL) {
        mbedtls_ssl_session_init(&kept->session);
    }
    return kept;
}

void shakedown_kept_free(shakedown_kept *kept)
{
    if (kept == NULL) {
        return;
    }
    mbedtls_ssl_session_free(&kept->session);
    mbedtls_free(kept);
}

int shakedown_session_keep(const shakedown_session *session, shakedown_kept *kept)
{
    /* What was kept before is given up even if this fails (mbedtls_ssl_session_copy). */
    int ret = mbedtls_ssl_get_session(&session->ssl, &kept->session);
    kept->is_there = ret == 0;
    return ret;
}

int shakedown_session_resume(shakedown_session *session, const shakedown_kept *kept)
{
    return kept->is_there ? mbedtls_ssl_set_session(&session->ssl, &kept->session) : 0;
}

void shakedown_session_set_io(shakedown_session *session, void *io, shakedown_send *send,
                              shakedown_receive *receive)
{
    mbedtls_ssl_set_bio(&session->ssl, io, send, receive, NULL);
}

int shakedown_session_step(shakedown_session *session)
{
    int ret;
    if (session->exchanges_name && session->ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE) {
        if ((ret = mbedtls_ssl_set_hostname(&session->ssl, session->name_to_check)) != 0) {
            return ret;
        }
        session->exchanges_name = 0;
    }
    ret = mbedtls_ssl_handshake_step(&session->ssl);
    /* What tells is freed with the last step. */
    if (session->ssl.handshake != NULL) {
        session->is_resumed = shakedown_is_resuming(&session->ssl);
    }
    return ret;
}

int shakedown_session_is_resumed(const shakedown_session *session)
{
    return session->is_resumed;
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

const char *shakedown_session_cipher_suite(const shakedown_session *session)
{
    return mbedtls_ssl_get_ciphersuite(&session->ssl);
}
