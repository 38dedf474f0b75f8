//! What alerts mean when a device and a broker exchange them (RFC 9846 §6, RFC 5246 §7.2), and what is usually behind.

use outcome::AlertDescription;

/// An alert's meaning, by who says it.
struct Meaning {
    alert: u8,
    /// If the client says it of the server.
    from_client: &'static str,
    /// If the server says it of the client.
    from_server: &'static str,
}

const MEANINGS: &[Meaning] = &[
    Meaning {
        alert: 0,
        from_client: "the client is done, in good order",
        from_server: "the server is done: if the client did not ask for it, the reason is what the client said last",
    },
    Meaning {
        alert: 10,
        from_client: "the server sent a message that has no place there",
        from_server: "the client sent a message that has no place there",
    },
    Meaning {
        alert: 20,
        from_client: "a record from the server was damaged on the way, or the two don't agree on the keys",
        from_server: "a record from the client was damaged on the way, or the two don't agree on the keys",
    },
    Meaning {
        alert: 22,
        from_client: "the server's record is longer than the client can take: the client's receive buffer is too \
                      small, or the server does not honour max_fragment_length",
        from_server: "the client's record is longer than allowed",
    },
    Meaning {
        alert: 40,
        from_client: "the client found nothing acceptable in what the server chose: suite, group, key or signature",
        from_server: "nothing of what the client offers suits the server: no common suite or group, no certificate for \
                      the client's suites and signatures, or no client certificate where one is required",
    },
    Meaning {
        alert: 42,
        from_client: "the server's certificate is damaged, badly signed, or not made for a server; some stacks say this \
                      of a wrong name too",
        from_server: "the client's certificate is damaged or unfit; some brokers say this if none came",
    },
    Meaning {
        alert: 43,
        from_client: "the server's certificate has a key or a signature that the client cannot handle, or a purpose \
                      other than a server's",
        from_server: "the client's certificate has a key or a purpose that the server does not take",
    },
    Meaning {
        alert: 44,
        from_client: "the server's certificate was revoked",
        from_server: "the client's certificate was revoked",
    },
    Meaning {
        alert: 45,
        from_client: "the server's certificate is not valid at the time that the client's clock shows: it has ended, or \
                      has not begun because the clock was never set",
        from_server: "the client's certificate has ended",
    },
    Meaning {
        alert: 46,
        from_client: "the client cannot accept the server's certificate, for a reason that has no alert of its own",
        from_server: "the server cannot accept the client's certificate, for a reason that has no alert of its own",
    },
    Meaning {
        alert: 47,
        from_client: "the server said something that contradicts itself or the client's hello",
        from_server: "the client said something that contradicts itself or the server's hello",
    },
    Meaning {
        alert: 48,
        from_client: "no authority that the client trusts vouches for the server: the wrong authority on the device, a \
                      missing intermediate, or no memory left to check it (look for a failed allocation)",
        from_server: "no authority that the server trusts vouches for the client's certificate",
    },
    Meaning {
        alert: 49,
        from_client: "the client does not want to go on with this server",
        from_server: "the client's certificate is in order, but it may not connect",
    },
    Meaning {
        alert: 50,
        from_client: "the server's message cannot be parsed",
        from_server: "the client's message cannot be parsed",
    },
    Meaning {
        alert: 51,
        from_client: "a signature or the Finished of the server is wrong: its key may not belong to its certificate",
        from_server: "a signature or the Finished of the client is wrong: its key may not belong to its certificate",
    },
    Meaning {
        alert: 70,
        from_client: "the server chose a version that the client does not speak",
        from_server: "the server does not speak any version that the client offers",
    },
    Meaning {
        alert: 71,
        from_client: "what the server chose is too weak for the client",
        from_server: "what the client offers is too weak for the server",
    },
    Meaning {
        alert: 80,
        from_client: "the client failed for a reason of its own: often no memory",
        from_server: "the server failed for a reason of its own; OpenSSL 3 says so if its security level leaves no \
                      signature for TLS 1.0 and 1.1",
    },
    Meaning {
        alert: 86,
        from_client: "an inappropriate fallback, which only servers should say",
        from_server: "the client came back with a lower version although the server speaks a higher one",
    },
    Meaning { alert: 90, from_client: "the client was told to stop", from_server: "the server was told to stop" },
    Meaning {
        alert: 100,
        from_client: "the client does not renegotiate",
        from_server: "the server does not renegotiate",
    },
    Meaning {
        alert: 109,
        from_client: "the server left out an extension that its version of TLS requires",
        from_server: "the client left out an extension that this server or its version of TLS requires",
    },
    Meaning {
        alert: 110,
        from_client: "the server answered with an extension that the client had not asked for",
        from_server: "the client sent an extension that has no place there",
    },
    Meaning {
        alert: 112,
        from_client: "an unrecognized name, which only servers should say",
        from_server: "the server has nothing under the name that the client asks for (SNI), or wants a name and got none",
    },
    Meaning {
        alert: 116,
        from_client: "a certificate is required, which only servers should say",
        from_server: "the server requires a client certificate, and the client sent none",
    },
    Meaning {
        alert: 120,
        from_client: "no application protocol in common, which only servers should say",
        from_server: "the server requires an application protocol (ALPN) that the client does not offer",
    },
];

/// What it means if the client, or else the server, says this.
pub fn meaning(alert: AlertDescription, from_client: bool) -> &'static str {
    match MEANINGS.iter().find(|meaning| meaning.alert == alert.0) {
        Some(meaning) if from_client => meaning.from_client,
        Some(meaning) => meaning.from_server,
        None if alert.name().is_some() => "an alert that is rare between devices and brokers",
        None => "an alert that nobody has registered",
    }
}
