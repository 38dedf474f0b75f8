//! Handshake messages other than hellos and certificates.

use wire::tls::{CertificateRequest, CertificateVerify, KeyExchange, NewSessionTicket, ServerKeyExchange};
use x509_parser::prelude::{FromDer, X509Name};

use super::certificate::name;
use crate::text::{dotted, listed};

/// Which certificates a server would take.
pub fn certificate_request(request: &CertificateRequest<'_>) -> String {
    let authorities = match &request.authorities[..] {
        [] => "any authority".into(),
        [one] => match X509Name::from_der(one) {
            Ok((_, authority)) => format!("by {}", name(&authority)),
            Err(_) => "by an unreadable authority".into(),
        },
        many => format!("by one of {} authorities", many.len()),
    };
    dotted([authorities, listed(&request.signature_schemes, 4)])
}

/// How keys are agreed on.
pub fn server_key_exchange(message: &ServerKeyExchange) -> String {
    let exchange = match message.exchange {
        KeyExchange::Ecdhe(group) => group.to_string(),
        KeyExchange::Dhe { prime_bits } => format!("dhe {prime_bits} bits"),
        KeyExchange::Other => String::new(),
    };
    dotted([exchange, message.scheme.map(|scheme| scheme.to_string()).unwrap_or_default()])
}

/// How the handshake is signed.
pub fn certificate_verify(message: &CertificateVerify) -> String {
    message.scheme.map(|scheme| scheme.to_string()).unwrap_or_default()
}

/// For how long a ticket is good.
pub fn new_session_ticket(message: &NewSessionTicket) -> String {
    format!("good for {} s", message.lifetime_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_named() {
        // RFC 5280 §4.1.2.4: a sequence of sets of pairs; here CN=Test.
        let one = b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04Test";
        let request = |authorities| CertificateRequest { authorities, ..CertificateRequest::default() };
        assert_eq!(certificate_request(&request(vec![one])), "by CN=Test");
        assert_eq!(certificate_request(&request(vec![one, b""])), "by one of 2 authorities");
        assert_eq!(certificate_request(&request(vec![b"\x30\xff"])), "by an unreadable authority");
        assert_eq!(certificate_request(&request(vec![])), "any authority");
    }
}
