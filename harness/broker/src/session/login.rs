//! CONNECT and its answers, good and crooked (MQTT 3.1.1 §3.1, §3.2).

use super::{Reply, Session, Stage, describe};
use crate::event::Happening;
use clock::{Duration, Instant};
use scenario::broker::{OnConnect, Then, When};
use wire::mqtt::{ConnAck, Connect, ConnectCode, Kind, Packet, View, Violation};

/// Why a login is refused.
struct Refusal {
    code: ConnectCode,
    why: &'static str,
}

impl Session {
    /// The first packet must be CONNECT ([MQTT-3.1.0-1]).
    pub(super) fn first_packet(&mut self, now: Instant, view: &View<Vec<u8>>, parsed: Result<Packet<'_>, Violation>) {
        match parsed {
            Ok(Packet::Connect(connect)) => {
                self.tell(Happening::Received(describe::packet(&Packet::Connect(connect.clone()))));
                self.connect(now, &connect);
            }
            Ok(other) => {
                self.tell(Happening::Received(describe::packet(&other)));
                self.violation("MQTT-3.1.0-1", "its first packet is not CONNECT");
                self.close("the client broke a rule");
            }
            Err(violation) if view.kind() == Some(Kind::Connect) => self.bad_connect(violation),
            Err(violation) => self.breach(violation),
        }
    }

    /// Two kinds of bad CONNECT have answers of their own.
    fn bad_connect(&mut self, violation: Violation) {
        let refusal = match violation {
            Violation::ProtocolLevel(_) => Refusal {
                code: ConnectCode::UNACCEPTABLE_PROTOCOL_VERSION,
                why: "the broker does not speak this version of MQTT [MQTT-3.1.2-2]",
            },
            Violation::NoClientIdAndNoCleanSession => Refusal {
                code: ConnectCode::IDENTIFIER_REJECTED,
                why: "a session is to be kept for nobody [MQTT-3.1.3-8]",
            },
            other => return self.breach(other),
        };
        self.tell(Happening::Violation { rule: violation.rule(), what: violation.to_string() });
        self.refuse(&refusal);
    }

    fn connect(&mut self, now: Instant, connect: &Connect<'_>) {
        self.publish_scripted(When::BeforeConnack);
        if self.script.mqtt.on_connect != OnConnect::Answer {
            self.tell(Happening::Misbehaves("CONNECT is answered as the scenario says"));
        }
        match self.script.mqtt.on_connect {
            OnConnect::Answer => self.answer_connect(now, connect),
            OnConnect::DelayMs(ms) => {
                self.replies.push(Reply::Pause(Duration::from_millis(ms.into())));
                self.answer_connect(now, connect);
            }
            OnConnect::Code(0) => self.grant(now, connect, false),
            OnConnect::Code(code) => {
                self.refuse(&Refusal { code: ConnectCode(code), why: "the scenario says so" });
            }
            OnConnect::Silence => self.replies.push(Reply::Silence),
            OnConnect::Close => {
                self.close("the scenario says so");
            }
            OnConnect::SessionPresent => self.grant(now, connect, true),
            OnConnect::ThreeBytes => self.grant_crookedly(now, connect, "CONNACK of 3 bytes", &[0x20, 3, 0, 0, 0]),
            OnConnect::FiveBytes => {
                self.grant_crookedly(now, connect, "CONNACK of 5 bytes", &[0x20, 5, 0, 0, 0, 0, 0]);
            }
            OnConnect::OverlongLength => {
                let described = "CONNACK whose length takes 4 bytes";
                self.grant_crookedly(now, connect, described, &[0x20, 0x82, 0x80, 0x80, 0x00, 0, 0]);
            }
            OnConnect::EndlessLength => {
                let described = "CONNACK whose length takes 5 bytes";
                self.grant_crookedly(now, connect, described, &[0x20, 0x82, 0x80, 0x80, 0x80, 0x00, 0, 0]);
            }
            OnConnect::ReservedFlags => {
                self.grant_crookedly(now, connect, "CONNACK with reserved flags", &[0x20, 2, 0xfe, 0]);
            }
            OnConnect::WrongType => {
                self.grant_crookedly(now, connect, "SUBACK in place of CONNACK", &[0x90, 3, 0, 1, 0]);
            }
            OnConnect::Twice => {
                let granted = [0x20, 2, 0, 0];
                self.grant_crookedly(now, connect, "CONNACK, twice", &[granted, granted].concat());
            }
            OnConnect::UnsupportedVersion5 => {
                self.send_crooked("CONNACK of MQTT 5: unsupported protocol version", &[0x20, 3, 0, 0x84, 0]);
                self.tell(Happening::LoginRefused { code: 0x84, why: "the broker speaks MQTT 5 only" });
                self.close("the broker speaks MQTT 5 only");
            }
        }
    }

    fn answer_connect(&mut self, now: Instant, connect: &Connect<'_>) {
        match self.judge(connect) {
            Ok(()) => self.grant(now, connect, false),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn judge(&self, connect: &Connect<'_>) -> Result<(), Refusal> {
        let script = &self.script;
        let not_authorized = |why| Err(Refusal { code: ConnectCode::NOT_AUTHORIZED, why });
        if self.identity.refused {
            return not_authorized("the client has not asked for a name by SNI that the broker knows");
        }
        if script.mqtt.refuse_keep_alive_0 && connect.keep_alive_s == 0 {
            let why = "a keep-alive of 0 is more than the broker's maximum";
            return Err(Refusal { code: ConnectCode::IDENTIFIER_REJECTED, why });
        }
        if script.client_certificates.identity_is_user_name {
            return match &self.identity.common_name {
                Some(name) if !name.is_empty() => Ok(()),
                _ => Err(Refusal {
                    code: ConnectCode::BAD_USER_NAME_OR_PASSWORD,
                    why: "the client's certificate has no common name",
                }),
            };
        }
        match connect.user_name {
            None if script.mqtt.allow_anonymous => Ok(()),
            None => not_authorized("the client gives no user name"),
            Some(_) if script.mqtt.users.is_empty() => Ok(()),
            Some(name) => match script.mqtt.users.get(name) {
                Some(password) if connect.password == Some(password.as_bytes()) => Ok(()),
                Some(_) => not_authorized("the password is wrong"),
                None => not_authorized("the user is unknown"),
            },
        }
    }

    fn grant(&mut self, now: Instant, connect: &Connect<'_>, pretend_session: bool) {
        let kept = self.log_in(now, connect);
        let session_present = kept || pretend_session;
        self.send(&Packet::ConnAck(ConnAck { session_present, code: ConnectCode::ACCEPTED }));
        self.after_connack();
    }

    fn grant_crookedly(&mut self, now: Instant, connect: &Connect<'_>, described: &str, bytes: &[u8]) {
        self.log_in(now, connect);
        self.send_crooked(described, bytes);
        self.after_connack();
    }

    fn after_connack(&mut self) {
        match self.script.mqtt.then {
            Then::GoOn => self.publish_scripted(When::Connected),
            Then::Close => {
                self.tell(Happening::Misbehaves("the connection is closed right after CONNACK"));
                self.close("the scenario says so");
            }
            Then::Silence => {
                self.tell(Happening::Misbehaves("nothing more is said after CONNACK"));
                self.replies.push(Reply::Silence);
            }
        }
    }

    /// Lets the client in. Tells whether a session of it was kept.
    fn log_in(&mut self, now: Instant, connect: &Connect<'_>) -> bool {
        // [MQTT-3.1.3-6]: who gives no identifier gets one of his own.
        let client_id = match connect.client_id {
            "" => format!("unnamed client {}", self.connection),
            given => given.to_owned(),
        };
        let kept = self.shared.registry().log_in(&client_id, self.connection, connect.clean_session);
        // [MQTT-3.1.2-24]: one and a half times the keep-alive; 0 turns it off.
        let keep_alive_ms = u64::from(connect.keep_alive_s) * 1_000;
        self.patience = (keep_alive_ms > 0).then(|| Duration::from_millis(keep_alive_ms * 3 / 2));
        let taken_over_after = self.script.mqtt.taken_over_after_ms;
        self.taken_over_at = taken_over_after.map(|ms| now + Duration::from_millis(ms.into()));
        self.will_topic = connect.will.as_ref().map(|will| will.topic.to_owned());
        self.stage = Stage::LoggedIn { client_id };
        let user_name = if self.script.client_certificates.identity_is_user_name {
            self.identity.common_name.clone()
        } else {
            connect.user_name.map(str::to_owned)
        };
        self.tell(Happening::LoggedIn { client_id: connect.client_id.to_owned(), user_name });
        kept
    }

    /// [MQTT-3.2.2-5]: a return code other than 0, then the end.
    fn refuse(&mut self, refusal: &Refusal) {
        self.send(&Packet::ConnAck(ConnAck { session_present: false, code: refusal.code }));
        self.tell(Happening::LoginRefused { code: refusal.code.0, why: refusal.why });
        self.close("the login is refused");
    }
}
