//! Compiles Mbed TLS 3.6.5 from the sources that the crate `mbedtls-rs-sys` carries: see `build/library.rs`.

#[path = "build/library.rs"]
mod library;

use library::{Change, Headers, Library};

fn main() {
    println!("cargo::rerun-if-changed=build/library.rs");
    library::build(&Library {
        package: "mbedtls-rs-sys",
        folder: "mbedtls",
        headers: Headers::OfPackage("gen/sysroot/include"),
        config: "config.h",
        files: &["c/calendar.c", "c/session.c"],
        includes: &["c/interface"],
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
