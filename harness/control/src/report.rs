//! What the firmware reports back.

use alloc::string::String;
use alloc::vec::Vec;
use outcome::{AlertDescription, FailureClass, Stage};
use serde::{Deserialize, Serialize};

/// One event, told by the device as it happens. `at_ms` is always the device's own clock: milliseconds since its reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "report")]
pub enum Report {
    /// The firmware is up and waits for an order. Said again every second until one comes.
    Hello {
        /// [`crate::PROTOCOL`].
        protocol: u32,
        /// The image's name, as its folder: `esp32c3_mbedtls`.
        image: String,
        /// The image's version.
        version: String,
        /// The TLS stack and its version: `Mbed TLS 3.6.5`.
        stack: String,
    },
    /// The order was understood; the plan starts now.
    #[serde(alias = "dressed")]
    Configured {
        /// When.
        at_ms: u32,
    },
    /// The order was not understood.
    Refused {
        /// What was wrong with it.
        reason: String,
    },
    /// A stage was entered.
    Stage {
        /// Which.
        stage: Stage,
        /// When.
        at_ms: u32,
    },
    /// The handshake succeeded: what was agreed, and what the check of the chain found.
    Secured {
        /// The protocol version as on the wire.
        version: u16,
        /// The cipher suite's name in the library's words.
        cipher_suite: String,
        /// The library's verify flags: non-zero only where [`crate::Verify`] let them pass.
        verify_flags: u32,
        /// The flags' names.
        verify_flag_names: Vec<String>,
        /// Whether it resumed an earlier session, and so saw no certificate.
        #[serde(default)]
        resumed: bool,
        /// When.
        at_ms: u32,
    },
    /// The broker's answer to CONNECT.
    Connack {
        /// The return code (MQTT 3.1.1 §3.2.2.3).
        code: u8,
        /// The Session Present flag.
        session_present: bool,
        /// When.
        at_ms: u32,
    },
    /// A message of the broker.
    Message {
        /// The topic.
        topic: String,
        /// The payload's size in bytes.
        payload_bytes: u32,
        /// Its quality of service.
        qos: u8,
        /// When.
        at_ms: u32,
    },
    /// An attempt failed. Another follows if the plan has reconnects left.
    Failed(Failure),
    /// The plan is over: as far as the last attempt went, with the heap's record.
    Done {
        /// Whether every act of the plan was done.
        complete: bool,
        /// The most bytes that the heap held at once while the plan ran, on top of what it held before.
        heap_peak_bytes: u32,
        /// How often an allocation failed.
        heap_failures: u32,
        /// The bytes that the heap holds more than after the first attempt: what the later ones did not give back.
        #[serde(default)]
        heap_held_bytes: u32,
        /// When.
        at_ms: u32,
    },
}

/// How an attempt failed, in the device's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stage in which it failed.
    pub stage: Stage,
    /// What kind of failure it is: who is to blame depends on this, and on nothing in the name.
    #[serde(default)]
    pub class: FailureClass,
    /// The fatal alert that the peer sent, if the device says that it got one (RFC 9846 §6.2).
    #[serde(default)]
    pub alert_received: Option<AlertDescription>,
    /// The library's or the client's error code: -0x2700 is -9984. Zero where there is none.
    pub code: i32,
    /// The code's name in its library: `MBEDTLS_ERR_X509_CERT_VERIFY_FAILED`, or the client's own word:
    /// `CONNECT_TIMED_OUT`. Of [`FailureClass::Unsupported`]: what the device cannot do, in a sentence.
    pub name: String,
    /// The TLS library's verify flags (0 if no chain was judged).
    #[serde(default)]
    pub verify_flags: u32,
    /// The flags' names: `MBEDTLS_X509_BADCERT_EXPIRED`.
    #[serde(default)]
    pub verify_flag_names: Vec<String>,
    /// The bytes of the first allocation that failed during the attempt.
    #[serde(default)]
    pub failed_allocation_bytes: Option<u32>,
    /// When.
    pub at_ms: u32,
}

impl Report {
    /// The frame's payload.
    ///
    /// # Errors
    ///
    /// As `serde_json`: never for these types.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a frame's payload. Unknown keys are ignored.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON, or not a report that this version knows.
    pub fn from_json(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}

impl crate::EarlyOrder {
    /// The frame's payload.
    ///
    /// # Errors
    ///
    /// As `serde_json`: never for these types.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a frame's payload. Unknown keys are ignored.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON, or not such an order.
    pub fn from_json(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}

impl crate::Order {
    /// The frame's payload.
    ///
    /// # Errors
    ///
    /// As `serde_json`: never for these types.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a frame's payload. Unknown keys are ignored.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON, or not an order that this version knows.
    pub fn from_json(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}
