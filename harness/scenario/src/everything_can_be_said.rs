//! Whatever network and air can do, a scenario can say: every variant of every vocabulary that `network` and `access_point`
//! enact has a line that says it.

use access_point::{Message as HandshakeMessage, Milestone, Misbehaviour, Security};
use network::{
    AddressFault, Direction, Fault, MessageKind, OnClose, OnData, OnOpen, OnSend, Port, Resolution, SerialFault,
    SntpAnswer, Teardown, Trigger,
};

use crate::Scenario;
use crate::network::Network;
use crate::wifi::Wifi;

const HEAD: &str = "title = 't'\nspecification = { demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }\n";

fn scenario(rest: &str) -> Scenario {
    Scenario::parse("x/y", "x.toml", &format!("{HEAD}{rest}\n")).unwrap_or_else(|problem| panic!("{rest}: {problem}"))
}

fn network(line: &str) -> Network {
    scenario(&format!("[network]\n{line}")).network
}

fn wifi(line: &str) -> Wifi {
    scenario(&format!("[wifi]\n{line}")).wifi
}

/// Each pattern of a match that has to have all of them stands beside what
/// says it, so that one more of a kind does not compile before it can be said.
macro_rules! can_be_said {
    ($of_line:expr, $($pattern:pat => $line:literal),+ $(,)?) => {{
        let of_line = $of_line;
        for line in [$($line),+] {
            let said = match of_line(line) { $($pattern => $line),+ };
            assert_eq!(said, line, "another says it, or is said by it");
        }
    }};
}

#[test]
fn everything_that_the_network_does_can_be_said() {
    can_be_said!(
        |line: &str| network(&format!("faults = [{{ {line} }}]")).faults(8883).remove(0).fault,
        Fault::Lose { .. } => "lose = { from = 'device', per_mille = 7 }",
        Fault::LoseNth { .. } => "lose_nth = { from = 'device', nth = 1 }",
        Fault::LoseLongerThan { .. } => "lose_longer_than = { from = 'device', bytes = 600 }",
        Fault::Outage { .. } => "outage = { from_ms = 5 }",
        Fault::Delay { .. } => "delay = { from = 'device', by_ms = 2 }",
        Fault::Duplicate { .. } => "duplicate = { from = 'device', per_mille = 7 }",
        Fault::Reorder { .. } => "reorder = { from = 'device', per_mille = 7, by_ms = 20 }",
        Fault::FlipBit { .. } => "flip_bit = { from = 'device', per_mille = 7 }",
        Fault::Cut(_) => "cut = { how = 'close', when = 'syn' }",
        Fault::Segment { .. } => "segment = { bytes_max = 1 }",
        Fault::Drip { .. } => "drip = { bytes = 2, every_ms = 3 }",
        Fault::Stall { .. } => "stall = { after_bytes = 9, for_ms = 3 }",
        Fault::Garble { .. } => "garble = { from = 'device', at_byte = 4, flip = 1 }",
        Fault::StopReading { .. } => "stop_reading = { after_bytes = 12 }",
    );
    can_be_said!(
        |line: &str| network(&format!("serial_faults = [{{ {line} }}]")).serial_faults().remove(0),
        SerialFault::Flip { .. } => "flip = { from = 'device', at_byte = 1, flip = 1 }",
        SerialFault::FlipRate { .. } => "flip_rate = { from = 'device', per_million = 1 }",
        SerialFault::Drop { .. } => "drop = { from = 'device', at_byte = 1, count = 1 }",
        SerialFault::DropRate { .. } => "drop_rate = { from = 'device', per_million = 1 }",
    );
    can_be_said!(
        |line: &str| network(&format!("cut = {{ how = 'fin', {line} }}")).cuts().next().expect("a cut").when,
        Trigger::Syn => "when = 'syn'",
        Trigger::Accepted => "when = 'accepted'",
        Trigger::Passed { .. } => "when = { passed = { from = 'device', bytes = 7 } }",
        Trigger::FirstData(_) => "when = { first_data = 'device' }",
        Trigger::Age(_) => "when = { age_ms = 7 }",
        Trigger::Idle(_) => "when = { idle_ms = 7 }",
        Trigger::At(_) => "when = { at_ms = 7 }",
        Trigger::Before(_) => "when = { before = 'device Finished' }",
        Trigger::After(_) => "when = { after = 'CONNACK' }",
    );
    can_be_said!(
        |line: &str| network(&format!("cut = {{ {line}, when = 'accepted' }}")).cuts().next().expect("a cut").how,
        Teardown::Fin => "how = 'fin'",
        Teardown::Close => "how = 'close'",
        Teardown::Reset => "how = 'reset'",
        Teardown::BlackHole => "how = 'black_hole'",
    );
    can_be_said!(
        |line: &str| match network(&format!("cut = {{ how = 'fin', when = {{ after = '{line}' }} }}\n[broker]\nversions = ['1.2']"))
            .cuts()
            .next()
            .expect("a cut")
            .when
        {
            Trigger::After(message) => message.kind,
            other => panic!("{other:?}"),
        },
        MessageKind::ClientHello => "ClientHello",
        MessageKind::ServerHello => "ServerHello",
        MessageKind::EncryptedExtensions => "EncryptedExtensions",
        MessageKind::CertificateRequest => "CertificateRequest",
        MessageKind::Certificate => "broker Certificate",
        MessageKind::ServerKeyExchange => "ServerKeyExchange",
        MessageKind::ServerHelloDone => "ServerHelloDone",
        MessageKind::ClientKeyExchange => "ClientKeyExchange",
        MessageKind::CertificateVerify => "device CertificateVerify",
        MessageKind::Finished => "device Finished",
        MessageKind::NewSessionTicket => "NewSessionTicket",
        MessageKind::Connect => "CONNECT",
        MessageKind::Connack => "CONNACK",
        MessageKind::Publish => "device PUBLISH",
        MessageKind::Puback => "broker PUBACK",
        MessageKind::Subscribe => "SUBSCRIBE",
        MessageKind::Suback => "SUBACK",
        MessageKind::Pingreq => "PINGREQ",
        MessageKind::Pingresp => "PINGRESP",
        MessageKind::Disconnect => "DISCONNECT",
    );
    can_be_said!(
        |line: &str| match network(&format!("cut = {{ how = 'fin', when = {{ first_data = '{line}' }} }}")).cuts().next() {
            Some(network::Cut { when: Trigger::FirstData(direction), .. }) => direction,
            other => panic!("{other:?}"),
        },
        Direction::FromDevice => "device",
        Direction::ToDevice => "broker",
    );
    can_be_said!(
        |line: &str| network(line).port,
        Port::Open => "port = 'open'",
        Port::Closed => "port = 'closed'",
        Port::Dropped => "port = 'dropped'",
    );
}

#[test]
fn everything_that_resolver_and_time_server_do_can_be_said() {
    can_be_said!(
        |line: &str| network(line).answers(&[]).remove(0).what,
        Resolution::Addresses(_) => "resolver = 'answers'",
        Resolution::NxDomain => "resolver = 'nxdomain'",
        Resolution::ServFail => "resolver = 'servfail'",
        Resolution::Refused => "resolver = 'refused'",
        Resolution::Truncated => "resolver = 'truncated'",
        Resolution::WrongId(_) => "resolver = 'wrong_id'",
        Resolution::Silence => "resolver = 'silent'",
    );
    can_be_said!(
        |line: &str| network(line).sntp_answer(),
        SntpAnswer::Truth => "sntp = 'answers'",
        SntpAnswer::Wrong { .. } => "sntp_offset_s = -60",
        SntpAnswer::Step { .. } => "sntp_offset_s = 60\nsntp_steps_at_ms = 900",
        SntpAnswer::KissOfDeath(_) => "sntp = 'kiss_of_death'",
        SntpAnswer::Unsynchronised => "sntp = 'unsynchronised'",
        SntpAnswer::Stranger => "sntp = 'stranger'",
        SntpAnswer::Silence => "sntp = 'silent'",
    );
}

#[test]
fn everything_that_a_modem_does_can_be_said() {
    let modem = |line: &str| scenario(&format!("[device]\nlink = 'modem'\n[modem]\n{line}")).modem;
    can_be_said!(
        |line: &str| modem(line).on_open,
        OnOpen::Connects => "on_open = 'connects'",
        OnOpen::Error => "on_open = 'error'",
        OnOpen::Silence => "on_open = 'silence'",
    );
    can_be_said!(
        |line: &str| modem(line).on_send,
        OnSend::Takes => "on_send = 'takes'",
        OnSend::TakesAtMost(_) => "on_send = { takes_at_most = 9 }",
        OnSend::NoPrompt => "on_send = 'no_prompt'",
    );
    can_be_said!(
        |line: &str| modem(line).on_data,
        OnData::Tells => "on_data = 'tells'",
        OnData::Silence => "on_data = 'silence'",
        OnData::TellsTwice => "on_data = 'tells_twice'",
    );
    can_be_said!(
        |line: &str| modem(line).on_close,
        OnClose::Tells => "on_close = 'tells'",
        OnClose::BeforeAnAnswer => "on_close = 'before_an_answer'",
    );
}

#[test]
fn everything_that_goes_wrong_with_addresses_can_be_said() {
    can_be_said!(
        |line: &str| wifi(&format!("address_faults = [{{ {line} }}]")).address_faults.remove(0),
        AddressFault::DhcpSilent { .. } => "fault = 'dhcp_silent'",
        AddressFault::DhcpLate { .. } => "fault = 'dhcp_late', by_ms = 7",
        AddressFault::DhcpNak { .. } => "fault = 'dhcp_nak', times = 1",
        AddressFault::Ipv6RouterOnly {} => "fault = 'ipv6_router_only'",
        AddressFault::NoNameServer {} => "fault = 'no_name_server'",
        AddressFault::NoRouter {} => "fault = 'no_router'",
        AddressFault::AddressTaken {} => "fault = 'address_taken'",
        AddressFault::ArpSilent { .. } => "fault = 'arp_silent'",
    );
}

#[test]
fn everything_that_an_access_point_does_can_be_said() {
    let misbehaviour = |line: &str| wifi(&format!("faults = [{{ {line} }}]")).faults.remove(0);
    can_be_said!(
        misbehaviour,
        Misbehaviour::NoProbeResponse {} => "fault = 'no_probe_response'",
        Misbehaviour::NoAuthentication { .. } => "fault = 'no_authentication'",
        Misbehaviour::AuthenticationRefused { .. } => "fault = 'authentication_refused', status = 1",
        Misbehaviour::NoAssociation { .. } => "fault = 'no_association'",
        Misbehaviour::AssociationRefused { .. } => "fault = 'association_refused', status = 17",
        Misbehaviour::MessageLost { .. } => "fault = 'message_lost', message = 'message_1'",
        Misbehaviour::MessageLate { .. } => "fault = 'message_late', message = 'message_1', by_ms = 7",
        Misbehaviour::MessageBadMic { .. } => "fault = 'message_bad_mic', message = 'message_3'",
        Misbehaviour::Deauthentication { .. } => "fault = 'deauthentication', when = { after = 'joined' }, reason = 7",
        Misbehaviour::Disassociation { .. } => "fault = 'disassociation', when = { after = 'joined' }, reason = 8",
        Misbehaviour::BeaconsStop { .. } => "fault = 'beacons_stop', when = { after = 'joined' }",
        Misbehaviour::PowerCut { .. } => "fault = 'power_cut', when = { after = 'joined' }",
        Misbehaviour::ChannelSwitch { .. } =>
            "fault = 'channel_switch', when = { after = 'joined' }, channel = 1, announced = true",
        Misbehaviour::Loss { .. } => "fault = 'loss', to_station_per_mille = 7",
        Misbehaviour::NothingKept {} => "fault = 'nothing_kept'",
        Misbehaviour::NoTrafficIndication {} => "fault = 'no_traffic_indication'",
    );
    can_be_said!(
        |line: &str| match misbehaviour(&format!("fault = 'message_lost', message = '{line}'")) {
            Misbehaviour::MessageLost { message, .. } => message,
            other => panic!("{other:?}"),
        },
        HandshakeMessage::First => "message_1",
        HandshakeMessage::Third => "message_3",
        HandshakeMessage::Group => "group_message_1",
    );
    can_be_said!(
        |line: &str| match misbehaviour(&format!("fault = 'beacons_stop', when = {{ after = '{line}', ms = 7 }}")) {
            Misbehaviour::BeaconsStop { when } => when.after,
            other => panic!("{other:?}"),
        },
        Milestone::PowerOn => "power_on",
        Milestone::Association => "association",
        Milestone::MessageTwo => "message_2",
        Milestone::Joined => "joined",
    );
    can_be_said!(
        |line: &str| wifi(&format!("access_points = [{{ ssid = 'a', {line} }}]")).access_points().remove(0).security.expect(line),
        Security::Open => "security = 'open'",
        Security::Wpa2 => "security = 'wpa2', passphrase = 'long enough'",
        Security::Tkip => "security = 'tkip', passphrase = 'long enough'",
        Security::Wpa3 => "security = 'wpa3', passphrase = 'long enough'",
    );
}
