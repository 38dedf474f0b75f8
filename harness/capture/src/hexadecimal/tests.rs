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
    assert!(error("16 03\nhello").starts_with("line 2: `hello` is no hexadecimal number"));
    assert!(error("16 3").contains("`3` has an odd number of digits"));
    assert!(error("unsigned char x[] = {\n0x16,\n0x1q };").starts_with("line 3: `0x1q`"));
    let gap = "0000   16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0\n0020   77 65\n";
    assert!(error(gap).starts_with("line 2: its offset says 32, but 16 bytes came before it"), "{}", error(gap));
    assert!(error(&"16 ".repeat(BYTES_MAX + 1)).contains("64 KiB"));
    assert!(!error("\u{1b}[31m\u{202e}").contains(['\u{1b}', '\u{202e}']));
}
