//! TLS records and the handshake messages in them.
#![no_main]

use wire::tls::{
    CertificateChain, CertificateRequest, CertificateVerify, CipherSuite, ClientHello, ClientHelloView,
    EncryptedExtensions, HandshakeDecoder, Ja3, Ja4, NewSessionTicket, ProtocolVersion, RecordDecoder, ServerHello,
    ServerHelloView, ServerKeyExchange,
};

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    let mut records = RecordDecoder::new();
    let mut messages = HandshakeDecoder::new(10_000);
    records.extend(stream);
    while let Some(Ok(record)) = records.next_record() {
        messages.extend(&record.fragment);
    }
    while let Some(Ok(message)) = messages.next_message() {
        let body = &message.body[..];
        if let Ok(Ok(hello)) = ClientHelloView::parse(body).map(|view| ClientHello::parse(&view)) {
            assert_eq!(Ja3::of(&hello).hash().len(), 32);
            let ja4 = Ja4::of(&hello).to_string();
            assert_eq!(ja4.len(), 36, "{ja4}");
        }
        if let Ok(view) = ServerHelloView::parse(body) {
            let _ = (ServerHello::parse(&view).group(), view.downgraded_from());
        }
        let _ = EncryptedExtensions::parse(body);
        for version in [0x0301, 0x0303, 0x0304].map(ProtocolVersion) {
            let _ = CertificateChain::parse(body, version);
            let _ = CertificateRequest::parse(body, version);
            let _ = CertificateVerify::parse(body, version);
            let _ = NewSessionTicket::parse(body, version);
            let _ = ServerKeyExchange::parse(body, version, CipherSuite(0xc02b));
            let _ = ServerKeyExchange::parse(body, version, CipherSuite(0x009e));
        }
    }
});
