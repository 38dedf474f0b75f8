//! Which segments belong to one connection (RFC 9293 §3.10.7).

mod support;

use capture::{Side, read};
use clock::Instant;
use support::Cable;

fn connections(cable: &Cable) -> usize {
    read(&cable.tap.to_pcapng(), "").expect("our own file").conversations.len()
}

/// The first packet once more, as it was or with its ends exchanged.
fn repeat_the_syn(cable: &mut Cable, is_turned_round: bool) {
    let mut syn = cable.tap.packets()[0].bytes.clone();
    if is_turned_round {
        // Sums of 16-bit words do not know their order, so both checksums stay right.
        syn[12..20].rotate_left(4);
        syn[20..24].rotate_left(2);
    }
    cable.tap.packet(Instant::from_millis(100), &syn);
}

#[test]
fn a_syn_that_comes_again_is_of_the_connection_that_it_opened() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, b"something");
    cable.send(Side::Server, b"an answer");
    repeat_the_syn(&mut cable, false);
    assert_eq!(connections(&cable), 1);
}

#[test]
fn another_sequence_number_opens_another_connection() {
    let mut cable = Cable::new();
    cable.open();
    cable.open();
    assert_eq!(connections(&cable), 2);
}

#[test]
fn after_a_reset_any_syn_opens_another_connection() {
    let mut cable = Cable::new();
    cable.open();
    cable.rst(Side::Server);
    repeat_the_syn(&mut cable, false);
    assert_eq!(connections(&cable), 2);
}

#[test]
fn the_other_side_may_open_a_connection_too() {
    let mut cable = Cable::new();
    cable.open();
    repeat_the_syn(&mut cable, true);
    assert_eq!(connections(&cable), 2);
}
