//! The ways in which people paste bytes. The dumps were made by the tools that they are named after.

use super::*;

/// 56 bytes: the first ClientHello of document 000.
const HELLO: &str =
    "16030200330100002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea000008002f0035000500040100";

fn hello() -> Vec<u8> {
    octets(HELLO).expect("digits")
}

#[track_caller]
fn is_the_hello(text: &str) {
    assert_eq!(read(text), Ok(hello()), "{text}");
}

#[test]
fn digits_with_or_without_anything_between() {
    is_the_hello(HELLO);
    is_the_hello(&HELLO.to_uppercase());
    let pairs: Vec<&str> = HELLO.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap()).collect();
    for between in [" ", "\n", ":", "-", ", ", ",\r\n\t", ",0x", ", 0x", " 0X", "\\x"] {
        let before = if between.contains(['x', 'X']) { between.trim_start_matches([',', ' ']) } else { "" };
        is_the_hello(&format!("{before}{}", pairs.join(between)));
    }
    is_the_hello(&format!("\"{}\"; // as in the log", pairs.join(" ")));
}

#[test]
fn c_arrays() {
    let numbers: Vec<String> = hello().iter().map(|byte| format!("0x{byte:x}")).collect();
    let array =
        format!("unsigned char hello_bin[] = {{\n  {},\n}};\nunsigned int hello_bin_len = 56;\n", numbers.join(", "));
    is_the_hello(&array);
}

#[test]
fn dumps_of_the_usual_tools() {
    // `xxd`
    is_the_hello(
        "00000000: 1603 0200 3301 0000 2f03 0200 0000 00d0  ....3.../.......\n\
         00000010: b1a1 3a07 1c1b 3ef2 fc03 91d6 18b5 ae5d  ..:...>........]\n\
         00000020: 7765 37f5 0710 45d1 7e1a ea00 0008 002f  we7...E.~....../\n\
         00000030: 0035 0005 0004 0100                      .5......\n",
    );
    // `hexdump -C`, which says at last how long it all was
    is_the_hello(
        "00000000  16 03 02 00 33 01 00 00  2f 03 02 00 00 00 00 d0  |....3.../.......|\n\
         00000010  b1 a1 3a 07 1c 1b 3e f2  fc 03 91 d6 18 b5 ae 5d  |..:...>........]|\n\
         00000020  77 65 37 f5 07 10 45 d1  7e 1a ea 00 00 08 00 2f  |we7...E.~....../|\n\
         00000030  00 35 00 05 00 04 01 00                           |.5......|\n\
         00000038\n",
    );
    // `tcpdump -x`
    is_the_hello(
        "\t0x0000:  1603 0200 3301 0000 2f03 0200 0000 00d0\n\
         \t0x0010:  b1a1 3a07 1c1b 3ef2 fc03 91d6 18b5 ae5d\n\
         \t0x0020:  7765 37f5 0710 45d1 7e1a ea00 0008 002f\n\
         \t0x0030:  0035 0005 0004 0100\n",
    );
    // Wireshark, "Copy … as Hex + ASCII Dump"; a second packet follows
    is_the_hello(
        "0000   16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0   ....3.../.......\n\
         0010   b1 a1 3a 07 1c 1b 3e f2 fc 03 91 d6 18 b5 ae 5d   ..:...>........]\n\
         0020   77 65 37 f5 07 10 45 d1 7e 1a ea 00 00 08 00 2f   we7...E.~....../\n\
         0030   00 35 00 05 00 04 01 00                           .5......\n\n\
         0000   15 03 02 00 02 02 46                              ......F\n",
    );
}

#[test]
fn the_column_of_text_is_no_bytes_even_if_it_looks_like_some() {
    let expected = Ok(b"abcdefab".to_vec());
    assert_eq!(read("00000000: 6162 6364 6566 6162                      abcdefab"), expected);
    assert_eq!(read("00000000  61 62 63 64 65 66 61 62                           |abcdefab|"), expected);
    assert_eq!(read("0000   61 62 63 64 65 66 61 62                           abcdefab"), expected);
    assert_eq!(read("00000000: 61                                       aa"), Ok(b"a".to_vec()));
}

#[test]
fn errors_name_the_line_and_the_remedy() {
    let error = |text: &str| read(text).expect_err(text).to_string();
    assert!(error("").contains("no byte"), "{}", error(""));
    assert!(error("hello\nthere").starts_with("line 1: `hello` is no hexadecimal number"));
    assert!(error("16 03 0z").starts_with("line 1: `0z`"));
    assert!(error("16 3").contains("`3` has an odd number of digits"));
    assert!(error(&"16 ".repeat(BYTES_MAX + 1)).contains("64 KiB"));
    assert!(!error("\u{1b}[31m\u{202e}").contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn what_breaks_off_is_read_so_far_and_says_where() {
    let first = |text: &str| blocks(text).expect(text).remove(0);
    let array = first("unsigned char x[] = {\n0x16,\n0x1q };");
    assert_eq!(array.bytes, [0x16]);
    assert!(array.missing.expect("a word").to_string().starts_with("line 3: `0x1q`"));
    let gap = first("0000   16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0\n0020   77 65\n");
    assert_eq!(gap.bytes.len(), 16);
    let why = gap.missing.expect("a gap").to_string();
    assert!(why.starts_with("line 2: its offset says 32, but 16 bytes came before it"), "{why}");
}

/// The shapes in which people post bytes, each as its tool writes it.
fn shapes(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let text = |row: &[u8]| row.iter().map(|byte| if byte.is_ascii_graphic() { *byte as char } else { '.' }).collect();
    let rows = |line: &dyn Fn(usize, &[u8], String) -> String| {
        let rows = bytes.chunks(16).enumerate();
        rows.map(|(index, row)| line(index * 16, row, text(row)) + "\n").collect::<String>()
    };
    let pairs = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let halves =
        |row: &[u8], between: &str| row.chunks(8).map(|half| pairs(half).join(" ")).collect::<Vec<_>>().join(between);
    let numbers = |format: &dyn Fn(u8) -> String| bytes.iter().map(|byte| format(*byte)).collect::<Vec<_>>();
    let words = |row: &[u8]| row.chunks(2).map(|pair| pairs(pair).concat()).collect::<Vec<_>>().join(" ");
    let mbedtls = |prefix: &'static str| {
        move |at: usize, row: &[u8], text: String| {
            let pairs: String = row.iter().map(|byte| format!("{byte:02x} ")).collect();
            format!("{prefix}{at:04x}:  {pairs:48} {text}")
        }
    };
    let wrapped = |at: usize, row: &[u8], text: String| {
        format!("V (3866) mbedtls: ssl_tls.c:3420 {at:04x}:  {}\n {text}", pairs(row).join(" "))
    };
    vec![
        (
            "C",
            format!(
                "static const uint8_t hello[] = {{\n  {}\n}};\n",
                numbers(&|byte| format!("0x{byte:02X}")).join(", ")
            ),
        ),
        ("Rust, Debug", format!("hello = [{}]", numbers(&|byte| byte.to_string()).join(", "))),
        ("xxd", rows(&|at, row, text| format!("{at:08x}: {:39}  {text}", words(row)))),
        ("hexdump -C", rows(&|at, row, text| format!("{at:08x}  {:48}  |{text}|", halves(row, "  ")))),
        ("tcpdump -X", rows(&|at, row, text| format!("\t0x{at:04x}:  {:39}  {text}", words(row)))),
        ("Wireshark", rows(&|at, row, text| format!("{at:04x}  {:47}   {text}", pairs(row).join(" ")))),
        ("openssl s_client -debug", rows(&|at, row, text| format!("{at:04x} - {:47}   {text}", halves(row, "-")))),
        ("Mbed TLS in ESP-IDF", rows(&mbedtls("V (3866) mbedtls: ssl_msg.c:2804 "))),
        ("Mbed TLS in Rust", rows(&mbedtls("TRACE - 4 (mbedtls/library/ssl_msg.c:2804) "))),
        ("Mbed TLS on Arduino", rows(&mbedtls("[ 4180][V][ssl_client.cpp:12] my_debug(): ssl_msg.c:2804: "))),
        ("Mbed TLS, wrapped", rows(&wrapped)),
        (
            "ESP_LOG_BUFFER_HEXDUMP",
            rows(&|at, row, text| {
                format!("I (12) tls: 0x{:08x}   {:48}  |{text}|", 0x3ffb_4280 + at, halves(row, "  "))
            }),
        ),
        ("ESP_LOG_BUFFER_HEX", rows(&|_, row, _| format!("I (12) tls: {}", pairs(row).join(" ")))),
    ]
}

#[test]
fn every_shape_gives_the_same_bytes() {
    let long: Vec<u8> = hello().into_iter().chain((0..=255).rev()).collect();
    for bytes in [hello(), long] {
        for (shape, text) in shapes(&bytes) {
            assert_eq!(read(&text), Ok(bytes.clone()), "{shape}:\n{text}");
        }
    }
}

#[test]
fn openssl_s_client_msg_shows_header_and_content_apart() {
    let mut text = ">>> TLS 1.0, RecordHeader [length 0005]\n    16 03 02 00 33\n".to_string();
    text += ">>> TLS 1.2, Handshake [length 0033], ClientHello\n";
    for row in hello()[5..].chunks(16) {
        text += &row.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
        text += "\n";
    }
    text += "<<< TLS 1.2, Alert [length 0002], fatal protocol_version\n    02 46\n";
    let read = blocks(&text).expect("bytes");
    assert_eq!(read.iter().map(|block| block.line).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(read[0].bytes, hello());
    assert_eq!(read[1].bytes, [2, 0x46]);
}

/// `hexdump` and `od` without options write two bytes as one number, the machine's way.
#[test]
fn words_of_a_little_endian_machine_are_turned_round() {
    let hexdump = "0000000 0316 0002 0133 0000 032f 0002 0000 d000\n0000010 a1b1 073a\n0000014\n";
    let od = "0000000 0316 0002 0133 0000 032f 0002 0000 d000\n0000020 a1b1 073a\n0000024\n";
    for text in [hexdump, od] {
        assert_eq!(read(text), Ok(hello()[..20].to_vec()), "{text}");
    }
}

#[test]
fn a_terminal_may_break_a_row_within_its_bytes() {
    let text = "V (38) mbedtls: ssl_msg.c:28 0000:  16 03 02 00 33 01 00 00\n2f 03 02 00 00 00 00 d0  ....3.../.......\n\
                V (39) mbedtls: ssl_msg.c:28 0010:  b1 a1 3a 07 1c 1b 3e f2\nfc 03 91 d6 18 b5 ae 5d\n";
    assert_eq!(read(text), Ok(hello()[..32].to_vec()));
}

#[test]
fn strings_with_escapes_are_read() {
    assert_eq!(read("b'\\x16\\x03\\x02\\x003\\x01'"), Ok(hello()[..6].to_vec()));
    assert_eq!(read("\"\\x16\\x03\" \"\\x02\\x00\\x33\""), Ok(hello()[..5].to_vec()));
}

#[test]
fn lines_that_squeezed_duplicates_stand_for_are_put_back() {
    let text = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
                00000030  16 03                                             |..|\n00000032\n";
    let mut expected = vec![0; 48];
    expected.extend([0x16, 3]);
    assert_eq!(read(text), Ok(expected));
}

/// The text column of a short last row stands on a line of its own, and reads like a byte.
#[test]
fn a_text_that_looks_like_a_byte_is_text() {
    let text = "V (38) mbedtls: ssl_tls.c:34 0000:  16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0\n ....3.../.......\n\
                V (38) mbedtls: ssl_tls.c:34 0010:  63 37\n c7\n";
    let expected: Vec<u8> = hello()[..16].iter().copied().chain(*b"c7").collect();
    assert_eq!(read(text), Ok(expected));
}

proptest::proptest! {
    #[test]
    fn what_a_tool_writes_is_read_back(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 24..400)) {
        for (shape, text) in shapes(&bytes) {
            proptest::prop_assert_eq!(read(&text), Ok(bytes.clone()), "{}:\n{}", shape, text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(?s)[0-9a-fx: \\-\\n*{},\"'\\\\g|.\\[\\]]{0,300}") {
        if let Ok(blocks) = blocks(&text) {
            proptest::prop_assert!(blocks.iter().all(|block| !block.bytes.is_empty() && block.bytes.len() <= BYTES_MAX));
        }
    }
}
