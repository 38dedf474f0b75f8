//! On what a scenario was run: what a transcript says of it, and no more.

use board::Target;
use control::Failure;

/// On what, and from which seed.
pub struct Setting<'a> {
    /// The stack's name: the image's, or that of the product for which it stands.
    pub stack: &'a str,
    /// What the stack is: `Mbed TLS 3.6.5`, `NodeMCU 3.0`.
    pub title: &'a str,
    /// The image's name.
    pub image: &'a str,
    /// The image's name, version and hash.
    pub firmware: String,
    /// The board.
    pub target: Target,
    /// Where all randomness comes from.
    pub seed: u64,
    /// The version of the OpenSSL that scripted brokers use.
    pub openssl: &'a str,
    /// The product's own words for failures.
    pub platform: &'a dyn Platform,
}

/// A product that has words of its own for what its TLS library tells it.
pub trait Platform {
    /// Its words for a failure, if it has some.
    fn says(&self, failure: &Failure) -> Option<String>;
}
