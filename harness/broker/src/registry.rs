//! Who is logged in under which client identifier: the one thing that connections know of each other.

use std::collections::BTreeMap;

/// The most client identifiers that are remembered: a device has one, a hostile one makes them up.
const CLIENTS_MAX: usize = 64;

/// The broker's clients by their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    clients: BTreeMap<String, Client>,
}

#[derive(Debug)]
struct Client {
    /// The connection on which it logged in last.
    connection: u32,
    /// Whether its session outlives its connection.
    kept: bool,
}

impl Registry {
    /// A client logs in: whoever held that identifier loses it ([MQTT-3.1.4-2]). Tells whether a session of it was
    /// kept ([MQTT-3.2.2-2]).
    pub(crate) fn log_in(&mut self, client_id: &str, connection: u32, clean_session: bool) -> bool {
        let present = !clean_session && self.clients.get(client_id).is_some_and(|client| client.kept);
        if self.clients.contains_key(client_id) || self.clients.len() < CLIENTS_MAX {
            self.clients.insert(client_id.to_owned(), Client { connection, kept: !clean_session });
        }
        present
    }

    /// Whether a later connection holds that identifier.
    pub(crate) fn is_taken_over(&self, client_id: &str, connection: u32) -> bool {
        self.clients.get(client_id).is_some_and(|client| client.connection > connection)
    }
}
