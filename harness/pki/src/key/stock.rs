//! The stock of keys that are not derived. See `stock/README.md`.

use crate::spec::KeyKind;

macro_rules! keys {
    ($($file:literal),+) => {
        &[$(include_bytes!(concat!("../stock/", $file, ".der"))),+]
    };
}

const RSA_768: &[&[u8]] = keys!["rsa768_0", "rsa768_1", "rsa768_2", "rsa768_3"];
const RSA_1024: &[&[u8]] = keys!["rsa1024_0", "rsa1024_1", "rsa1024_2", "rsa1024_3"];
const RSA_2048: &[&[u8]] =
    keys!["rsa2048_0", "rsa2048_1", "rsa2048_2", "rsa2048_3", "rsa2048_4", "rsa2048_5", "rsa2048_6", "rsa2048_7"];
const RSA_3072: &[&[u8]] = keys!["rsa3072_0", "rsa3072_1", "rsa3072_2", "rsa3072_3"];
const RSA_4096: &[&[u8]] = keys!["rsa4096_0", "rsa4096_1", "rsa4096_2", "rsa4096_3"];
const RSA_8192: &[&[u8]] = keys!["rsa8192_0", "rsa8192_1", "rsa8192_2"];

/// Private keys and their public halves.
const BRAINPOOL_P256R1: &[(&[u8], &[u8])] = &[
    (include_bytes!("../stock/brainpool256_0.der"), include_bytes!("../stock/brainpool256_0.public.der")),
    (include_bytes!("../stock/brainpool256_1.der"), include_bytes!("../stock/brainpool256_1.public.der")),
    (include_bytes!("../stock/brainpool256_2.der"), include_bytes!("../stock/brainpool256_2.public.der")),
];

/// How many different keys of that kind one seed can give.
pub(super) fn count(kind: KeyKind) -> usize {
    match kind {
        KeyKind::BrainpoolP256r1 => BRAINPOOL_P256R1.len(),
        kind if kind.is_rsa() => stock(kind).len(),
        _ => 1,
    }
}

/// The key over brainpoolP256r1 that `choice` falls on: as PKCS#8, and its public half, both in DER.
pub(super) fn brainpool(choice: usize) -> (&'static [u8], &'static [u8]) {
    BRAINPOOL_P256R1[choice % BRAINPOOL_P256R1.len()]
}

/// The key of that kind that `choice` falls on, as PKCS#8 in DER; one of 2048 bits if the kind is not RSA.
pub(super) fn rsa(kind: KeyKind, choice: usize) -> &'static [u8] {
    let stock = stock(kind);
    stock[choice % stock.len()]
}

fn stock(kind: KeyKind) -> &'static [&'static [u8]] {
    match kind {
        KeyKind::Rsa768 => RSA_768,
        KeyKind::Rsa1024 => RSA_1024,
        KeyKind::Rsa3072 => RSA_3072,
        KeyKind::Rsa4096 => RSA_4096,
        KeyKind::Rsa8192 => RSA_8192,
        _ => RSA_2048,
    }
}
