//! Compiles Mbed TLS 3.6.5 from the sources that the crate `mbedtls-rs-sys` carries: see the crate `mbedtls_build`.

use mbedtls_build::{Change, Headers, Library};

fn main() {
    mbedtls_build::build(&Library {
        package: "mbedtls-rs-sys",
        folder: "mbedtls",
        headers: Headers::OfPackage("gen/sysroot/include"),
        config: "mbedtls_3_6_config.h",
        changes: &[
            // Without MBEDTLS_HAVE_TIME_DATE nothing is ever past or future. With it, this function alone decides.
            Change {
                file: "x509.c",
                old: "\
int mbedtls_x509_time_cmp(const mbedtls_x509_time *t1,
                          const mbedtls_x509_time *t2)
{
    int x;
",
                count: 1,
                new: "\
int mbedtls_x509_time_cmp(const mbedtls_x509_time *t1,
                          const mbedtls_x509_time *t2)
{
    int x;

    if (!shakedown_checks_dates) {
        return 0;
    }
",
            },
        ],
    });
}
