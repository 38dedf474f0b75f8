//! Compiles Mbed TLS 2.28.10 from the sources that the crate `mbedtls-sys-auto` carries: see the crate
//! `mbedtls_build`.

use mbedtls_build::{Change, Headers, Library};

fn main() {
    mbedtls_build::build(&Library {
        package: "mbedtls-sys-auto",
        folder: "vendor",
        headers: Headers::Own("c/include"),
        config: "mbedtls_2_28_config.h",
        changes: &[
            // mbedtls_x509_time_is_past and mbedtls_x509_time_is_future, as without MBEDTLS_HAVE_TIME_DATE: nothing is
            // ever past or future.
            Change {
                file: "x509.c",
                old: "    if (x509_get_current_time(&now) != 0) {\n",
                count: 2,
                new: "    if (!shakedown_checks_dates) {\n        return 0;\n    }\n\n    if (x509_get_current_time(&now) != 0) {\n",
            },
            // ssl_write_client_hello, when the message is complete and neither hashed nor sent: another may take its
            // place.
            Change {
                file: "ssl_cli.c",
                old: "\
    ssl->out_msglen  = p - buf;
    ssl->out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    ssl->out_msg[0]  = MBEDTLS_SSL_HS_CLIENT_HELLO;
",
                count: 1,
                new: "\
    if ((ret = shakedown_replace_hello(ssl, buf, end, &p)) != 0) {
        return ret;
    }

    ssl->out_msglen  = p - buf;
    ssl->out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    ssl->out_msg[0]  = MBEDTLS_SSL_HS_CLIENT_HELLO;
",
            },
        ],
    });
}
