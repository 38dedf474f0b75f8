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

fn swapped(image: &[u8], at: Option<usize>) -> Result<Swapped, Impossible> {
    swap(image, &anchors::find(image), at, None, 9, DATE)
}

/// The certificates that lie in an image, as DER.
fn certificates(image: &[u8]) -> Vec<(String, String, usize)> {
    anchors::find(image).certificates.into_iter().map(|one| (one.subject, one.key, one.length)).collect()
}

#[test]
fn an_authority_is_replaced_by_one_of_the_same_kind_and_length_in_every_form() {
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
            let swapped = swapped(&image, None).unwrap_or_else(|why| panic!("{key} {length_of}: {why}"));
            assert_eq!(swapped.image.len(), image.len());
            assert!(swapped.image.ends_with(b"\0behind it") && swapped.image.starts_with(&[0xff; 33]));
            let found = anchors::find(&swapped.image).certificates;
            assert_eq!(found.len(), 1, "{key}");
            assert_eq!((found[0].at, found[0].key.as_str()), (33, swapped.replaced[0].0.key.as_str()));
            assert!(found[0].subject.starts_with("CN=Shakedown"), "{}", found[0].subject);
            assert_eq!(found[0].subject, swapped.authority.subject());
        }
    }
}

#[test]
fn a_chain_hangs_on_the_authority_and_all_that_were_replaced_are_it() {
    let (first, second) =
        (theirs("subject = 'CN=One authority of theirs'", 3), theirs("subject = 'CN=Two and a longer name'", 4));
    let client = devices_own();
    let image = [first.pem().as_bytes(), b"\0", &second.der, b"\0", client.pem().as_bytes(), b"\0"].concat();
    let swapped = swapped(&image, None).unwrap_or_else(|why| panic!("{why}"));
    let root = [("root".to_owned(), swapped.authority.specification())].into();
    let minted = pki::mint(&Certificates(root), 1, DATE).expect("a chain");
    let leaf = X509Certificate::from_der(&minted.certificates["leaf"].der).expect("a leaf").1;
    let lie = anchors::find(&swapped.image).certificates;
    for found in lie.iter().take(2) {
        let bytes = &swapped.image[found.range()];
        let der = if found.is_pem {
            x509_parser::pem::Pem::iter_from_buffer(bytes).next().expect("one").expect("PEM").contents
        } else {
            bytes.to_vec()
        };
        let root = X509Certificate::from_der(&der).expect("a root").1;
        assert_eq!(root.subject().as_raw(), leaf.issuer().as_raw());
        leaf.verify_signature(Some(root.public_key())).expect("it has signed it");
    }
    assert_eq!(lie.len(), certificates(&image).len());
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
    let swapped =
        swap(&flash, &anchors::find(&flash), None, Some(target), 9, DATE).unwrap_or_else(|why| panic!("{why}"));
    assert!(FlashImage::merged("x.bin", swapped.image.clone(), target).is_ok());
    let told = swapped.to_string();
    let expected =
        format!("CN=Their authority (P-256, DER) at {at:#x} in the partition factory (checksum and SHA-256 mended)");
    assert_eq!(told, expected);
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
    let why = |image: &[u8], at| swapped(image, at).expect_err("impossible").to_string();
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
    let swapped = swapped(&both, Some(p256.der.len())).expect("the second");
    assert_eq!(swapped.image[..p256.der.len()], p256.der);
    assert_eq!(swapped.replaced.len(), 1);
}
