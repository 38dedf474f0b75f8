//! WPA2-Personal: keys from a passphrase, the frames that agree on them, and the cipher that uses them.

pub mod ccmp;
pub mod eapol;
pub mod key;
