/* See session.h. */

#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "session.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include "mbedtls/build_info.h"
#include "mbedtls/platform.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/psa_util.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"
#include "psa/crypto.h"

/* Set before a session is set up, and not changed while one lives: Mbed TLS reads them again when it frees. */
size_t shakedown_receive_buffer_bytes = 16384;
size_t shakedown_send_buffer_bytes = 16384;

struct shakedown_session {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt authorities;
    mbedtls_x509_crt own_chain;
    mbedtls_pk_context own_key;
    int has_own_chain;
    int has_own_key;
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

int shakedown_session_setup(shakedown_session *session, int authmode, uint16_t version_min, uint16_t version_max,
                            const int *cipher_suites, const uint16_t *groups, const char **alpn,
                            unsigned char fragment_code, const char *name)
{
    mbedtls_ssl_config *config = &session->config;
    int ret = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);
    if (ret != 0) {
        return ret;
    }
    mbedtls_ssl_conf_rng(config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_authmode(config, authmode);
    mbedtls_ssl_conf_ca_chain(config, &session->authorities, NULL);
    if (version_min != 0) {
        mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version) version_min);
    }
    if (version_max != 0) {
        mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version) version_max);
    }
    if (cipher_suites != NULL) {
        mbedtls_ssl_conf_ciphersuites(config, cipher_suites);
    }
    if (groups != NULL) {
        mbedtls_ssl_conf_groups(config, groups);
    }
    if (alpn != NULL && (ret = mbedtls_ssl_conf_alpn_protocols(config, alpn)) != 0) {
        return ret;
    }
    if (fragment_code != 0 && (ret = mbedtls_ssl_conf_max_frag_len(config, fragment_code)) != 0) {
        return ret;
    }
    if (session->has_own_chain && session->has_own_key &&
        (ret = mbedtls_ssl_conf_own_cert(config, &session->own_chain, &session->own_key)) != 0) {
        return ret;
    }
    if ((ret = mbedtls_ssl_setup(&session->ssl, config)) != 0) {
        return ret;
    }
    return mbedtls_ssl_set_hostname(&session->ssl, name);
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

/* MBEDTLS_PLATFORM_GMTIME_R_ALT. Days to a date of the proleptic Gregorian calendar, years counted from 1 March so that
 * the leap day is the last of its year. */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *unix_time_s, struct tm *out)
{
    int64_t days = *unix_time_s / 86400;
    int64_t second_of_day = *unix_time_s % 86400;
    if (second_of_day < 0) {
        second_of_day += 86400;
        days -= 1;
    }
    days += 719468; /* from 0000-03-01 to 1970-01-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        return NULL;
    }
    memset(out, 0, sizeof(*out));
    out->tm_sec = (int) (second_of_day % 60);
    out->tm_min = (int) (second_of_day / 60 % 60);
    out->tm_hour = (int) (second_of_day / 3600);
    out->tm_mday = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1);
    out->tm_mon = (int) (month - 1);
    out->tm_year = (int) (year - 1900);
    return out;
}
