//! Where in an image the passphrase of a network may lie: near the network's name.
//!
//! What is compiled in as `ssid` and `password` lies side by side: in ESP-IDF's `wifi_config_t`, among the texts of a sketch,
//! in a script. A candidate is tried by letting the firmware join a network that has it. What is written down of the one that
//! it joins with is the place, and never the text.

/// So far from the name a passphrase is looked for, in bytes.
const NEAR_BYTES: usize = 1_024;
/// A passphrase of WPA2-Personal has so many characters (IEEE Std 802.11-2020 annex J.4).
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=63;
/// A name that stands in the image more often is a word like any other.
const NAMES_MAX: usize = 8;
/// So many are tried.
const CANDIDATES_MAX: usize = 16;

/// A text in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins, in bytes.
    pub at: usize,
    /// How long it is, in bytes.
    pub length: usize,
}

/// Texts that may be the passphrase to the network `ssid`, the nearest first.
pub fn candidates(image: &[u8], ssid: &str) -> Vec<Place> {
    let mut found: Vec<(usize, Place)> = Vec::new();
    for name_at in super::anchors::places(image, ssid.as_bytes()).take(NAMES_MAX) {
        let from = name_at.saturating_sub(NEAR_BYTES);
        let window = &image[from..image.len().min(name_at + NEAR_BYTES)];
        for place in texts(window, from) {
            let text = &image[place.at..place.at + place.length];
            let is_new = found.iter().all(|(_, other)| image[other.at..other.at + other.length] != *text);
            if is_new && text != ssid.as_bytes() {
                found.push((place.at.abs_diff(name_at), place));
            }
        }
    }
    found.sort_by_key(|(distance, place)| (*distance, place.at));
    found.into_iter().map(|(_, place)| place).take(CANDIDATES_MAX).collect()
}

/// The text at a place, if it may be a passphrase and ends there.
pub fn read(image: &[u8], Place { at, length }: Place) -> Option<&str> {
    let end = at.checked_add(length)?;
    let text = image.get(at..end).filter(|text| LENGTHS.contains(&length) && text.iter().all(is_text))?;
    let ends = image.get(end).is_none_or(|byte| !is_text(byte));
    let begins = at == 0 || !is_text(&image[at - 1]);
    if ends && begins { std::str::from_utf8(text).ok() } else { None }
}

/// The texts in a window that begins at `from`.
fn texts(window: &[u8], from: usize) -> impl Iterator<Item = Place> {
    let mut at = from;
    window.split(|byte| !is_text(byte)).filter_map(move |text| {
        let place = Place { at, length: text.len() };
        at += text.len() + 1;
        LENGTHS.contains(&place.length).then_some(place)
    })
}

/// What a text consists of; quotation marks end it in a script.
const fn is_text(byte: &u8) -> bool {
    matches!(*byte, b' '..=b'~') && *byte != b'"' && *byte != b'\''
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(image: &'a [u8], ssid: &str) -> Vec<&'a str> {
        candidates(image, ssid).into_iter().map(|place| read(image, place).expect("it was found")).collect()
    }

    #[test]
    fn what_lies_near_the_name_is_found_nearest_first() {
        let mut config = b"far away text\0\0".to_vec();
        config.extend([0; 40]);
        config.extend(b"home-5");
        config.extend([0; 26]);
        config.extend(b"correct horse");
        config.extend([0; 51]);
        assert_eq!(found(&config, "home-5"), ["correct horse", "far away text"]);
        let script = br#"wlan.connect("home-5", "correct horse")"#;
        assert_eq!(found(script, "home-5"), ["correct horse", "wlan.connect("]);
        assert_eq!(found(b"home-5\0short\0", "home-5"), [""; 0]);
        assert_eq!(found(&b"home-5\0".repeat(200), "home-5"), [""; 0]);
    }

    #[test]
    fn a_place_of_another_image_is_no_passphrase() {
        let image = b"\0correct horse battery\0";
        assert_eq!(read(image, Place { at: 1, length: 21 }), Some("correct horse battery"));
        for (at, length) in [(1, 13), (2, 20), (0, 9), (1, 200), (usize::MAX, 9)] {
            assert_eq!(read(image, Place { at, length }), None, "{at} {length}");
        }
        assert_eq!(candidates(&[b'x'; 5_000], "x"), []);
    }
}
