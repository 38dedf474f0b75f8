//! Firmware under test: an ESP32-C3 that joins a Wi-Fi network through Espressif's closed driver, and takes a lease.
//!
//! It waits for one line on its USB serial port: the network's name, and behind a tab its passphrase. What happens then it
//! says in lines of its own, each with the microseconds since reset. The image holds Espressif's libraries, so it is
//! built where it is needed and never handed on.
#![no_std]
#![no_main]

use core::fmt::Write as _;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use esp_hal::Blocking;
use esp_hal::time::Instant;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController, WifiRxToken, WifiTxToken};
use smoltcp::iface::{Interface as IpInterface, SocketSet, SocketStorage};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::dhcpv4;
use smoltcp::wire::{EthernetAddress, HardwareAddress};

esp_bootloader_esp_idf::esp_app_desc!();

type Console = UsbSerialJtag<'static, Blocking>;

/// Says a line. A console that nobody reads is no reason to stop.
macro_rules! say {
    ($console:expr, $($words:tt)*) => {{
        let _ = write!($console, "[{}] ", now_us());
        let _ = writeln!($console, $($words)*);
    }};
}

#[esp_hal::main]
fn main() -> ! {
    let config = esp_hal::Config::default().with_cpu_clock(esp_hal::clock::CpuClock::max());
    let peripherals = esp_hal::init(config);
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: 64 * 1024);
    esp_alloc::heap_allocator!(size: 100 * 1024);
    let mut console = UsbSerialJtag::new(peripherals.USB_DEVICE);
    esp_rtos::start(TimerGroup::new(peripherals.TIMG0).timer0, peripherals.FROM_CPU_INTR0);
    let mut controller = match WifiController::new(peripherals.WIFI, Default::default()) {
        Ok(controller) => controller,
        Err(error) => {
            say!(console, "no radio: {error:?}");
            rest()
        }
    };
    say!(console, "ready");
    let mut line = [0; 128];
    let length = read_line(&mut console, &mut line);
    match station(&line[..length]) {
        Some(config) if controller.set_config(&config).is_ok() => {}
        _ => {
            say!(console, "no network: a name, a tab, a passphrase of 8 to 64 characters");
            rest()
        }
    }
    loop {
        match wait(controller.connect_async()) {
            Ok(_) => break,
            Err(error) => say!(console, "not connected: {error:?}"),
        }
    }
    say!(console, "connected");
    serve(&mut console, &controller)
}

/// What a line asks for.
fn station(line: &[u8]) -> Option<Config> {
    let line = core::str::from_utf8(line).ok()?;
    let (name, passphrase) = line.split_once('\t').map_or((line, None), |(name, rest)| (name, Some(rest)));
    let authentication = match passphrase {
        Some(passphrase) => AuthenticationMethodConfig::Wpa2Personal(passphrase.try_into().ok()?),
        None => AuthenticationMethodConfig::Open,
    };
    let station = StationConfig::default().with_ssid(name.try_into().ok()?).with_authentication(authentication);
    Some(Config::Station(station))
}

/// Takes a lease, and says when it or the connection is lost.
fn serve(console: &mut Console, controller: &WifiController<'_>) -> ! {
    let mut link = StationDevice(Interface::station());
    let mut config =
        smoltcp::iface::Config::new(HardwareAddress::Ethernet(EthernetAddress(link.0.mac_address())));
    config.random_seed = now_us();
    let mut interface = IpInterface::new(config, &mut link, smol_now());
    let mut storage = [SocketStorage::EMPTY; 1];
    let mut sockets = SocketSet::new(&mut storage[..]);
    let dhcp = sockets.add(dhcpv4::Socket::new());
    let mut was_connected = true;
    loop {
        interface.poll(smol_now(), &mut link, &mut sockets);
        match sockets.get_mut::<dhcpv4::Socket>(dhcp).poll() {
            Some(dhcpv4::Event::Configured(lease)) => {
                say!(console, "lease {} router {:?} dns {:?}", lease.address, lease.router, lease.dns_servers);
            }
            Some(dhcpv4::Event::Deconfigured) => say!(console, "no lease"),
            None => {}
        }
        let is_connected = controller.is_connected();
        if was_connected != is_connected {
            was_connected = is_connected;
            say!(console, "{}", if is_connected { "connected" } else { "disconnected" });
        }
    }
}

/// The station interface as smoltcp wants it.
struct StationDevice(Interface);
struct Received(WifiRxToken);
struct ToSend(WifiTxToken);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        self.0.consume_token(|frame| f(frame))
    }
}

impl TxToken for ToSend {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        self.0.consume_token(length, f)
    }
}

impl Device for StationDevice {
    type RxToken<'a> = Received;
    type TxToken<'a> = ToSend;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Received, ToSend)> {
        self.0.receive().map(|(received, to_send)| (Received(received), ToSend(to_send)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<ToSend> {
        self.0.transmit().map(ToSend)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1_514;
        capabilities
    }
}

fn now_us() -> u64 {
    Instant::now().duration_since_epoch().as_micros()
}

fn smol_now() -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(now_us() as i64)
}

/// Reads up to the end of a line; what does not fit is left out.
fn read_line(console: &mut Console, into: &mut [u8]) -> usize {
    let mut length = 0;
    loop {
        match console.read_byte() {
            Ok(b'\n') => return length,
            Ok(byte) if length < into.len() => {
                into[length] = byte;
                length += 1;
            }
            _ => {}
        }
    }
}

/// Looks at a future until it is done; other tasks run meanwhile.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

fn rest() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    rest()
}
