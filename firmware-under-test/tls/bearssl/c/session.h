/*
 * One TLS client session of BearSSL behind functions whose arguments are plain numbers and bytes, so that Rust needs to
 * know no structure's layout. Logic belongs into Rust; here is only what needs the C headers.
 *
 * What the comments call the core is the ESP8266 core for Arduino: its libraries/ESP8266WiFi/src/BearSSLHelpers.cpp and
 * WiFiClientSecureBearSSL.cpp (3.1.2) are the model for what is asked of BearSSL, and in which order. No line is theirs.
 */
#ifndef SHAKEDOWN_SESSION_H
#define SHAKEDOWN_SESSION_H

#include <stddef.h>
#include <stdint.h>

typedef struct shakedown_session shakedown_session;

/* What a session asks of the image: zeroed memory or NULL, and its return. */
void *shakedown_calloc(size_t count, size_t size_bytes);
void shakedown_free(void *memory);

/* Told that the handshake enters a stage: 1 the peer's certificates, 2 the rest of the key exchange. */
typedef void shakedown_enter(void *io, int stage);

/* What is kept of a session so that the next connection can resume it (bearssl_ssl.h, br_ssl_session_parameters): the
 * core's BearSSL::Session, which a sketch owns and hands over with setSession(). Without a number, there is none yet. */
typedef struct {
    uint32_t session_id_bytes;
    uint32_t version;
    uint32_t cipher_suite;
    unsigned char session_id[32];
    unsigned char main_secret[48];
} shakedown_kept;

/* How the peer's certificate is judged. */
enum {
    SHAKEDOWN_ANCHORS = 0,     /* setTrustAnchors: br_x509_minimal */
    SHAKEDOWN_INSECURE = 1,    /* setInsecure */
    SHAKEDOWN_FINGERPRINT = 2, /* setFingerprint: SHA-1 of the first certificate */
    SHAKEDOWN_SELF_SIGNED = 3, /* allowSelfSignedCerts: the first certificate's issuer is its subject */
    SHAKEDOWN_KNOWN_KEY = 4    /* setKnownKey: br_x509_knownkey */
};

/* Lists and texts have to outlive the session. */
typedef struct {
    const char *server_name;    /* or NULL: none is sent and none is checked */
    const uint16_t *cipher_suites;
    const char **alpn;          /* or NULL */
    const unsigned char *fingerprint; /* 20 bytes, or NULL */
    const unsigned char *entropy;
    int64_t unix_time_s;
    uint32_t curves;            /* of those that BearSSL knows, a bit each by IANA number; 0: all */
    uint32_t receive_buffer_bytes; /* plaintext of a record: 512 to 16384 */
    uint32_t send_buffer_bytes;
    uint32_t entropy_bytes;
    uint32_t cipher_suite_count;
    uint32_t alpn_count;
    uint32_t validator;
    uint32_t version_min;       /* as on the wire */
    uint32_t version_max;
    const shakedown_kept *kept; /* the session to be resumed, or NULL: the sketch has set none */
} shakedown_settings;

/* NULL if memory is short. */
shakedown_session *shakedown_session_new(void);
void shakedown_session_free(shakedown_session *session);

/* Whether memory was refused where the core does not survive that: its operator new stops the program. */
int shakedown_session_is_exhausted(const shakedown_session *session);

/* Each reads PEM or DER, and says whether it could: 1 or 0. What cannot be read leaves no trace, as in the core. */
int shakedown_session_add_anchors(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_add_own_certificates(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_set_own_key(shakedown_session *session, const unsigned char *bytes, size_t length);
int shakedown_session_set_known_key(shakedown_session *session, const unsigned char *certificate, size_t length);

/* Allocates what a connection needs and starts the engine. 0: memory is short; 1: ask for the error. */
int shakedown_session_start(shakedown_session *session, const shakedown_settings *settings);

/* `io` is handed to `enter`; both have to stay valid until the next call of this. */
void shakedown_session_set_io(shakedown_session *session, void *io, shakedown_enter *enter);

/* What the handshake waits for: 0 ServerHello, 1 the peer's certificates, 2 the rest of the key exchange, 3 the peer's
 * Finished. */
int shakedown_session_stage(const shakedown_session *session);

/* br_ssl_engine_current_state() as bits: 1 closed, 2 sends records, 4 takes records, 8 takes data, 16 has data. */
unsigned shakedown_session_state(const shakedown_session *session);
int shakedown_session_error(const shakedown_session *session);

/* The four buffers of the engine, and what was done with them. */
const unsigned char *shakedown_session_records_out(shakedown_session *session, size_t *length);
void shakedown_session_records_sent(shakedown_session *session, size_t length);
unsigned char *shakedown_session_records_in(shakedown_session *session, size_t *length);
void shakedown_session_records_received(shakedown_session *session, size_t length);
unsigned char *shakedown_session_data_out(shakedown_session *session, size_t *length);
void shakedown_session_data_written(shakedown_session *session, size_t length);
const unsigned char *shakedown_session_data_in(shakedown_session *session, size_t *length);
void shakedown_session_data_read(shakedown_session *session, size_t length);

/* What can be kept once the handshake is over. */
void shakedown_session_keep(const shakedown_session *session, shakedown_kept *kept);

/* Whether the handshake that is over resumed a session: no certificates came. */
int shakedown_session_is_resumed(const shakedown_session *session);

/* As on the wire: 0x0303. */
uint32_t shakedown_session_version(const shakedown_session *session);
uint32_t shakedown_session_cipher_suite(const shakedown_session *session);

#endif
