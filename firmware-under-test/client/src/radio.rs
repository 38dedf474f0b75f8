//! A radio that joins wireless networks, as the client wants it, and how it tells that it has no network.

use alloc::vec::Vec;

use control::Wifi;

/// A radio with its driver. What passes are Ethernet frames, without preamble and check sequence.
pub trait Radio {
    /// The station's hardware address.
    fn mac_address(&self) -> [u8; 6];

    /// Joins `network`, and waits for that, asleep, until `until_us` on the clock of [`crate::Platform::now_us`].
    ///
    /// # Errors
    ///
    /// Why there is no network, as the driver says it.
    fn join(&mut self, network: &Wifi, until_us: u64) -> Result<(), NotJoined>;

    /// Whether the network that was joined is gone since, and why.
    fn lost(&mut self) -> Option<NotJoined>;

    /// The next frame that has arrived.
    fn receive(&mut self) -> Option<Vec<u8>>;

    /// Sends a frame. May wait while the radio is busy, but not for ever: then the frame is lost, as on any network.
    fn transmit(&mut self, frame: &[u8]);
}

/// Why a station has no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJoined {
    /// Name or passphrase are none that can be (IEEE Std 802.11-2020 §9.4.2.2, §J.4.1).
    Unusable,
    /// Time was up before the driver said anything.
    TimedOut,
    /// The driver's reason: of IEEE Std 802.11-2020 table 9-49 up to 199, of Espressif's own from there on
    /// (`wifi_err_reason_t` of ESP-IDF's esp_wifi_types_generic.h).
    Reason(u8),
}

impl NotJoined {
    /// The name under which it is reported: for a reason, ESP-IDF's enumerator.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unusable => "WIFI_CREDENTIALS_UNUSABLE",
            Self::TimedOut => "WIFI_JOIN_TIMED_OUT",
            Self::Reason(reason) => reason_name(reason),
        }
    }

    /// The number of the reason; 0 if there is none.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unusable | Self::TimedOut => 0,
            Self::Reason(reason) => reason,
        }
    }
}

/// Reasons that a driver gives in the scenarios of this bench; the others are told by their number alone.
const fn reason_name(reason: u8) -> &'static str {
    match reason {
        1 => "WIFI_REASON_UNSPECIFIED",
        2 => "WIFI_REASON_AUTH_EXPIRE",
        3 => "WIFI_REASON_AUTH_LEAVE",
        4 => "WIFI_REASON_DISASSOC_DUE_TO_INACTIVITY",
        5 => "WIFI_REASON_ASSOC_TOOMANY",
        6 => "WIFI_REASON_CLASS2_FRAME_FROM_NONAUTH_STA",
        7 => "WIFI_REASON_CLASS3_FRAME_FROM_NONASSOC_STA",
        8 => "WIFI_REASON_ASSOC_LEAVE",
        9 => "WIFI_REASON_ASSOC_NOT_AUTHED",
        13 => "WIFI_REASON_IE_INVALID",
        14 => "WIFI_REASON_MIC_FAILURE",
        15 => "WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT",
        16 => "WIFI_REASON_GROUP_KEY_UPDATE_TIMEOUT",
        17 => "WIFI_REASON_IE_IN_4WAY_DIFFERS",
        34 => "WIFI_REASON_MISSING_ACKS",
        39 => "WIFI_REASON_TIMEOUT",
        200 => "WIFI_REASON_BEACON_TIMEOUT",
        201 => "WIFI_REASON_NO_AP_FOUND",
        202 => "WIFI_REASON_AUTH_FAIL",
        203 => "WIFI_REASON_ASSOC_FAIL",
        204 => "WIFI_REASON_HANDSHAKE_TIMEOUT",
        205 => "WIFI_REASON_CONNECTION_FAIL",
        206 => "WIFI_REASON_AP_TSF_RESET",
        210 => "WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY",
        211 => "WIFI_REASON_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD",
        212 => "WIFI_REASON_NO_AP_FOUND_IN_RSSI_THRESHOLD",
        _ => "WIFI_REASON",
    }
}
