//! Espressif's closed Wi-Fi driver as the client wants it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use client::radio::{NotJoined, Radio};
use control::Wifi;
use embassy_net_driver::{Driver as _, LinkState};
use esp_hal::peripherals::WIFI;
use esp_radio::wifi::event::{EventInfo, EventSubscriber};
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, PowerSaveMode, WifiController};
use esp32c3::chip;

use crate::bell;

/// How long a frame waits for room in the driver's queue.
const ROOM_BY_US: u64 = 20_000;
/// Of Espressif's reasons, what is no reason at all.
const UNSPECIFIED: u8 = 1;

/// The station.
pub struct EspRadio {
    controller: WifiController<'static>,
    interface: Interface,
    events: EventSubscriber<'static>,
    /// Why the last network was lost.
    lost: Option<NotJoined>,
}

impl EspRadio {
    /// Starts the driver. To be called once, with the scheduler running.
    pub fn start(wifi: WIFI<'static>) -> Self {
        let controller = WifiController::new(wifi, Default::default());
        let controller = controller.unwrap_or_else(|error| panic!("no radio: {error:?}"));
        // A second handle on the one driver, which counts them: events are read while the first one connects.
        // SAFETY: the peripheral is the driver's, and both handles live as long as the program.
        let listener = WifiController::new(unsafe { WIFI::steal() }, Default::default());
        let listener = Box::leak(Box::new(listener.unwrap_or_else(|error| panic!("no radio: {error:?}"))));
        let events = listener.subscribe().unwrap_or_else(|error| panic!("no events of the radio: {error:?}"));
        Self { controller, interface: Interface::station(), events, lost: None }
    }

    /// Has the bell ring at the next frame, and when the network is lost; whether a frame has arrived already.
    pub fn watch(&mut self) -> bool {
        let waker = bell::waker();
        let mut context = Context::from_waker(&waker);
        let _: LinkState = self.interface.link_state(&mut context);
        embassy_net_driver::Driver::receive(&mut self.interface, &mut context).is_some()
    }

    /// The driver's last reason for not being connected, of those that were not read yet.
    fn take_reason(&mut self) -> Option<u8> {
        let mut last = None;
        while let Some(event) = poll_once(self.events.next_event_pure()) {
            if let EventInfo::StationDisconnected { reason, .. } = event {
                last = Some(u8::try_from(reason).unwrap_or(UNSPECIFIED));
            }
        }
        last
    }
}

impl Radio for EspRadio {
    fn mac_address(&self) -> [u8; 6] {
        self.interface.mac_address()
    }

    fn join(&mut self, network: &Wifi, until_us: u64) -> Result<(), NotJoined> {
        let config = station(network).ok_or(NotJoined::Unusable)?;
        self.controller.set_config(&config).map_err(|_| NotJoined::Unusable)?;
        let power_save = if network.power_save { PowerSaveMode::Minimum } else { PowerSaveMode::None };
        self.controller.set_power_saving(power_save).map_err(|_| NotJoined::Unusable)?;
        self.lost = None;
        self.take_reason();
        let joined = by(until_us, self.controller.connect_async());
        match joined {
            Some(Ok(_)) => return Ok(()),
            Some(Err(_)) => {}
            None => drop(by(chip::now_us() + 1_000_000, self.controller.disconnect_async())),
        }
        let reason = self.take_reason().map(NotJoined::Reason);
        Err(reason.filter(|_| joined.is_some()).unwrap_or(NotJoined::TimedOut))
    }

    fn lost(&mut self) -> Option<NotJoined> {
        if self.lost.is_none() && !self.controller.is_connected() {
            self.lost = Some(NotJoined::Reason(self.take_reason().unwrap_or(UNSPECIFIED)));
        }
        self.lost
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let (received, _) = self.interface.receive()?;
        Some(received.consume_token(|frame| frame.to_vec()))
    }

    fn transmit(&mut self, frame: &[u8]) {
        let until_us = chip::now_us() + ROOM_BY_US;
        loop {
            if let Some(token) = self.interface.transmit() {
                return token.consume_token(frame.len(), |room| room.copy_from_slice(frame));
            }
            if !self.controller.is_connected() || chip::now_us() >= until_us {
                return;
            }
            self.watch();
            bell::wait(until_us);
        }
    }
}

fn station(network: &Wifi) -> Option<Config> {
    let authentication = match &network.passphrase {
        Some(passphrase) => AuthenticationMethodConfig::Wpa2Personal(passphrase.as_str().try_into().ok()?),
        None => AuthenticationMethodConfig::Open,
    };
    let config = StationConfig::default().with_ssid(network.ssid.as_str().try_into().ok()?);
    Some(Config::Station(config.with_authentication(authentication)))
}

/// What a future comes to, if it does by then; the driver's tasks run meanwhile.
fn by<T>(until_us: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let waker = bell::waker();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        if chip::now_us() >= until_us {
            return None;
        }
        bell::wait(until_us);
    }
}

/// What a future comes to at once, if it does.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
