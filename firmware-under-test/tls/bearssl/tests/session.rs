//! Sessions on the host, as far as they get without a peer.

#[cfg(not(bearssl))]
#[test]
fn stands_aside_without_the_sources_of_bearssl() {
    eprintln!("skipped: {}", option_env!("WITHOUT_BEARSSL").unwrap_or("no reason was given"));
}

#[cfg(bearssl)]
mod with_bearssl {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::sync::Once;

    use bearssl::BearSsl;
    use client::port::{self, Port};
    use client::tls::{Failure, Session as _, Stack as _, Wire, WireEnd};
    use control::{Blob, Tls};
    use outcome::Stage;

    /// A text with two certificates and a key in it, and other things between them, which PEM's readers pass over.
    const POSTED: &str = include_str!("../../../../scenarios/trust/verify_off_with_the_client_of_document_002.toml");

    thread_local! {
        /// Blocks that are out, with their sizes; and after how many allocations one fails.
        static HEAP: RefCell<(HashMap<usize, usize>, Option<usize>)> = RefCell::default();
    }

    fn allocate(bytes: usize) -> *mut u8 {
        HEAP.with_borrow_mut(|(blocks, left)| {
            match left {
                Some(0) => {
                    *left = None;
                    return std::ptr::null_mut();
                }
                Some(count) => *count -= 1,
                None => {}
            }
            let block = Box::leak(vec![0_u64; bytes.div_ceil(8).max(1)].into_boxed_slice());
            blocks.insert(block.as_ptr() as usize, block.len());
            block.as_mut_ptr().cast()
        })
    }

    unsafe fn release(block: *mut u8) {
        let words = HEAP.with_borrow_mut(|(blocks, _)| blocks.remove(&(block as usize))).expect("it came from here");
        // SAFETY: the block was leaked with this length, and was out until now.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(block.cast::<u64>(), words)) });
    }

    static PORT: Port = Port {
        allocate,
        release,
        unix_time_s: || 1_767_225_600,
        milliseconds: || 0,
        random: |into: &mut [u8]| into.fill(7),
    };

    static INSTALLED: Once = Once::new();

    /// A wire on which the peer is silent, and then gone.
    #[derive(Default)]
    struct Silence {
        sent: Vec<u8>,
        stages: Vec<Stage>,
        end: Option<WireEnd>,
    }

    impl Wire for Silence {
        fn read(&mut self, _: &mut [u8]) -> Result<usize, WireEnd> {
            self.end.map_or(Ok(0), Err)
        }

        fn write(&mut self, bytes: &[u8]) -> Result<usize, WireEnd> {
            self.sent.extend(bytes);
            Ok(bytes.len())
        }

        fn enter(&mut self, stage: Stage) {
            self.stages.push(stage);
        }
    }

    /// What is sent for a plan before the peer has said a word.
    fn hello(plan: &Tls) -> Result<Vec<u8>, Failure> {
        INSTALLED.call_once(|| port::install(&PORT));
        let mut wire = Silence::default();
        let mut session = BearSsl::default().open(plan)?;
        assert!(!session.handshake(&mut wire)?);
        assert_eq!(wire.stages.first(), Some(&Stage::Hello));
        wire.end = Some(WireEnd::Closed);
        let failure = session.handshake(&mut wire).expect_err("the peer is gone");
        assert_eq!((failure.code, failure.name.as_str()), (0, "BR_ERR_OK: connection closed"));
        Ok(wire.sent)
    }

    fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    #[test]
    fn the_hello_is_that_of_an_esp8266() {
        let plan = Tls { server_name: Some("broker.test".into()), ..Tls::default() };
        let sent = hello(&plan).expect("a hello");
        // Record and message headers, TLS 1.2, 32 random bytes of which the first four are no time, no session, and
        // 45 cipher suites (WiFiClientSecureBearSSL.cpp, suites_P) from ECDHE_ECDSA with ChaCha20 on.
        assert_eq!(sent[..3], [0x16, 3, 1]);
        assert_eq!(sent[9..15], [3, 3, 0, 0, 0, 0]);
        assert_eq!(sent[43..48], [0, 0, 90, 0xcc, 0xa9]);
        assert!(holds(&sent, b"broker.test"));
        // `setBufferSizes(16384, 512)`: a max_fragment_length of 512 bytes (RFC 6066 §4).
        assert!(holds(&sent, &[0, 1, 0, 1, 1]));
        assert!(!holds(&hello(&Tls::default()).expect("a hello"), b"broker.test"));
        assert!(holds(
            &hello(&Tls { max_fragment_length_bytes: Some(4096), ..plan }).expect("a hello"),
            &[0, 1, 0, 1, 4]
        ));
    }

    #[test]
    fn the_same_chance_makes_the_same_hello() {
        assert_eq!(hello(&Tls::default()), hello(&Tls::default()));
    }

    #[test]
    fn what_is_no_certificate_is_left_out_without_a_word() {
        for blob in [
            Blob::Pem("nonsense".into()),
            Blob::Pem("-----BEGIN CERTIFICATE-----\nMII".into()),
            Blob::DerHex("30".into()),
        ] {
            let plan = Tls { authorities: Some(blob.clone()), client_key: Some(blob), ..Tls::default() };
            assert!(hello(&plan).is_ok());
        }
    }

    #[test]
    fn memory_may_be_short_at_any_moment_and_is_given_back() {
        let (mut exceptions, mut refusals, mut losses) = (0, 0, 0);
        for allocations in 0.. {
            HEAP.with_borrow_mut(|(_, left)| *left = Some(allocations));
            let posted = || Some(Blob::Pem(POSTED.into()));
            let plan =
                Tls { authorities: posted(), client_certificate: posted(), client_key: posted(), ..Tls::default() };
            let result = hello(&plan);
            let has_failed = HEAP.with_borrow_mut(|(blocks, left)| {
                assert!(blocks.is_empty(), "{allocations}: {blocks:?}");
                left.take().is_none()
            });
            match result {
                Err(failure) if failure.code == 0 => {
                    assert_eq!(failure.name, "UNHANDLED_EXCEPTION: OOM");
                    exceptions += 1;
                }
                Err(failure) => {
                    assert_eq!((failure.code, failure.name.as_str()), (-1000, "OUT_OF_MEMORY"));
                    refusals += 1;
                }
                // Anchors, certificates or the key are lost, and nobody is told.
                Ok(_) if has_failed => losses += 1,
                Ok(_) => break,
            }
        }
        // The core's two record buffers alone are asked for with a new that may refuse.
        assert_eq!(refusals, 2);
        assert!(exceptions > 10 && losses > 10, "{exceptions} {losses}");
    }
}
