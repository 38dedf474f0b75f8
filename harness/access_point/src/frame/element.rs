//! Elements: what management frames are made of behind their fixed fields (IEEE Std 802.11-2020 §9.4.2.1).

/// Identifiers of elements.
pub mod id {
    /// The network's name.
    pub const SSID: u8 = 0;
    /// Up to eight rates.
    pub const SUPPORTED_RATES: u8 = 1;
    /// The channel that a frame was sent on.
    pub const DSSS_PARAMETER: u8 = 3;
    /// For whom frames are kept.
    pub const TIM: u8 = 5;
    /// The access point will go to another channel.
    pub const CHANNEL_SWITCH: u8 = 37;
    /// How 802.11b and 802.11g stations get on.
    pub const ERP: u8 = 42;
    /// Robust security: WPA2.
    pub const RSN: u8 = 48;
    /// The rates that had no room.
    pub const EXTENDED_RATES: u8 = 50;
    /// Whose it is, its first three octets say.
    pub const VENDOR: u8 = 221;
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Which.
    pub id: u8,
    /// What it holds, at most 255 octets.
    pub content: &'a [u8],
}

/// The elements of a frame, up to the first that is not whole.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// What the first element of a kind holds.
    pub fn first(mut self, id: u8) -> Option<&'a [u8]> {
        self.find(|element| element.id == id).map(|element| element.content)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let [id, length, rest @ ..] = self.0 else { return None };
        let (content, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(Element { id: *id, content })
    }
}

/// Appends an element; what does not fit its 255 octets is left out.
pub fn push_element(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    let content = &content[..content.len().min(255)];
    into.extend([id, content.len() as u8]);
    into.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_element_ends_the_list() {
        let mut bytes = Vec::new();
        push_element(&mut bytes, id::SSID, b"home");
        push_element(&mut bytes, id::DSSS_PARAMETER, &[6]);
        assert_eq!(Elements(&bytes).first(id::DSSS_PARAMETER), Some(&[6][..]));
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(Elements(cut).count(), 1);
        assert_eq!(Elements(&[0]).next(), None);
    }
}
