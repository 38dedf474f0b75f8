//! Session tickets (RFC 5077, RFC 9846 §4.7.1) that hide nothing: they are as long as a scenario wants them.

use rustls::server::ProducesTickets;

/// Tells our tickets from others; and those of a broker that has been restarted from those of before.
const MARKS: [&[u8; 16]; 2] = [b"shakedown ticket", b"restarted ticket"];

/// Tickets that carry the session as it is, and dots up to the length that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tickets {
    pub(super) padding_bytes: u16,
    /// Whether a ticket that comes back is honoured.
    pub(super) honoured: bool,
    /// Whether the tickets of before are strangers to it.
    pub(super) is_restarted: bool,
}

impl Tickets {
    const fn mark(&self) -> &'static [u8; 16] {
        MARKS[self.is_restarted as usize]
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        7_200
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(session.len()).ok()?;
        let mut ticket = [self.mark(), &length.to_be_bytes()[..], session].concat();
        // A ticket's own length field has 16 bits.
        ticket.resize(usize::from(u16::MAX).min(ticket.len() + usize::from(self.padding_bytes)), b'.');
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if !self.honoured {
            return None;
        }
        let (length, session) = ticket.strip_prefix(self.mark())?.split_first_chunk::<2>()?;
        session.get(..usize::from(u16::from_be_bytes(*length))).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_back_whatever_their_padding() {
        let tickets = Tickets { padding_bytes: 4_000, honoured: true, is_restarted: false };
        let ticket = tickets.encrypt(b"session").unwrap();
        assert!(ticket.len() > 4_000);
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        assert_eq!(tickets.decrypt(b"shakedown ticket\xff\xff"), None);
        assert_eq!(tickets.decrypt(b"another"), None);
        assert_eq!(Tickets { honoured: false, ..tickets }.decrypt(&ticket), None);
        assert_eq!(Tickets { is_restarted: true, ..tickets }.decrypt(&ticket), None);
    }
}
