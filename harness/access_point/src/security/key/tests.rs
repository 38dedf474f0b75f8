use super::*;

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The three vectors of IEEE Std 802.11-2020 §J.4.2.
#[test]
fn passphrases_become_the_keys_of_the_standard() {
    let a = "a".repeat(32);
    let z = "Z".repeat(32);
    let vectors = [
        ("password", "IEEE", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"),
        ("ThisIsAPassword", "ThisIsASSID", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"),
        (a.as_str(), z.as_str(), "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"),
    ];
    for (passphrase, ssid, expected) in vectors {
        assert_eq!(MasterKey::from_passphrase(passphrase, ssid.as_bytes()).0.to_vec(), bytes(expected), "{passphrase}");
    }
}

#[test]
fn sixty_four_digits_are_the_key_itself() {
    let digits = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e";
    assert_eq!(MasterKey::from_passphrase(digits, b"whatever").0.to_vec(), bytes(digits));
}

/// The four vectors of IEEE Std 802.11-2020 §J.3 (those of RFC 2202 with a label in between).
#[test]
fn the_pseudo_random_function_is_the_standards() {
    let vectors = [
        (vec![0x0b; 20], "prefix", b"Hi There".to_vec(), "bcd4c650b30b9684951829e0d75f9d54b862175ed9f00606"),
        (
            b"Jefe".to_vec(),
            "prefix",
            b"what do ya want for nothing?".to_vec(),
            "51f4de5b33f249adf81aeb713a3c20f4fe631446fabdfa58244759ae58ef9009",
        ),
        (
            vec![0xaa; 20],
            "prefix",
            vec![0xdd; 50],
            "e1ac546ec4cb636f9976487be5c86be17a0252ca5d8d8df12cfb0473525249ce9dd8d177ead710bc9b590547239107aef7b4abd43d87f0a6\
             8f1cbd9e2b6f7607",
        ),
    ];
    for (key, label, data, expected) in vectors {
        let expected = bytes(expected);
        let mut output = vec![0; expected.len()];
        prf(&key, label, &data, &mut output);
        assert_eq!(output, expected);
    }
}

/// IEEE Std 802.11-2020 §J.7.1: pairwise key derivation, CCMP.
#[test]
fn a_transient_key_is_that_of_the_standard() {
    let master = bytes("0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af");
    let master = MasterKey(master.try_into().expect("32 bytes"));
    let nonces = [
        bytes("c0c1c2c3c4c5c6c7c8c9d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5"),
        bytes("e0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405"),
    ];
    let [station_nonce, nonce] = nonces.map(|nonce| <[u8; 32]>::try_from(nonce).expect("32 bytes"));
    let station = "b0:b1:b2:b3:b4:b5".parse().unwrap_or_default();
    let access_point = "a0:a1:a1:a3:a4:a5".parse().unwrap_or_default();
    let key = TransientKey::derive(&master, [access_point, station], [&nonce, &station_nonce]);
    let same = TransientKey::derive(&master, [station, access_point], [&station_nonce, &nonce]);
    assert_eq!(key, same);
    assert_eq!(key.confirmation.to_vec(), bytes("379f9852d0199236b94e407ce4c00ec8"));
    assert_eq!(key.encryption.to_vec(), bytes("47c9edc01c2c6e5b4910caddfb3e51a7"));
    assert_eq!(key.temporal.to_vec(), bytes("b2360c79e9710fdd58bea93deaf06599"));
}
