/*
 * One TLS client session of Mbed TLS, 2.28 or 3.6, behind functions whose arguments are plain numbers and bytes, so that
 * Rust needs to know no structure's layout. Logic belongs into Rust; here is only what needs the C headers.
 */
#ifndef SHAKEDOWN_SESSION_H
#define SHAKEDOWN_SESSION_H

#include <stddef.h>
#include <stdint.h>

typedef struct shakedown_session shakedown_session;

/* Sends or receives: a count of bytes, or one of Mbed TLS's negative codes. */
typedef int shakedown_send(void *io, const unsigned char *bytes, size_t length);
typedef int shakedown_receive(void *io, unsigned char *into, size_t length);

/* To be called once before anything else: 0 or the library's status. */
int shakedown_crypto_init(void);
/* MBEDTLS_VERSION_NUMBER of the library that is linked in: 0x03060500 is 3.6.5. */
uint32_t shakedown_library_version(void);

/* NULL if memory is short. */
shakedown_session *shakedown_session_new(void);
void shakedown_session_free(shakedown_session *session);

/* PEM texts include their terminating NUL in `length`. */
int shakedown_session_add_authorities(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_add_own_certificate(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_set_own_key(shakedown_session *session, const unsigned char *bytes, size_t length);

typedef struct {
    /* MBEDTLS_SSL_VERIFY_... */
    int authmode;
    /* As on the wire; 0 for the library's own choice. */
    uint16_t version_min;
    uint16_t version_max;
    /* IANA's numbers, ended by 0; NULL for the library's own choice. */
    const int *cipher_suites;
    const uint16_t *groups;
    /* Ended by NULL; NULL for none. */
    const char **alpn;
    /* RFC 6066's, 0 for none. */
    unsigned char fragment_code;
    /* The broker's name, or NULL. */
    const char *name;
    /* Whether it is sent by SNI, and whether the certificate has to be its own. */
    int sends_name;
    int checks_name;
    /* The ClientHello to be sent, as a handshake message; NULL for the library's own. */
    const unsigned char *client_hello;
    size_t client_hello_bytes;
    /* Whether the session is to be kept for the next connection. */
    int keeps_session;
} shakedown_settings;

/* Applies the configuration. Everything that it points to has to outlive the session. */
int shakedown_session_setup(shakedown_session *session, const shakedown_settings *settings);

/* What one connection leaves behind so that the next one can resume its session. NULL if memory is short. */
typedef struct shakedown_kept shakedown_kept;
shakedown_kept *shakedown_kept_new(void);
void shakedown_kept_free(shakedown_kept *kept);
/* Keeps the session: up to TLS 1.2 when the handshake is over, in TLS 1.3 when a ticket has come. */
int shakedown_session_keep(const shakedown_session *session, shakedown_kept *kept);
/* Offers what was kept, if anything was: after the setup and before the first step. */
int shakedown_session_resume(shakedown_session *session, const shakedown_kept *kept);

/* `io` is handed to the two functions; both have to stay valid until the next call of this. */
void shakedown_session_set_io(shakedown_session *session, void *io, shakedown_send *send,
                              shakedown_receive *receive);

/* What the next step waits for: 0 ServerHello, 1 the peer's certificates, 2 the rest of the key exchange, 3 the peer's
 * Finished. */
int shakedown_session_stage(const shakedown_session *session);
int shakedown_session_is_handshake_over(const shakedown_session *session);
int shakedown_session_step(shakedown_session *session);
/* Whether the handshake that is over resumed a session. */
int shakedown_session_is_resumed(const shakedown_session *session);
int shakedown_session_read(shakedown_session *session, unsigned char *into, size_t length);
int shakedown_session_write(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_close_notify(shakedown_session *session);

/* The peer's last alert: description, or -1 if the last record was none. */
int shakedown_session_alert(const shakedown_session *session);
uint32_t shakedown_session_verify_flags(const shakedown_session *session);
/* As on the wire: 0x0303. */
uint16_t shakedown_session_version(const shakedown_session *session);
/* The cipher suite's name, or NULL. */
const char *shakedown_session_cipher_suite(const shakedown_session *session);

#endif
