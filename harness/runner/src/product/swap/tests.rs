use clock::UnixTime;
use firmware_image::{FlashImage, Part, PrintableName};
use pki::spec::{Certificate, Certificates};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;
use crate::product::anchors;

const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// Somebody's certificate with such fields.
fn theirs(fields: &str, seed: u64) -> pki::MintedCertificate {
    let certificate: Certificate = toml::from_str(fields).unwrap_or_else(|why| panic!("{fields}: {why}"));
    let mut minted = pki::mint(&Certificates([("root".to_owned(), certificate)].into()), seed, DATE).expect("minted");
    minted.certificates.remove("root").expect("it")
}

/// A device's own certificate, which somebody else has signed.
fn devices_own() -> pki::MintedCertificate {
    let mut minted = pki::mint(&Certificates::default(), 5, DATE).expect("minted");
    minted.certificates.remove("client").expect("it")
}

/// A scenario that says this of its certificates.
fn scenario(text: &str) -> Scenario {
    let text =
        format!("title = 't'\nspecification = {{ demands = 'either', rule = 'RFC 1 §1', quote = 'q' }}\n{text}\n");
    Scenario::parse("x/y", "x.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

fn places(image: &[u8], at: Option<usize>) -> Result<Places, Impossible> {
    Places::find(image, &anchors::find(image), at, None)
}

/// The copy of `image` that meets a scenario, and the scenario.
fn swapped(image: &[u8], text: &str) -> Result<(Vec<u8>, Scenario), String> {
    let places = places(image, None).map_err(|why| why.to_string())?;
    let (scenario, put) = places.of(image, &scenario(text), 9).map_err(|why| why.to_string())?;
    Ok((places.put(image, &put).unwrap_or_else(|why| panic!("{why}")), scenario))
}

/// The certificates that lie in an image, as DER.
fn certificates(image: &[u8]) -> Vec<(String, String, usize)> {
    anchors::find(image).certificates.into_iter().map(|one| (one.subject, one.key, one.length)).collect()
}

/// What lies at a place of an image, as DER.
fn der_at(image: &[u8], found: &Found) -> Vec<u8> {
    let bytes = &image[found.range()];
    if found.is_pem {
        let text = String::from_utf8_lossy(bytes).replace("\\n", "\n");
        x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()).next().expect("one").expect("PEM").contents
    } else {
        bytes.to_vec()
    }
}

/// That the scenario's leaf is signed by who lies at each of the first `count` places.
fn hangs_on(image: &[u8], scenario: &Scenario, count: usize) {
    let minted = pki::mint(&scenario.pki, 9, scenario.date()).expect("a chain");
    let leaf = X509Certificate::from_der(&minted.certificates["leaf"].der).expect("a leaf").1;
    for found in anchors::find(image).certificates.iter().take(count) {
        let der = der_at(image, found);
        let root = X509Certificate::from_der(&der).expect("a root").1;
        assert_eq!(root.subject().as_raw(), leaf.issuer().as_raw());
        leaf.verify_signature(Some(root.public_key())).expect("it has signed it");
    }
}

#[test]
fn an_authority_is_replaced_by_the_scenarios_of_the_same_kind_and_length_in_every_form() {
    for (key, length_of) in
        [("p256", 0_usize), ("p384", 7), ("rsa2048", 40), ("p256", 130), ("rsa4096", 3), ("ed25519", 90)]
    {
        let subject = format!("key = '{key}'\nsubject = 'CN=Their authority,O={}'", "x".repeat(length_of));
        let one = theirs(&subject, 3);
        let pem = one.pem();
        for lies in [
            one.der.clone(),
            pem.clone().into_bytes(),
            pem.replace('\n', "\\n").into_bytes(),
            pem.replace('\n', "\r\n").into_bytes(),
        ] {
            let image = [&[0xff; 33][..], &lies, b"\0behind it"].concat();
            let key_there = anchors::find(&image).certificates[0].key.clone();
            let (copy, scenario) = swapped(&image, "").unwrap_or_else(|why| panic!("{key} {length_of}: {why}"));
            assert_eq!(copy.len(), image.len());
            assert!(copy.ends_with(b"\0behind it") && copy.starts_with(&[0xff; 33]));
            let found = anchors::find(&copy).certificates;
            assert_eq!(found.len(), 1, "{key}");
            assert_eq!((found[0].at, found[0].key.as_str()), (33, key_there.as_str()));
            assert!(found[0].subject.starts_with("CN=Shakedown"), "{}", found[0].subject);
            hangs_on(&copy, &scenario, 1);
        }
    }
}

#[test]
fn a_chain_hangs_on_all_that_were_replaced() {
    let (first, second) =
        (theirs("subject = 'CN=One authority of theirs'", 3), theirs("subject = 'CN=Two and a longer name'", 4));
    let client = devices_own();
    let image = [first.pem().as_bytes(), b"\0", &second.der, b"\0", client.pem().as_bytes(), b"\0"].concat();
    let (copy, scenario) = swapped(&image, "").unwrap_or_else(|why| panic!("{why}"));
    hangs_on(&copy, &scenario, 2);
    let lie = anchors::find(&copy).certificates;
    assert_eq!(lie.len(), certificates(&image).len());
    assert_eq!(der_at(&copy, &lie[2]), client.der, "the device's own is as it was");
}

#[test]
fn what_a_scenario_does_to_its_authority_lies_in_the_copy() {
    let rsa = theirs("key = 'rsa4096'\nsubject = 'CN=Their authority'", 3);
    let p256 = theirs("subject = 'CN=Their authority,O=a firm with a long name'", 3);
    let expired = "date = '2026-01-01T00:00:00Z'\n[pki.root]\nnot_before = '-3650d'\nnot_after = '-1d'";
    for image in [rsa.der.clone(), rsa.pem().into_bytes(), p256.der.clone(), p256.pem().into_bytes()] {
        let (copy, scenario) = swapped(&image, expired).unwrap_or_else(|why| panic!("{why}"));
        let found = anchors::find(&copy).certificates;
        assert!(found[0].not_after.contains("2025"), "{}", found[0].not_after);
        hangs_on(&copy, &scenario, 1);
        // Whom it trusts may be no root.
        let (copy, _) = swapped(&image, "[device]\ntrusts = ['leaf']\n[pki.leaf]\nissuer = 'self'").expect("a leaf");
        assert!(!der_at(&copy, &anchors::find(&copy).certificates[0]).is_empty());
        let (copy, _) = swapped(&image, "[pki.root]\nsubject = 'CN=Plant root,O=Shakedown'").expect("another name");
        assert_eq!(anchors::find(&copy).certificates[0].subject, "CN=Plant root, O=Shakedown");
    }
    // A scenario that is about a kind of key keeps it where it fits.
    let (copy, scenario) = swapped(&rsa.pem().into_bytes(), "[pki.root]\nkey = 'rsa2048'").expect("there is room");
    assert_eq!(anchors::find(&copy).certificates[0].key, "RSA 2048");
    hangs_on(&copy, &scenario, 1);
    let why = swapped(&p256.pem().into_bytes(), "[pki.root]\nkey = 'rsa2048'").expect_err("there is none");
    assert!(
        why.contains("`root` (rsa2048), takes") && why.contains("bytes as PEM, and in the place of CN=Their"),
        "{why}"
    );
}

#[test]
fn what_cannot_stand_in_the_place_of_an_authority_says_why() {
    let image = theirs("subject = 'CN=Their authority'", 3).der;
    for (text, expected) in [
        ("[device]\ntrusts = []", "it is about a device that trusts nobody"),
        ("[device]\ntrusts = ['root', 'other']\n[pki.other]\nissuer = 'self'", "a device that trusts 2 authorities"),
        ("[device]\ntrusts_as = 'der'", "it is about the form"),
        ("[pki.root]\nunknown_extensions = [{ oid = '2.999.7', critical = false, length = 900 }]", "bytes as DER"),
    ] {
        let why = swapped(&image, text).expect_err(expected);
        assert!(why.contains(expected), "{text}: {why}");
    }
    let text = format!("[pki.root]\npem = '''\n{}'''", devices_own().pem());
    let why = swapped(&image, &text).expect_err("it is somebody else's");
    assert!(why.contains("takes") || why.contains("cannot be padded") || why.contains("minted"), "{why}");
}

#[test]
fn a_flash_with_a_swapped_authority_boots() {
    let elf = concat!(env!("CARGO_MANIFEST_DIR"), "/../../firmware-under-test/images/esp32c3_mbedtls.elf");
    let elf = std::fs::read(elf).expect("a released image");
    let one = theirs("subject = 'CN=Their authority'", 3);
    let mut flash = flash_of(&elf);
    // In the place of what the application has to say at that place; nobody runs it here.
    let at = 0x1_0000 + 0x4000;
    flash[at..at + one.der.len()].copy_from_slice(&one.der);
    let target = &espressif::ESP32C3;
    firmware_image::mend(&mut flash, &(at..at + 1), target).expect("it is mended");
    let places = Places::find(&flash, &anchors::find(&flash), None, Some(target)).unwrap_or_else(|why| panic!("{why}"));
    let (_, put) = places.of(&flash, &scenario(""), 9).unwrap_or_else(|why| panic!("{why}"));
    let copy = places.put(&flash, &put).unwrap_or_else(|why| panic!("{why}"));
    assert!(FlashImage::merged("x.bin", copy, target).is_ok());
    let expected =
        format!("CN=Their authority (P-256, DER) at {at:#x} in the partition factory (checksum and SHA-256 mended)");
    assert_eq!(places.to_string(), expected);
    assert!(places.put(b"another image", &put).is_err());
}

/// An application as espflash lays it out.
fn flash_of(elf: &[u8]) -> Vec<u8> {
    use espflash::flasher::{FlashData, FlashSettings, FlashSize};
    use espflash::image_format::idf::IdfBootloaderFormat;
    use espflash::target::{Chip, XtalFrequency};
    let mut settings = FlashSettings::default();
    settings.size = Some(FlashSize::_4Mb);
    let data = FlashData::new(settings, 0, None, Chip::Esp32c3, XtalFrequency::_40Mhz);
    let image = IdfBootloaderFormat::new(elf, &data, None, None, None, None).expect("espflash takes the image");
    let parts = image.flash_segments().map(|segment| Part {
        at: segment.addr,
        bytes: segment.data.to_vec(),
        name: PrintableName::new("part"),
    });
    FlashImage::new(parts.collect(), &espressif::ESP32C3).expect("it is whole").content
}

#[test]
fn what_cannot_be_swapped_says_why_and_what_to_do() {
    let (p256, rsa) = (theirs("subject = 'CN=One'", 3), theirs("subject = 'CN=Two'\nkey = 'rsa2048'", 4));
    let client = devices_own();
    let mut signed = vec![0xff; 8192];
    signed[4096..4100].copy_from_slice(&[0xe7, 2, 0, 0]);
    let both = [p256.der.as_slice(), &rsa.der].concat();
    let why = |image: &[u8], at| places(image, at).expect_err("impossible").to_string();
    assert!(why(&signed, None).contains("signed for secure boot (at 0x1000)"));
    assert!(why(b"nothing", None).contains("there is no certificate in it"));
    assert!(
        why(&client.der, None).contains("none of its certificates is an authority's"),
        "{}",
        why(&client.der, None)
    );
    assert!(why(&both, None).contains("`--swap-at ADDRESS`"));
    assert!(why(&both, Some(7)).contains("no authority lies at 0x7"));
    assert!(why(b"nothing", None).contains("--authority CERT.pem"));
    // One of the two is meant, and the other stays.
    let second = places(&both, Some(p256.der.len())).expect("the second");
    let (_, put) = second.of(&both, &scenario(""), 9).expect("it fits");
    let copy = second.put(&both, &put).expect("it is there");
    assert_eq!(copy[..p256.der.len()], p256.der);
    assert_ne!(copy[p256.der.len()..], rsa.der);
}
