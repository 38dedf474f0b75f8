//! What an access point makes of the frames of stations.

use clock::Instant;

use super::station::{Stage, Station};
use super::{Bss, Outbox};
use crate::frame::element::id;
use crate::frame::{
    AssociationRequest, Authentication, AuthenticationKeyManagement, Cipher, Elements, EtherType, Ethernet, Header,
    Kind, LlcSnap, ReasonFrame, Rsn, association_response, authentication,
};
use crate::misbehaviour::Misbehaviour;
use crate::security::ccmp;
use crate::{Happening, MacAddress};

/// Status codes of table 9-50.
const SUCCESS: u16 = 0;
const UNSUPPORTED_ALGORITHM: u16 = 13;
const TOO_MANY_STATIONS: u16 = 17;
const INVALID_ELEMENT: u16 = 40;
const INVALID_GROUP_CIPHER: u16 = 41;
const INVALID_PAIRWISE_CIPHER: u16 = 42;
const INVALID_KEY_MANAGEMENT: u16 = 43;
/// Reason codes of table 9-49.
const REASON_NOT_AUTHENTICATED: u16 = 6;
const REASON_NOT_ASSOCIATED: u16 = 7;

impl Bss {
    /// A frame for this access point, or for everybody, that came whole.
    pub(crate) fn hear(&mut self, now: Instant, frame: &[u8], outbox: &mut Outbox) {
        let Some(header) = Header::parse(frame) else { return };
        let station = header.transmitter;
        if header.control.kind() == Kind::Acknowledgement {
            self.acknowledged(now);
            return;
        }
        if station.is_group() || self.is_copy(&header) {
            return;
        }
        self.mind_power_save(now, &header, outbox);
        match header.control.kind() {
            Kind::ProbeRequest => self.probe_request(now, station, header.body, outbox),
            Kind::Authentication => self.authentication(now, station, header.body, outbox),
            kind @ (Kind::AssociationRequest | Kind::ReassociationRequest) => {
                self.association_request(now, station, kind, header.body, outbox);
            }
            Kind::Deauthentication | Kind::Disassociation => {
                let reason = ReasonFrame::parse(header.body).map_or(0, |frame| frame.reason);
                if self.stations.remove(&station).is_some() {
                    self.note(now, outbox, station, Happening::Left { reason });
                }
            }
            Kind::PsPoll => self.send_one_kept(now, station, outbox),
            Kind::Data { .. } if header.control.is_to_ds() => self.data(now, &header, outbox),
            Kind::Null { .. } if header.control.is_to_ds() => {
                self.refuse_strangers(now, station, outbox);
            }
            _ => {}
        }
    }

    /// Whether a frame is one that came already, whose acknowledgement was lost (§10.3.2.14).
    fn is_copy(&mut self, header: &Header<'_>) -> bool {
        if header.control.is_control() {
            return false;
        }
        let Some(station) = self.stations.get_mut(&header.transmitter) else { return false };
        let is_copy = header.control.is_retry() && station.last_sequence == Some(header.sequence_control);
        station.last_sequence = Some(header.sequence_control);
        is_copy
    }

    /// A station says in each frame whether it dozes after it.
    fn mind_power_save(&mut self, now: Instant, header: &Header<'_>, outbox: &mut Outbox) {
        let Some(station) = self.stations.get_mut(&header.transmitter) else { return };
        if !header.control.is_data() || header.receiver != self.bssid {
            return;
        }
        let dozed = std::mem::replace(&mut station.dozes, header.control.dozes());
        if dozed && !header.control.dozes() {
            self.send_all_kept(now, header.transmitter, outbox);
        }
    }

    fn probe_request(&mut self, now: Instant, station: MacAddress, body: &[u8], outbox: &mut Outbox) {
        let asked_for = Elements(body).first(id::SSID).unwrap_or_default();
        let own = self.description.ssid.as_bytes();
        let is_meant = if asked_for.is_empty() { !self.description.hidden } else { asked_for == own };
        if !is_meant {
            return;
        }
        if let Some((fault, ())) = self.faults.enact(|fault| (*fault == Misbehaviour::NoProbeResponse {}).then_some(()))
        {
            self.note(now, outbox, station, Happening::Enacted { fault });
            return;
        }
        let body = self.announcement(&self.description.ssid.clone().into_bytes());
        self.management(now, Kind::ProbeResponse, station, body);
    }

    fn authentication(&mut self, now: Instant, station: MacAddress, body: &[u8], outbox: &mut Outbox) {
        let Some(request) = Authentication::parse(body).filter(|request| request.transaction == 1) else { return };
        self.account.came(station);
        let refused = self.faults.enact(|fault| match fault {
            Misbehaviour::NoAuthentication { .. } => Some(None),
            Misbehaviour::AuthenticationRefused { status, .. } => Some(Some(*status)),
            _ => None,
        });
        let mut status = SUCCESS;
        if let Some((fault, answer)) = refused {
            self.note(now, outbox, station, Happening::Enacted { fault });
            let Some(refusal) = answer else { return };
            status = refusal;
        } else if request.algorithm != 0 {
            status = UNSUPPORTED_ALGORITHM;
        } else if !self.stations.contains_key(&station) && self.free_aid().is_none() {
            status = TOO_MANY_STATIONS;
        }
        if status == SUCCESS {
            let known = self.stations.remove(&station);
            let aid = known.map(|known| known.aid).or_else(|| self.free_aid()).unwrap_or(1);
            self.stations.insert(station, Station::new(aid));
            self.note(now, outbox, station, Happening::Authenticated);
        } else {
            self.note(now, outbox, station, Happening::AuthenticationRefused { status });
        }
        self.management(now, Kind::Authentication, station, authentication(request.algorithm, 2, status));
    }

    fn association_request(&mut self, now: Instant, address: MacAddress, kind: Kind, body: &[u8], outbox: &mut Outbox) {
        let Some(aid) = self.stations.get(&address).map(|station| station.aid) else {
            self.send_away(now, address, REASON_NOT_AUTHENTICATED, outbox);
            return;
        };
        let Some(request) = AssociationRequest::parse(kind, body) else { return };
        let refused = self.faults.enact(|fault| match fault {
            Misbehaviour::NoAssociation { .. } => Some(None),
            Misbehaviour::AssociationRefused { status, .. } => Some(Some(*status)),
            _ => None,
        });
        let status = match refused {
            Some((fault, answer)) => {
                self.note(now, outbox, address, Happening::Enacted { fault });
                let Some(refusal) = answer else { return };
                refusal
            }
            None => self.judge(&request),
        };
        let answer = match kind {
            Kind::ReassociationRequest => Kind::ReassociationResponse,
            _ => Kind::AssociationResponse,
        };
        let granted = if status == SUCCESS { aid } else { 0 };
        let body = association_response(self.capabilities(), status, granted);
        self.management(now, answer, address, body);
        if status != SUCCESS {
            self.note(now, outbox, address, Happening::AssociationRefused { status });
            return;
        }
        self.note(now, outbox, address, Happening::Associated { aid });
        let rsn = request.elements.first(id::RSN).map(whole_rsn).unwrap_or_default();
        if let Some(station) = self.stations.get_mut(&address) {
            *station = Station { last_sequence: station.last_sequence, rsn, ..Station::new(aid) };
            station.stage = Stage::Associated;
            station.associated_at = Some(now);
        }
        if self.master.is_some() {
            self.begin_handshake(now, address);
        } else {
            self.join(now, address, outbox);
        }
    }

    /// The status of a request: does it want what there is?
    fn judge(&self, request: &AssociationRequest<'_>) -> u16 {
        if request.elements.first(id::SSID) != Some(self.description.ssid.as_bytes()) {
            return 1;
        }
        let Some(own) = self.rsn.as_deref().and_then(|element| Rsn::parse(element.get(2..)?)) else { return SUCCESS };
        let Some(wanted) = request.elements.first(id::RSN).and_then(Rsn::parse) else { return INVALID_ELEMENT };
        // What is announced and not enacted is refused too.
        if wanted.group != own.group || own.group != Cipher::Ccmp {
            INVALID_GROUP_CIPHER
        } else if wanted.pairwise != own.pairwise {
            INVALID_PAIRWISE_CIPHER
        } else if wanted.key_management != own.key_management
            || own.key_management != [AuthenticationKeyManagement::Psk]
        {
            INVALID_KEY_MANAGEMENT
        } else {
            SUCCESS
        }
    }

    fn data(&mut self, now: Instant, header: &Header<'_>, outbox: &mut Outbox) {
        let address = header.transmitter;
        if self.refuse_strangers(now, address, outbox) || header.control.is_from_ds() {
            return;
        }
        let Some(body) = self.decrypted(header) else {
            self.note(now, outbox, address, Happening::NotDecrypted);
            return;
        };
        let Some(content) = LlcSnap::parse(&body) else { return };
        if content.ether_type == EtherType::EAPOL {
            self.hear_key_frame(now, address, content.payload, outbox);
            return;
        }
        let is_protected = header.control.is_protected() == self.master.is_some();
        if self.has_joined(address) && is_protected {
            let (destination, source) = header.ends();
            outbox.deliver(Ethernet { destination, source, content }.to_bytes());
        }
    }

    /// The body of a data frame in the clear. A packet number that is not higher than the last is an old frame.
    fn decrypted(&mut self, header: &Header<'_>) -> Option<Vec<u8>> {
        if !header.control.is_protected() {
            return Some(header.body.to_vec());
        }
        let key = self.stations.get_mut(&header.transmitter)?.key.as_mut()?;
        let (ccmp, body) = ccmp::open(&key.temporal, header, header.body).ok()?;
        let received = key.received.get_mut(usize::from(header.traffic_identifier()))?;
        if ccmp.packet_number <= *received {
            return None;
        }
        *received = ccmp.packet_number;
        Some(body)
    }

    /// Who is not associated and sends data is told so (§11.3.4): `true` if it is.
    fn refuse_strangers(&mut self, now: Instant, address: MacAddress, outbox: &mut Outbox) -> bool {
        let reason = match self.stations.get(&address).map(|station| station.stage) {
            None => REASON_NOT_AUTHENTICATED,
            Some(Stage::Authenticated) => REASON_NOT_ASSOCIATED,
            Some(Stage::Associated | Stage::Joined) => return false,
        };
        self.send_away(now, address, reason, outbox);
        true
    }
}

fn whole_rsn(content: &[u8]) -> Vec<u8> {
    let mut element = Vec::new();
    crate::frame::push_element(&mut element, id::RSN, content);
    element
}
