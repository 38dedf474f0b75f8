/* See session.h. */

#include "session.h"

#include <string.h>

#include "bearssl.h"

/* What BearSSL adds to a record's plaintext (ssl_engine.c, MAX_IN_OVERHEAD and MAX_OUT_OVERHEAD; the core adds the same). */
#define RECEIVE_OVERHEAD_BYTES 325
#define SEND_OVERHEAD_BYTES 85

/* 0001-01-01 to 1970-01-01 in BearSSL's count of days (bearssl_x509.h, br_x509_minimal_set_time). */
#define UNIX_EPOCH_DAYS 719528
#define SECONDS_PER_DAY 86400

#define SHA1_BYTES 20

/* Memory that lives as long as the session. */
typedef struct kept {
    struct kept *next;
    union {
        uint64_t alignment;
        unsigned char bytes[8];
    } data;
} kept;

/* Certificates, and the trust anchors that they make. */
typedef struct {
    br_x509_certificate *certificates;
    br_x509_trust_anchor *anchors;
    size_t count;
} list;

/* A judge that looks at the first certificate only: setInsecure, setFingerprint, allowSelfSignedCerts. */
typedef struct {
    const br_x509_class *vtable;
    const unsigned char *fingerprint;
    int wants_self_signed;
    int has_certificate;
    size_t length;
    size_t filled;
    unsigned char *bytes;
    br_sha1_context sha1;
    br_x509_decoder_context decoder;
} lenient_judge;

/* Stands before another judge, and tells when it starts and when it is through. */
typedef struct {
    const br_x509_class *vtable;
    const br_x509_class **judge;
    shakedown_session *session;
} watch;

struct shakedown_session {
    br_ssl_client_context *client;
    unsigned char *receive_buffer;
    unsigned char *send_buffer;
    void *judge;
    lenient_judge *lenient; /* the judge, if it is such a one */
    watch watch;
    int is_resuming; /* the engine knows a suite before the ServerHello has come */
    int has_chain_come;
    int is_chain_judged;
    br_ec_impl curves;
    kept *kept;
    int is_exhausted;
    list anchors;
    list own;
    list known;
    unsigned own_key_type; /* 0, BR_KEYTYPE_RSA or BR_KEYTYPE_EC */
    br_rsa_private_key own_rsa;
    br_ec_private_key own_ec;
    void *io;
    shakedown_enter *enter;
};

static void *keep(shakedown_session *session, const void *bytes, size_t length)
{
    kept *block = shakedown_calloc(1, offsetof(kept, data) + (length == 0 ? 1 : length));
    if (block == NULL) {
        return NULL;
    }
    block->next = session->kept;
    session->kept = block;
    if (bytes != NULL) {
        memcpy(block->data.bytes, bytes, length);
    }
    return block->data.bytes;
}

/*
 * Memory that the core asks for with operator new, in vectors too. Its operator new (cores/esp8266/abi.cpp) does not
 * return without: it stops the program, "Unhandled C++ exception: OOM". What it asks for with malloc and realloc may be
 * refused, and it goes on.
 */
static void *demand(shakedown_session *session, size_t length)
{
    void *memory = shakedown_calloc(1, length);
    if (memory == NULL) {
        session->is_exhausted = 1;
    }
    return memory;
}

shakedown_session *shakedown_session_new(void)
{
    return shakedown_calloc(1, sizeof(shakedown_session));
}

int shakedown_session_is_exhausted(const shakedown_session *session)
{
    return session->is_exhausted;
}

void shakedown_session_free(shakedown_session *session)
{
    if (session == NULL) {
        return;
    }
    if (session->lenient != NULL) {
        shakedown_free(session->lenient->bytes);
    }
    shakedown_free(session->judge);
    shakedown_free(session->send_buffer);
    shakedown_free(session->receive_buffer);
    shakedown_free(session->client);
    while (session->kept != NULL) {
        kept *block = session->kept;
        session->kept = block->next;
        shakedown_free(block);
    }
    shakedown_free(session);
}

/* ---- Reading certificates and keys ---- */

/* One SEQUENCE that fills the bytes to the last: then they are DER. */
static int is_der(const unsigned char *bytes, size_t length)
{
    size_t header, value = 0, at;
    if (length < 2 || bytes[0] != 0x30) {
        return 0;
    }
    if (bytes[1] < 0x80) {
        return bytes[1] == length - 2;
    }
    header = 2 + (bytes[1] & 0x7f);
    if (header == 2 || header > 5 || header > length) {
        return 0;
    }
    for (at = 2; at < header; at++) {
        value = value << 8 | bytes[at];
    }
    return value == length - header;
}

/* Bytes that a decoder of BearSSL hands out piece by piece. */
typedef struct {
    unsigned char *bytes;
    size_t capacity;
    size_t length;
    int is_too_long;
} sink;

static void pour(void *context, const void *bytes, size_t length)
{
    sink *into = context;
    if (length > into->capacity - into->length) {
        into->is_too_long = 1;
        return;
    }
    memcpy(into->bytes + into->length, bytes, length);
    into->length += length;
}

/* What is done with one object: 1 if all is well. `taker` is the caller's. */
typedef int take_object(shakedown_session *session, void *taker, const char *name, const unsigned char *der,
                        size_t length);

/*
 * Hands every object of a PEM text over: 1 if the text is sound to its end and every one was taken. An object of which
 * the end is missing spoils the whole text, as in the core's decode_pem(); what stands outside of objects does not.
 */
static int each_object(shakedown_session *session, const unsigned char *text, size_t length, take_object *take,
                       void *taker)
{
    br_pem_decoder_context *decoder = demand(session, sizeof(*decoder));
    /* What comes out is shorter than what goes in. */
    sink object = { demand(session, length + 1), length, 0, 0 };
    char name[sizeof(decoder->name)];
    int is_inside = 0, is_well = decoder != NULL && object.bytes != NULL, is_last_line_fed = 0;
    if (is_well) {
        br_pem_decoder_init(decoder);
    }
    while (is_well && (length > 0 || !is_last_line_fed)) {
        size_t taken;
        if (length == 0) {
            /* A last line without its end is a line all the same. */
            text = (const unsigned char *) "\n";
            length = 1;
            is_last_line_fed = 1;
        }
        taken = br_pem_decoder_push(decoder, text, length);
        text += taken;
        length -= taken;
        switch (br_pem_decoder_event(decoder)) {
        case BR_PEM_BEGIN_OBJ:
            memcpy(name, br_pem_decoder_name(decoder), sizeof(name));
            object.length = 0;
            br_pem_decoder_setdest(decoder, pour, &object);
            is_inside = 1;
            break;
        case BR_PEM_END_OBJ:
            if (is_inside) {
                is_well = !object.is_too_long && take(session, taker, name, object.bytes, object.length);
                is_inside = 0;
            }
            break;
        case BR_PEM_ERROR:
            is_well = 0;
            break;
        default:
            break;
        }
    }
    shakedown_free(object.bytes);
    shakedown_free(decoder);
    return is_well && !is_inside;
}

static int is_certificate(const char *name)
{
    return strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0;
}

static int count_certificate(shakedown_session *session, void *taker, const char *name, const unsigned char *der,
                             size_t length)
{
    (void) session;
    (void) der;
    (void) length;
    *(size_t *) taker += is_certificate(name) ? 1 : 0;
    return 1;
}

/* The key of a certificate, copied. */
static int keep_public_key(shakedown_session *session, br_x509_pkey *into, const br_x509_pkey *key)
{
    *into = *key;
    if (key->key_type == BR_KEYTYPE_RSA) {
        into->key.rsa.n = keep(session, key->key.rsa.n, key->key.rsa.nlen);
        into->key.rsa.e = keep(session, key->key.rsa.e, key->key.rsa.elen);
        return into->key.rsa.n != NULL && into->key.rsa.e != NULL;
    }
    if (key->key_type == BR_KEYTYPE_EC) {
        into->key.ec.q = keep(session, key->key.ec.q, key->key.ec.qlen);
        return into->key.ec.q != NULL;
    }
    return 0;
}

/* A list that is being filled. */
typedef struct {
    list list;
    size_t capacity;
} filling;

static int take_certificate(shakedown_session *session, void *taker, const char *name, const unsigned char *der,
                            size_t length)
{
    filling *into = taker;
    br_x509_certificate *certificate;
    br_x509_trust_anchor *anchor;
    br_x509_decoder_context *decoder;
    br_x509_pkey *key;
    sink dn = { NULL, length, 0, 0 };
    int is_well = 0;
    if (!is_certificate(name)) {
        return 1;
    }
    if (into->list.count == into->capacity) {
        return 0;
    }
    certificate = &into->list.certificates[into->list.count];
    anchor = &into->list.anchors[into->list.count];
    certificate->data = keep(session, der, length);
    certificate->data_len = length;
    if (certificate->data == NULL) {
        /* Passed over, as in the core's decode_pem(). */
        return 1;
    }
    decoder = demand(session, sizeof(*decoder));
    dn.bytes = demand(session, length + 1);
    if (decoder != NULL && dn.bytes != NULL) {
        br_x509_decoder_init(decoder, pour, &dn);
        br_x509_decoder_push(decoder, der, length);
        key = br_x509_decoder_get_pkey(decoder);
        if (key != NULL && keep_public_key(session, &anchor->pkey, key)) {
            anchor->dn.data = keep(session, dn.bytes, dn.length);
            anchor->dn.len = dn.length;
            anchor->flags = br_x509_decoder_isCA(decoder) ? BR_X509_TA_CA : 0;
            is_well = anchor->dn.data != NULL;
        }
    }
    shakedown_free(dn.bytes);
    shakedown_free(decoder);
    into->list.count += is_well ? 1 : 0;
    return is_well;
}

/*
 * Adds what is in there to a list: all of it or, if one is not to be read, nothing (the core's X509List::append, which
 * makes a trust anchor of every certificate, the device's own among them, and counts them in when the last is made).
 */
static int add_certificates(shakedown_session *session, list *to, const unsigned char *bytes, size_t length)
{
    filling into = { { NULL, NULL, to->count }, 0 };
    size_t count = 0;
    int is_one = is_der(bytes, length);
    if (is_one) {
        count = 1;
    } else if (!each_object(session, bytes, length, count_certificate, &count) || count == 0) {
        return 0;
    }
    into.capacity = to->count + count;
    into.list.certificates = keep(session, NULL, into.capacity * sizeof(br_x509_certificate));
    into.list.anchors = keep(session, NULL, into.capacity * sizeof(br_x509_trust_anchor));
    if (into.list.certificates == NULL || into.list.anchors == NULL) {
        return 0;
    }
    if (to->count > 0) {
        memcpy(into.list.certificates, to->certificates, to->count * sizeof(br_x509_certificate));
        memcpy(into.list.anchors, to->anchors, to->count * sizeof(br_x509_trust_anchor));
    }
    if (!(is_one ? take_certificate(session, &into, "CERTIFICATE", bytes, length)
                 : each_object(session, bytes, length, take_certificate, &into))
        || into.list.count == to->count) {
        return 0;
    }
    *to = into.list;
    return 1;
}

int shakedown_session_add_anchors(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    return add_certificates(session, &session->anchors, bytes, length);
}

int shakedown_session_add_own_certificates(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    return add_certificates(session, &session->own, bytes, length);
}

int shakedown_session_set_known_key(shakedown_session *session, const unsigned char *certificate, size_t length)
{
    return add_certificates(session, &session->known, certificate, length);
}

static int keep_rsa(shakedown_session *session, const br_rsa_private_key *key)
{
    br_rsa_private_key *into = &session->own_rsa;
    *into = *key;
    into->p = keep(session, key->p, key->plen);
    into->q = keep(session, key->q, key->qlen);
    into->dp = keep(session, key->dp, key->dplen);
    into->dq = keep(session, key->dq, key->dqlen);
    into->iq = keep(session, key->iq, key->iqlen);
    return into->p != NULL && into->q != NULL && into->dp != NULL && into->dq != NULL && into->iq != NULL;
}

static int keep_ec(shakedown_session *session, const br_ec_private_key *key)
{
    session->own_ec = *key;
    session->own_ec.x = keep(session, key->x, key->xlen);
    return session->own_ec.x != NULL;
}

static int take_key(shakedown_session *session, void *taker, const char *name, const unsigned char *der, size_t length)
{
    br_skey_decoder_context *decoder;
    (void) taker;
    if (session->own_key_type != 0
        || (strcmp(name, "PRIVATE KEY") != 0 && strcmp(name, "RSA PRIVATE KEY") != 0
            && strcmp(name, "EC PRIVATE KEY") != 0)) {
        return 1;
    }
    decoder = demand(session, sizeof(*decoder));
    if (decoder == NULL) {
        return 0;
    }
    br_skey_decoder_init(decoder);
    br_skey_decoder_push(decoder, der, length);
    if (br_skey_decoder_last_error(decoder) == 0) {
        if (br_skey_decoder_key_type(decoder) == BR_KEYTYPE_RSA) {
            if (keep_rsa(session, br_skey_decoder_get_rsa(decoder))) {
                session->own_key_type = BR_KEYTYPE_RSA;
            }
        } else if (br_skey_decoder_key_type(decoder) == BR_KEYTYPE_EC) {
            if (keep_ec(session, br_skey_decoder_get_ec(decoder))) {
                session->own_key_type = BR_KEYTYPE_EC;
            }
        }
    }
    shakedown_free(decoder);
    return 1;
}

int shakedown_session_set_own_key(shakedown_session *session, const unsigned char *bytes, size_t length)
{
    if (is_der(bytes, length)) {
        take_key(session, NULL, "PRIVATE KEY", bytes, length);
    } else if (!each_object(session, bytes, length, take_key, NULL)) {
        session->own_key_type = 0;
    }
    return session->own_key_type != 0;
}

/* ---- Judges ---- */

/* Steps over the value at `*at`, or into it, and says where it lies: 0 if there is none of that tag. */
static int der_value(const unsigned char **at, const unsigned char *end, unsigned char tag, int is_entered,
                     const unsigned char **value, size_t *length)
{
    const unsigned char *byte = *at;
    size_t count;
    if (end - byte < 2 || byte[0] != tag) {
        return 0;
    }
    *length = byte[1];
    byte += 2;
    if (*length >= 0x80) {
        count = *length & 0x7f;
        if (count == 0 || count > 3 || (size_t) (end - byte) < count) {
            return 0;
        }
        for (*length = 0; count > 0; count--) {
            *length = *length << 8 | *byte++;
        }
    }
    if ((size_t) (end - byte) < *length) {
        return 0;
    }
    *value = byte;
    *at = is_entered ? byte : byte + *length;
    return 1;
}

/* Whether a certificate names itself as its issuer (RFC 5280 section 4.1). */
static int is_self_issued(const unsigned char *bytes, size_t length)
{
    const unsigned char *at = bytes, *end = bytes + length, *value, *issuer, *subject;
    size_t ignored, issuer_length, subject_length;
    if (!der_value(&at, end, 0x30, 1, &value, &ignored) || !der_value(&at, end, 0x30, 1, &value, &ignored)) {
        return 0;
    }
    /* The version may be absent. */
    der_value(&at, end, 0xa0, 0, &value, &ignored);
    return der_value(&at, end, 0x02, 0, &value, &ignored)      /* serial number */
        && der_value(&at, end, 0x30, 0, &value, &ignored)      /* signature algorithm */
        && der_value(&at, end, 0x30, 0, &issuer, &issuer_length)
        && der_value(&at, end, 0x30, 0, &value, &ignored)      /* validity */
        && der_value(&at, end, 0x30, 0, &subject, &subject_length)
        && issuer_length == subject_length && memcmp(issuer, subject, issuer_length) == 0;
}

static lenient_judge *lenient(const br_x509_class **context)
{
    return (lenient_judge *) (void *) context;
}

static void lenient_start_chain(const br_x509_class **context, const char *server_name)
{
    lenient_judge *judge = lenient(context);
    (void) server_name;
    judge->has_certificate = 0;
    br_sha1_init(&judge->sha1);
    br_x509_decoder_init(&judge->decoder, NULL, NULL);
}

static void lenient_start_cert(const br_x509_class **context, uint32_t length)
{
    lenient_judge *judge = lenient(context);
    if (!judge->has_certificate && judge->wants_self_signed && judge->bytes == NULL) {
        /* Without memory, no certificate is found to be self-signed. */
        judge->bytes = shakedown_calloc(1, length);
        judge->length = judge->bytes == NULL ? 0 : length;
        judge->filled = 0;
    }
}

static void lenient_append(const br_x509_class **context, const unsigned char *bytes, size_t length)
{
    lenient_judge *judge = lenient(context);
    if (judge->has_certificate) {
        return;
    }
    br_sha1_update(&judge->sha1, bytes, length);
    br_x509_decoder_push(&judge->decoder, bytes, length);
    if (length <= judge->length - judge->filled) {
        memcpy(judge->bytes + judge->filled, bytes, length);
        judge->filled += length;
    }
}

static void lenient_end_cert(const br_x509_class **context)
{
    lenient(context)->has_certificate = 1;
}

static unsigned lenient_end_chain(const br_x509_class **context)
{
    lenient_judge *judge = lenient(context);
    unsigned char fingerprint[SHA1_BYTES];
    if (!judge->has_certificate) {
        /* The core's insecure_end_chain() says 1, whatever that means to BearSSL. */
        return BR_ERR_BAD_PARAM;
    }
    br_sha1_out(&judge->sha1, fingerprint);
    if (judge->fingerprint != NULL && memcmp(fingerprint, judge->fingerprint, SHA1_BYTES) != 0) {
        return BR_ERR_X509_NOT_TRUSTED;
    }
    if (judge->wants_self_signed && !is_self_issued(judge->bytes, judge->filled)) {
        return BR_ERR_X509_NOT_TRUSTED;
    }
    return 0;
}

static const br_x509_pkey *lenient_get_pkey(const br_x509_class *const *context, unsigned *usages)
{
    const lenient_judge *judge = (const lenient_judge *) (const void *) context;
    if (usages != NULL) {
        *usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN;
    }
    /* Decoded or not, as in the core: without a key, the engine finds none of the right type. */
    return &judge->decoder.pkey;
}

static const br_x509_class lenient_class = {
    sizeof(lenient_judge), lenient_start_chain, lenient_start_cert, lenient_append,
    lenient_end_cert,      lenient_end_chain,   lenient_get_pkey,
};

static watch *watching(const br_x509_class **context)
{
    return (watch *) (void *) context;
}

static void enter(shakedown_session *session, int stage)
{
    if (session->enter != NULL) {
        session->enter(session->io, stage);
    }
}

static void watch_start_chain(const br_x509_class **context, const char *server_name)
{
    watch *watch = watching(context);
    watch->session->has_chain_come = 1;
    enter(watch->session, 1);
    watch->judge[0]->start_chain(watch->judge, server_name);
}

static void watch_start_cert(const br_x509_class **context, uint32_t length)
{
    watch *watch = watching(context);
    watch->judge[0]->start_cert(watch->judge, length);
}

static void watch_append(const br_x509_class **context, const unsigned char *bytes, size_t length)
{
    watch *watch = watching(context);
    watch->judge[0]->append(watch->judge, bytes, length);
}

static void watch_end_cert(const br_x509_class **context)
{
    watch *watch = watching(context);
    watch->judge[0]->end_cert(watch->judge);
}

static unsigned watch_end_chain(const br_x509_class **context)
{
    watch *watch = watching(context);
    unsigned error = watch->judge[0]->end_chain(watch->judge);
    if (error == 0) {
        watch->session->is_chain_judged = 1;
        enter(watch->session, 2);
    }
    return error;
}

static const br_x509_pkey *watch_get_pkey(const br_x509_class *const *context, unsigned *usages)
{
    const watch *watching = (const watch *) (const void *) context;
    return watching->judge[0]->get_pkey((const br_x509_class *const *) watching->judge, usages);
}

static const br_x509_class watch_class = {
    sizeof(watch),  watch_start_chain, watch_start_cert, watch_append,
    watch_end_cert, watch_end_chain,   watch_get_pkey,
};

/* ---- Starting ---- */

/* Every hash that BearSSL has, as the core wants it. */
static const struct {
    int id;
    const br_hash_class *hash;
} HASHES[] = {
    { br_md5_ID, &br_md5_vtable },       { br_sha1_ID, &br_sha1_vtable },     { br_sha224_ID, &br_sha224_vtable },
    { br_sha256_ID, &br_sha256_vtable }, { br_sha384_ID, &br_sha384_vtable }, { br_sha512_ID, &br_sha512_vtable },
};

#define HASH_COUNT (sizeof(HASHES) / sizeof(HASHES[0]))

static void start_engine(shakedown_session *session, const shakedown_settings *settings)
{
    br_ssl_client_context *client = session->client;
    br_ssl_engine_context *engine = &client->eng;
    size_t at;
    br_ssl_client_zero(client);
    br_ssl_engine_add_flags(engine, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_versions(engine, settings->version_min, settings->version_max);
    br_ssl_engine_set_suites(engine, settings->cipher_suites, settings->cipher_suite_count);
    br_ssl_client_set_default_rsapub(client);
    br_ssl_engine_set_default_rsavrfy(engine);
    br_ssl_engine_set_default_ecdsa(engine);
    if (settings->curves != 0) {
        session->curves = *br_ssl_engine_get_ec(engine);
        session->curves.supported_curves &= settings->curves;
        br_ssl_engine_set_ec(engine, &session->curves);
    }
    for (at = 0; at < HASH_COUNT; at++) {
        br_ssl_engine_set_hash(engine, HASHES[at].id, HASHES[at].hash);
    }
    br_ssl_engine_set_prf10(engine, br_tls10_prf);
    br_ssl_engine_set_prf_sha256(engine, br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(engine, br_tls12_sha384_prf);
    br_ssl_engine_set_default_aes_cbc(engine);
    br_ssl_engine_set_default_aes_gcm(engine);
    br_ssl_engine_set_default_aes_ccm(engine);
    br_ssl_engine_set_default_des_cbc(engine);
    br_ssl_engine_set_default_chapol(engine);
    if (settings->alpn_count > 0) {
        br_ssl_engine_set_protocol_names(engine, settings->alpn, settings->alpn_count);
    }
}

/* 0 if memory is short. */
static int appoint_judge(shakedown_session *session, const shakedown_settings *settings)
{
    br_ssl_engine_context *engine = &session->client->eng;
    size_t at;
    if (settings->validator == SHAKEDOWN_ANCHORS) {
        br_x509_minimal_context *judge = demand(session, sizeof(*judge));
        if (judge == NULL) {
            return 0;
        }
        br_x509_minimal_init(judge, &br_sha256_vtable, session->anchors.anchors, session->anchors.count);
        br_x509_minimal_set_rsa(judge, br_ssl_engine_get_rsavrfy(engine));
        br_x509_minimal_set_ecdsa(judge, br_ssl_engine_get_ec(engine), br_ssl_engine_get_ecdsa(engine));
        for (at = 0; at < HASH_COUNT; at++) {
            br_x509_minimal_set_hash(judge, HASHES[at].id, HASHES[at].hash);
        }
        br_x509_minimal_set_time(judge, (uint32_t) (settings->unix_time_s / SECONDS_PER_DAY) + UNIX_EPOCH_DAYS,
                                 (uint32_t) (settings->unix_time_s % SECONDS_PER_DAY));
        session->judge = judge;
    } else if (settings->validator == SHAKEDOWN_KNOWN_KEY) {
        br_x509_knownkey_context *judge = demand(session, sizeof(*judge));
        const br_x509_pkey *key = &session->known.anchors[0].pkey;
        if (judge == NULL) {
            return 0;
        }
        if (key->key_type == BR_KEYTYPE_RSA) {
            br_x509_knownkey_init_rsa(judge, &key->key.rsa, BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
        } else {
            br_x509_knownkey_init_ec(judge, &key->key.ec, BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
        }
        session->judge = judge;
    } else {
        lenient_judge *judge = demand(session, sizeof(*judge));
        if (judge == NULL) {
            return 0;
        }
        judge->vtable = &lenient_class;
        judge->fingerprint = settings->validator == SHAKEDOWN_FINGERPRINT ? settings->fingerprint : NULL;
        judge->wants_self_signed = settings->validator == SHAKEDOWN_SELF_SIGNED;
        session->judge = judge;
        session->lenient = judge;
    }
    /* Every judge begins with its class. */
    session->watch.vtable = &watch_class;
    session->watch.judge = session->judge;
    session->watch.session = session;
    br_ssl_engine_set_x509(engine, &session->watch.vtable);
    return 1;
}

/* The type of the key that signed the device's certificate, which a sketch has to tell setClientECCert(). */
static unsigned own_issuer_key_type(shakedown_session *session)
{
    br_x509_decoder_context *decoder;
    unsigned type = BR_KEYTYPE_EC;
    if (session->own.count > 0 && (decoder = shakedown_calloc(1, sizeof(*decoder))) != NULL) {
        br_x509_decoder_init(decoder, NULL, NULL);
        br_x509_decoder_push(decoder, session->own.certificates[0].data, session->own.certificates[0].data_len);
        type = (unsigned) br_x509_decoder_get_signer_key_type(decoder);
        shakedown_free(decoder);
    }
    return type;
}

static void resume(shakedown_session *session, const shakedown_kept *kept)
{
    br_ssl_session_parameters parameters;
    memset(&parameters, 0, sizeof(parameters));
    if (kept->session_id_bytes > sizeof(parameters.session_id)) {
        return;
    }
    memcpy(parameters.session_id, kept->session_id, sizeof(parameters.session_id));
    parameters.session_id_len = (unsigned char) kept->session_id_bytes;
    parameters.version = (uint16_t) kept->version;
    parameters.cipher_suite = (uint16_t) kept->cipher_suite;
    memcpy(parameters.master_secret, kept->main_secret, sizeof(parameters.master_secret));
    br_ssl_engine_set_session_parameters(&session->client->eng, &parameters);
    session->is_resuming = kept->session_id_bytes > 0;
}

int shakedown_session_start(shakedown_session *session, const shakedown_settings *settings)
{
    size_t receive_bytes = settings->receive_buffer_bytes + RECEIVE_OVERHEAD_BYTES;
    size_t send_bytes = settings->send_buffer_bytes + SEND_OVERHEAD_BYTES;
    br_ssl_engine_context *engine;
    /* In the core's order (_connectSSL): engine, buffers, judge. Only the buffers may be refused. */
    session->client = demand(session, sizeof(*session->client));
    session->receive_buffer = shakedown_calloc(1, receive_bytes);
    session->send_buffer = shakedown_calloc(1, send_bytes);
    if (session->client == NULL || session->receive_buffer == NULL || session->send_buffer == NULL) {
        return 0;
    }
    engine = &session->client->eng;
    start_engine(session, settings);
    if (!appoint_judge(session, settings)) {
        return 0;
    }
    br_ssl_engine_set_buffers_bidi(engine, session->receive_buffer, receive_bytes, session->send_buffer, send_bytes);
    if (session->own_key_type == BR_KEYTYPE_RSA) {
        br_ssl_client_set_single_rsa(session->client, session->own.certificates, session->own.count, &session->own_rsa,
                                     br_rsa_pkcs1_sign_get_default());
    } else if (session->own_key_type == BR_KEYTYPE_EC) {
        br_ssl_client_set_single_ec(session->client, session->own.certificates, session->own.count, &session->own_ec,
                                    BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN, own_issuer_key_type(session),
                                    br_ec_get_default(), br_ecdsa_sign_asn1_get_default());
    }
    br_ssl_engine_inject_entropy(engine, settings->entropy, settings->entropy_bytes);
    if (settings->kept != NULL) {
        resume(session, settings->kept);
    }
    /* If this fails, the engine is closed and has an error. */
    br_ssl_client_reset(session->client, settings->server_name, settings->kept != NULL);
    return 1;
}

/* ---- Running ---- */

void shakedown_session_set_io(shakedown_session *session, void *io, shakedown_enter *enter)
{
    session->io = io;
    session->enter = enter;
}

int shakedown_session_stage(const shakedown_session *session)
{
    const br_ssl_engine_context *engine = &session->client->eng;
    if (engine->out.vtable != &br_sslrec_out_clear_vtable) {
        return 3;
    }
    if (session->is_chain_judged) {
        return 2;
    }
    if (session->is_resuming) {
        return session->has_chain_come;
    }
    return engine->session.cipher_suite != 0 ? 1 : 0;
}

unsigned shakedown_session_state(const shakedown_session *session)
{
    return br_ssl_engine_current_state(&session->client->eng);
}

int shakedown_session_error(const shakedown_session *session)
{
    return br_ssl_engine_last_error(&session->client->eng);
}

const unsigned char *shakedown_session_records_out(shakedown_session *session, size_t *length)
{
    return br_ssl_engine_sendrec_buf(&session->client->eng, length);
}

void shakedown_session_records_sent(shakedown_session *session, size_t length)
{
    br_ssl_engine_sendrec_ack(&session->client->eng, length);
}

unsigned char *shakedown_session_records_in(shakedown_session *session, size_t *length)
{
    return br_ssl_engine_recvrec_buf(&session->client->eng, length);
}

void shakedown_session_records_received(shakedown_session *session, size_t length)
{
    br_ssl_engine_recvrec_ack(&session->client->eng, length);
}

unsigned char *shakedown_session_data_out(shakedown_session *session, size_t *length)
{
    return br_ssl_engine_sendapp_buf(&session->client->eng, length);
}

void shakedown_session_data_written(shakedown_session *session, size_t length)
{
    br_ssl_engine_sendapp_ack(&session->client->eng, length);
    br_ssl_engine_flush(&session->client->eng, 0);
}

const unsigned char *shakedown_session_data_in(shakedown_session *session, size_t *length)
{
    return br_ssl_engine_recvapp_buf(&session->client->eng, length);
}

void shakedown_session_data_read(shakedown_session *session, size_t length)
{
    br_ssl_engine_recvapp_ack(&session->client->eng, length);
}

void shakedown_session_keep(const shakedown_session *session, shakedown_kept *kept)
{
    br_ssl_session_parameters parameters;
    br_ssl_engine_get_session_parameters(&session->client->eng, &parameters);
    kept->session_id_bytes = parameters.session_id_len;
    kept->version = parameters.version;
    kept->cipher_suite = parameters.cipher_suite;
    memcpy(kept->session_id, parameters.session_id, sizeof(kept->session_id));
    memcpy(kept->main_secret, parameters.master_secret, sizeof(kept->main_secret));
}

int shakedown_session_is_resumed(const shakedown_session *session)
{
    return session->is_resuming && !session->has_chain_come;
}

uint32_t shakedown_session_version(const shakedown_session *session)
{
    return session->client->eng.session.version;
}

uint32_t shakedown_session_cipher_suite(const shakedown_session *session)
{
    return session->client->eng.session.cipher_suite;
}
