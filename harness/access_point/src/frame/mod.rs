//! 802.11 frames as bytes: what came (views), and what is to be sent (builders).
//!
//! A frame here is an MPDU without its frame check sequence. Every view is made by a `parse` that takes whatever a
//! station sends: no byte of it is believed before its length was looked at.

mod control;
mod data;
pub mod element;
mod header;
mod management;
mod radiotap;
mod rsn;

pub use control::{FrameControl, Kind};
pub use data::{EtherType, Ethernet, LlcSnap};
pub use element::{Element, Elements, push_element};
pub use header::{Header, MANAGEMENT_HEADER_BYTES};
pub use management::{
    AssociationRequest, Authentication, Capabilities, ReasonFrame, association_response, authentication, beacon_body,
    management_frame, reason_frame,
};
pub use radiotap::{RADIOTAP_BYTES, Radiotap, RadiotapView};
pub use rsn::{AuthenticationKeyManagement, Cipher, Rsn};
