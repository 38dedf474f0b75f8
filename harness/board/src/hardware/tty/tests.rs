use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use rustix::pty::OpenptFlags;

use super::*;

/// A pseudo-terminal: the device's end, and how the bench finds the other one.
fn device() -> (OwnedFd, Port) {
    let device = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    rustix::pty::grantpt(&device).expect("it is ours");
    rustix::pty::unlockpt(&device).expect("it is ours");
    let name = rustix::pty::ptsname(&device, Vec::new()).expect("it has a name");
    (device, Port { path: OsStr::from_bytes(name.as_bytes()).into(), baud: 115_200 })
}

#[test]
fn what_a_device_does_not_read_waits_for_it_in_order() {
    let (device, port) = device();
    let mut tty = Tty::open(&port).expect("a port");
    let said: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
    tty.say(&said).expect("it is taken, or waits");
    assert!(tty.unsaid_bytes() > 0, "no port takes so much at once");
    assert!(tty.wants().contains(PollFlags::OUT));
    let mut read = Vec::new();
    let mut piece = [0; 777];
    while read.len() < said.len() {
        let count = rustix::io::read(&device, &mut piece).expect("there is more");
        read.extend_from_slice(&piece[..count]);
        tty.go_on().expect("there is room again");
    }
    assert!(read == said, "in order, and each byte once, also those that a terminal would interpret");
    assert_eq!(tty.wants(), PollFlags::IN);
}

#[test]
fn a_device_that_never_reads_is_told_no_more_in_the_end() {
    let (_device, port) = device();
    let mut tty = Tty::open(&port).expect("a port");
    let piece = vec![0; 1 << 20];
    let refused = (0..8).find_map(|_| tty.say(&piece).err()).expect("memory is bounded");
    assert!(refused.to_string().contains("has not read"), "{refused}");
}

#[test]
fn what_came_before_a_port_vanished_is_heard_and_then_that_it_did() {
    let (device, port) = device();
    let mut tty = Tty::open(&port).expect("a port");
    rustix::io::write(&device, b"it panicked").expect("there is room");
    let mut fds = [rustix::event::PollFd::new(&tty, PollFlags::IN)];
    rustix::event::poll(&mut fds, None).expect("they arrive");
    assert_eq!(tty.hear().expect("words"), b"it panicked");
    drop(device);
    assert!(matches!(tty.hear(), Err(PortFault::Vanished(..))));
    assert!(!tty.is_at(&port.path), "the name is gone too");
}

#[test]
fn a_port_that_is_not_there_and_one_that_is_none_are_two_things() {
    let at = |path: &str| Tty::open(&Port { path: path.into(), baud: 115_200 }).expect_err("no port");
    assert!(matches!(at("/dev/no-such-port"), PortFault::Absent(_)));
    assert!(at("/dev/null").to_string().contains("no serial port"));
}

#[test]
fn a_port_is_nobody_elses_while_it_is_open() {
    let (_device, port) = device();
    let held = Tty::open(&port).expect("a port");
    assert!(matches!(Tty::open(&port), Err(PortFault::Busy(_))));
    drop(held);
    Tty::open(&port).expect("it is free again");
}
