use super::*;

/// A certificate that this bench mints, as DER and as text.
fn certificate() -> (Vec<u8>, String) {
    let text = "title = 't'\nspecification = { demands = 'connect', rule = 'RFC 9846 §2', quote = 'q' }\n";
    let scenario = scenario::Scenario::parse("x/y", "y.toml", text).unwrap_or_else(|problem| panic!("{problem}"));
    let minted = crate::bench::mint(&scenario, 1).expect("it can be minted");
    let root = &minted.certificates["root"];
    (root.der.clone(), root.pem())
}

#[test]
fn certificates_are_found_as_text_and_as_bytes_wherever_they_lie() {
    let (der, pem) = certificate();
    let escaped = pem.replace('\n', "\\n");
    let parts: [&[u8]; 7] =
        [&[0xff; 77], &der, b"junk \x30\x82\x01", pem.as_bytes(), &[0; 9], escaped.as_bytes(), b"\0"];
    let found = find(&parts.concat());
    let forms: Vec<(usize, bool)> = found.certificates.iter().map(|one| (one.at, one.is_pem)).collect();
    let text_at = 77 + der.len() + 8;
    assert_eq!(forms, [(77, false), (text_at, true), (text_at + pem.len() + 9, true)]);
    assert!(found.certificates.iter().all(|one| one.key == "P-256" && one.is_authority), "{found:?}");
    assert_eq!((found.bundle, found.signature_at, found.private_keys), (None, None, 0));
}

#[test]
fn bundles_signatures_and_keys_are_named_and_keys_not_looked_at() {
    let name: Vec<u8> = [&[0x30, 14][..], &[0x31; 14]].concat();
    let key: Vec<u8> = [&[0x30, 0x81, 90][..], &[3; 90]].concat();
    let entry =
        |number: fn(u16) -> [u8; 2]| [&number(16)[..], &number(93)[..], name.as_slice(), key.as_slice()].concat();
    for number in [u16::to_be_bytes as fn(u16) -> [u8; 2], u16::to_le_bytes] {
        let image = [&[0xff; 5][..], &entry(number).repeat(9), &[0xff; 40]].concat();
        assert_eq!(find(&image).bundle, Some((5, 9)));
        let image = [&[0xff; 5][..], &entry(number).repeat(7), &[0xff; 40]].concat();
        assert_eq!(find(&image).bundle, None, "seven are chance");
    }
    let mut image = vec![0xff; 3 * SECTOR_BYTES];
    image[2 * SECTOR_BYTES..2 * SECTOR_BYTES + 4].copy_from_slice(&SIGNATURE);
    let key = [PRIVATE_KEYS[2], b"\n", &[b'M'; 64]].concat();
    image[9..9 + key.len()].copy_from_slice(&key);
    // A library's own words are no key.
    image[500..500 + PRIVATE_KEYS[0].len()].copy_from_slice(PRIVATE_KEYS[0]);
    let found = find(&image);
    assert_eq!((found.signature_at, found.private_keys), (Some(2 * SECTOR_BYTES), 1));
}

#[test]
fn what_is_none_is_passed_over_in_bounds() {
    let images: [Vec<u8>; 5] = [
        Vec::new(),
        vec![0x30; 100_000],
        b"\x30\x82".repeat(10_000),
        PEM_BEGINS.repeat(500),
        [0x30, 0x82, 0xff, 0xff, 0x30, 0x82].to_vec(),
    ];
    for image in images {
        assert_eq!(find(&image), Anchors::default());
    }
}
