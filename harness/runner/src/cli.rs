//! The command line.

use std::path::PathBuf;

use blame::Error;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::chips::BoardOption;

/// Puts firmware on a board, stands up brokers with scripted faults, captures every handshake, and compares each
/// outcome with its reviewed snapshot.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios on a board, emulated or real
    Hil(Box<Hil>),
    /// The boards of the rack: which there are, how they are, who holds them
    Boards(rack::boards::Boards),
    /// Is this machine fit for a rack? A remedy for each finding
    Doctor(rack::doctor::Doctor),
    /// Look at captures, and make them
    #[command(subcommand)]
    Capture(Capture),
    /// Say why: of a scenario, a capture or a pasted hello
    Explain(explain::Explain),
    /// Which devices get along with a broker of yours, and why the others do not
    Diagnose(Box<crate::diagnose::Diagnose>),
    /// Make certificates that all chosen stacks accept, verified on each of them with a real mosquitto
    Certificates(crate::certificates::Certificates),
    /// Set every scenario on every stack in one table: text, Markdown or HTML
    Matrix(explain::matrix::Matrix),
    /// Merge reports of several machines, or set one anew
    #[command(subcommand)]
    Report(crate::report_command::ReportCommand),
    /// Find the commit that changed the outcome of a scenario
    Bisect(crate::bisect::Bisect),
    /// Hold two firmware images against each other: outcomes, hellos, times, sizes
    ReleaseReport(crate::release_report::ReleaseReport),
    /// Run firmware on an emulated chip, with its serial ports on the terminal
    Emulate(Emulate),
    /// Run an emulated board in wall time, for the hardware arm: its serial port is a pseudo-terminal
    VirtualBoard(VirtualBoard),
    /// Hold the probe of a virtual board: the flashing protocol on standard input and output
    #[command(hide = true)]
    VirtualProbe,
    /// Say something to a virtual board: reset, erase, usb_reset, power off, power on, state, quit, fault …
    VirtualControl {
        /// Its control socket
        socket: PathBuf,
        /// What to say
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Build and check the released firmware images
    #[command(subcommand)]
    Firmware(Firmware),
    /// Host clients that meet the same brokers
    #[command(subcommand)]
    Controls(Controls),
    /// The authority that signs for the bench's brokers
    #[command(subcommand)]
    Authority(Authority),
    /// A first description of somebody's firmware
    #[command(subcommand)]
    Product(crate::product::ProductCommand),
    /// Firmware products of others: MicroPython
    #[command(subcommand)]
    Products(crate::products::install::Products),
    /// Boards of other hosts, through labgrid
    #[command(subcommand)]
    Labgrid(crate::labgrid::Labgrid),
    /// Render the tables of the README from data
    Tables {
        /// Compare only; exit 1 if the README is out of date
        #[arg(long)]
        check: bool,
    },
}

const HIL_EXAMPLES: &str = "\
Examples:
  cargo xtask hil                        every scenario on every stack
  cargo xtask hil --stack nodemcu_3      every scenario on one of them
  cargo xtask hil identity sntp          those whose names contain `identity` or `sntp`
  cargo xtask hil --list                 what there is: scenarios and stacks
  cargo xtask hil expired --show         print the transcript too
  cargo xtask hil --accept expired       make what happens now the reviewed snapshot
  cargo xtask hil --board esp32c3        on this kind of board, where there are several
  cargo xtask hil --image mine.elf       your own firmware
  cargo xtask hil --flash probe          flash the emulated chip as a real one, through probe-rs
  cargo xtask hil --on hardware          on every board of the rack that is alive, side by side
  cargo xtask hil --report json=out.json,junit=out.xml,html=out.html
  cargo xtask hil --deny insecure        fail on what accepts what it must refuse, reviewed or not
  cargo xtask hil --authority ca.pem --authority-key ca.key     brokers under your own test authority

Exit codes: 0 all as expected, 1 otherwise, 2 usage, 3 the bench failed, 4 nothing selected,
5 security got worse (release-report alone), 6 the firmware failed (emulate alone), 130 interrupted";

/// Run scenarios on a board, emulated or real.
#[derive(Debug, Args)]
#[command(after_help = HIL_EXAMPLES)]
pub struct Hil {
    /// Only scenarios whose names contain one of these
    pub patterns: Vec<String>,
    /// The kind of board.
    #[command(flatten)]
    pub board: BoardOption,
    /// Which one: a connected board from the hardware map, else the emulated chip (auto), or one of the two
    #[arg(long, value_enum, default_value_t = On::Auto)]
    pub on: On,
    /// Only on this stack: an image, or a profile of one (repeatable) [default: all of them]
    #[arg(long, value_name = "NAME")]
    pub stack: Vec<String>,
    /// Products of others too (`cargo xtask products`). Without it, only those that `--stack` names
    #[arg(long)]
    pub products: bool,
    /// Name the scenarios and the stacks, and run nothing
    #[arg(long)]
    pub list: bool,
    /// A row for every run, what is not applicable included
    #[arg(long)]
    pub verbose: bool,
    /// Make what happens now the reviewed snapshots, with the packets that are kept. What agrees stays as it is
    #[arg(long)]
    pub accept: bool,
    /// Print the transcript of every scenario that is run
    #[arg(long)]
    pub show: bool,
    /// The seed of all randomness, in hexadecimal. Snapshots were reviewed with the default; with another one, what hangs
    /// on random numbers (a modem's encrypted bytes, which packet is lost) is told as a difference
    #[arg(long, value_parser = hexadecimal, default_value = "5eed")]
    pub seed: u64,
    /// How many scenarios run side by side, each on a board of its own [default: all cores]
    #[arg(long, value_parser = jobs)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// The folder of snapshots and captures [default: captures/]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// The firmware: an ELF file, a merged flash image, a build folder, flasher_args.json, manifest.json, or parts as
    /// OFFSET=FILE,OFFSET=FILE [default: the released images for the board]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<PathBuf>,
    /// Words and profiles of that firmware [default: those of the released image of its name]
    #[arg(long, value_name = "FILE.toml", requires = "image")]
    pub dialect: Option<PathBuf>,
    /// Only a share of the work: the second of three is 2/3
    #[arg(long, value_name = "I/N", value_parser = crate::shard::shard)]
    pub shard: Option<crate::shard::Shard>,
    /// What is reported.
    #[command(flatten)]
    pub reporting: crate::reports::Reporting,
    /// What fails a run.
    #[command(flatten)]
    pub denial: crate::denial::Denying,
    /// An authority of one's own.
    #[command(flatten)]
    pub own_authority: crate::authority::OwnAuthority,
    /// Of firmware that nobody tells what to do.
    #[command(flatten)]
    pub unattended: crate::unattended::options::UnattendedOptions,
    /// How images get into emulated chips; real ones are always flashed through their probes
    #[arg(long, value_enum, default_value_t, overrides_with = "flash")]
    pub flash: crate::flashing::Way,
    /// Let every emulated chip boot by itself. Without it, each goes on from a snapshot of one that has booted the same
    /// image, which comes to the same, to the byte
    #[arg(long)]
    pub cold: bool,
    /// Who executes the instructions of emulated chips: what happens is the same, to the byte
    #[arg(long, value_enum, default_value_t)]
    pub execution: crate::execution::Execution,
    /// On real boards.
    #[command(flatten)]
    pub rack: crate::on_boards::options::Options,
    /// Keep a journal, of which `cargo xtask report journal` makes a report if this run is killed [default: on real
    /// boards, journal.jsonl beside the packets]
    #[arg(long, value_name = "FILE.jsonl")]
    pub journal: Option<PathBuf>,
    /// Where the packets of this run go, scenario by scenario [default: target/shakedown/]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
}

/// Emulated or real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// A connected board from the hardware map, else the emulated chip
    Auto,
    /// The emulated chip
    Emulator,
    /// A connected board; there being none is the bench's failure
    Hardware,
}

/// Look at captures, and make them.
#[derive(Debug, Subcommand)]
pub enum Capture {
    /// Typeset the TLS conversations of a pcapng or pcap file, from any tool
    #[command(after_help = "Example:\n  cargo xtask capture show captures/sni/no_sni_connack_5.esp32c3_mbedtls.pcapng")]
    Show {
        /// The file
        file: PathBuf,
        /// Secrets in NSS key log format, if the capture does not carry them
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Write the packets of a scenario on any stack
    Make(Box<crate::capture_make::Make>),
}

/// Run firmware on an emulated chip.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask emulate firmware.elf                     serial ports on the terminal, until Ctrl-C
  cargo xtask emulate ESP32_GENERIC_C3.bin             a merged flash image: MicroPython, Tasmota, ESPHome
  cargo xtask emulate build/                           the build folder of ESP-IDF, PlatformIO or Arduino
  cargo xtask emulate 0x0=bootloader.bin 0x8000=partitions.bin 0x10000=firmware.bin
  cargo xtask emulate image.bin --flash-state board.flash     as a board that is switched off and on
  cargo xtask emulate firmware.elf --for 5s            five seconds of the chip's own time
  cargo xtask emulate firmware.elf --wifi 'ssid=home-5,psk=correct horse' --capture air.pcapng
  cargo xtask emulate firmware.elf --wifi ssid=home-5 --fault 'dhcp_nak, times = 1'
  cargo xtask emulate firmware.elf --wifi ssid=home-5 --fault \
      'deauthentication, reason = 7, when = { after = \"joined\", ms = 500 }'
  cargo xtask emulate nodemcu.bin                      an image of an ESP8266 says so itself: NodeMCU, MicroPython, Tasmota
  cargo xtask emulate 0x0=boot_v1.7.bin 0x1000=user1.bin 0x101000=user2.bin        and one that has two halves
  cargo xtask emulate firmware.elf --gdb 3333          wait for `target remote :3333`
  cargo xtask emulate --map                            what of the chip is modelled

A chip with a radio joins the access points of --wifi; behind them are DHCP, DNS and SNTP. Without --wifi, a firmware that
looks for a network by its name ends the run, and what to give is said.

Exit codes: 0 until the limit or Ctrl-C, 1 the chip could not go on, 2 the image was refused, or looks for a network that was
not given, 6 the firmware panicked, raised an exception, overflowed its stack or was reset by a watchdog")]
pub struct Emulate {
    /// The image: an ELF file, a merged flash image, a build folder, flasher_args.json, manifest.json, or parts as
    /// OFFSET=FILE
    #[arg(required_unless_present = "map", value_name = "IMAGE")]
    pub image: Vec<String>,
    /// The mask ROM's ELF file [default: for flash images, the one that the package `espflash` carries]; an ESP8266's is modelled
    #[arg(long, value_name = "FILE.elf")]
    pub rom: Option<PathBuf>,
    /// Keep flash and eFuses in this file: begin with what it holds, if it is there, and write it at the end
    #[arg(long, value_name = "FILE")]
    pub flash_state: Option<PathBuf>,
    /// An access point: ssid=NAME[,psk=PASSPHRASE][,channel=1 to 13][,signal=DBM]; several times for several
    #[arg(long, value_name = "NETWORK", value_parser = crate::wifi::options::parse, conflicts_with = "gdb")]
    pub wifi: Vec<access_point::Description>,
    /// What goes wrong on the air, or with DHCP and ARP: a name, and TOML behind a comma; several times for several
    #[arg(long, value_name = "NAME[, KEY = VALUE]", value_parser = crate::wifi::fault::parse, requires = "wifi")]
    pub fault: Vec<crate::wifi::fault::Fault>,
    /// Write what was on the air, encrypted as it was, and the IP packets in it; what decrypts it is printed
    #[arg(long, value_name = "FILE.pcapng", conflicts_with = "gdb")]
    pub capture: Option<PathBuf>,
    /// The chip.
    #[command(flatten)]
    pub board: BoardOption,
    /// Stop after so much of the chip's own time: 60s, 2min, 1500ms
    #[arg(id = "for", long = "for", value_name = "TIME", value_parser = crate::emulate::duration, conflicts_with = "until_ms")]
    pub lasts_ms: Option<u64>,
    /// Stop after so many milliseconds of the chip's own time
    #[arg(long)]
    pub until_ms: Option<u64>,
    /// Print every instruction to standard error
    #[arg(long)]
    pub trace: bool,
    /// Listen for gdb on this port of localhost before the first instruction
    #[arg(long, value_name = "PORT")]
    pub gdb: Option<u16>,
    /// The seed of the chip's random number generator, in hexadecimal
    #[arg(long, value_parser = hexadecimal, default_value = "5eed")]
    pub seed: u64,
    /// Let the terminal obey the firmware: for the line editor of a REPL. Without it, whatever would move the cursor or
    /// set the title is shown as text
    #[arg(long)]
    pub raw: bool,
    /// Print the map of the chip: what is modelled and what is not
    #[arg(long)]
    pub map: bool,
}

/// Run an emulated board in wall time.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, with `probe = \"control:/tmp/board/control\"` and `serial = \"/tmp/board/serial\"` in the board's file:
  cargo xtask virtual-board --serial /tmp/board/serial --control /tmp/board/control")]
pub struct VirtualBoard {
    /// Its chip.
    #[command(flatten)]
    pub board: BoardOption,
    /// The name under which its serial port appears
    #[arg(long, value_name = "LINK")]
    pub serial: PathBuf,
    /// The name under which its second serial port appears, at which a modem would be
    #[arg(long, value_name = "LINK")]
    pub modem: Option<PathBuf>,
    /// The socket by which it is flashed, reset, given power, and made to fail
    #[arg(long, value_name = "SOCKET")]
    pub control: PathBuf,
    /// The socket of its JTAG port, which speaks OpenOCD's remote_bitbang
    #[arg(long, value_name = "SOCKET")]
    pub jtag: Option<PathBuf>,
    /// The seed of the chip's random number generator, in hexadecimal
    #[arg(long, value_parser = hexadecimal, default_value = "5eed")]
    pub seed: u64,
    /// End with standard input
    #[arg(long, hide = true)]
    pub until_input_ends: bool,
}

/// Build and check the released firmware images.
#[derive(Debug, Subcommand)]
pub enum Firmware {
    /// Rebuild released images from source; says what it needs
    #[command(after_help = "Example:\n  cargo xtask firmware build esp32c3_mbedtls")]
    Build {
        /// Only this image [default: all of them]
        image: Option<String>,
    },
    /// Check that images and sources belong together; needs no toolchain
    Check,
}

/// The authority that signs for the bench's brokers.
#[derive(Debug, Subcommand)]
pub enum Authority {
    /// Write its certificate, for a firmware that is to trust it
    Export(crate::authority::Export),
}

/// Host clients that meet the same brokers.
#[derive(Debug, Subcommand)]
pub enum Controls {
    /// Install Paho for Python, pinned, in a virtual environment of its own below target/
    Install,
}

fn jobs(text: &str) -> blame::Result<std::num::NonZeroUsize> {
    text.parse().map_err(|_| {
        Error::usage(format!("`{text}` is no number of jobs: give 1 or more, or leave it out for all cores"))
    })
}

pub(crate) fn hexadecimal(text: &str) -> blame::Result<u64> {
    let digits = text.trim_start_matches("0x");
    u64::from_str_radix(digits, 16)
        .map_err(|_| Error::usage(format!("`{text}` is no hexadecimal number of up to 16 digits")))
}
