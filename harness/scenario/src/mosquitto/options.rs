//! The options of mosquitto.conf(5) that a scenario may set, and what the bench makes of each.
//!
//! Whoever writes a scenario decides how a broker treats its clients, and nothing else: no code is loaded, nothing outside
//! of the run's folder is read or written, nobody is dialled, and nobody else is listened to. So an option that is not in
//! this list is refused, whatever a later mosquitto makes of it.

/// What a path of a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The broker's chain.
    Chain,
    /// The broker's key.
    Key,
    /// The authorities of its clients.
    Authorities,
    /// Its users' passwords.
    Passwords,
    /// Parameters for DHE.
    DhParameters,
    /// A folder.
    Folder,
    /// A file that mosquitto writes.
    Written,
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It stays as it stands.
    Kept,
    /// It stays if its value is one of these.
    OneOf(&'static [&'static str]),
    /// Its value is the name of a file, without a folder.
    FileName,
    /// Its value is a path, which is moved below the run's folder.
    Path(Role),
    /// Its value is a port, which becomes a free one of the loopback.
    Listener,
    /// Where the log goes: a file is moved, everything else is the bench's business.
    LogDestination,
    /// Where and as whom mosquitto runs, and what lies in a folder that is empty here: the bench's business, and left out.
    LeftOut,
}

use Treatment::{FileName, Kept, LeftOut, Listener, LogDestination, OneOf, Path};

/// All of them. Those of bridges, plugins, TLS engines, WebSockets' folders and files that the bench does not make are
/// left out on purpose.
pub const ALLOWED: &[(&str, Treatment)] = &[
    ("accept_protocol_versions", Kept),
    ("allow_anonymous", Kept),
    ("allow_duplicate_messages", Kept),
    ("allow_zero_length_clientid", Kept),
    ("auto_id_prefix", Kept),
    ("autosave_interval", Kept),
    ("autosave_on_changes", Kept),
    ("bind_address", LeftOut),
    ("bind_interface", LeftOut),
    ("cafile", Path(Role::Authorities)),
    ("certfile", Path(Role::Chain)),
    ("check_retain_source", Kept),
    ("ciphers", Kept),
    ("ciphers_tls1.3", Kept),
    ("clientid_prefixes", Kept),
    ("connection_messages", Kept),
    ("dhparamfile", Path(Role::DhParameters)),
    ("include_dir", LeftOut),
    ("keyfile", Path(Role::Key)),
    ("listener", Listener),
    ("log_dest", LogDestination),
    ("log_timestamp", Kept),
    ("log_timestamp_format", Kept),
    ("log_type", Kept),
    ("max_connections", Kept),
    ("max_inflight_bytes", Kept),
    ("max_inflight_messages", Kept),
    ("max_keepalive", Kept),
    ("max_packet_size", Kept),
    ("max_qos", Kept),
    ("max_queued_bytes", Kept),
    ("max_queued_messages", Kept),
    ("max_topic_alias", Kept),
    ("memory_limit", Kept),
    ("message_size_limit", Kept),
    ("mount_point", Kept),
    ("password_file", Path(Role::Passwords)),
    ("per_listener_settings", Kept),
    ("persistence", Kept),
    ("persistence_file", FileName),
    ("persistence_location", Path(Role::Folder)),
    ("persistent_client_expiration", Kept),
    ("pid_file", Path(Role::Written)),
    ("port", Listener),
    ("protocol", OneOf(&["mqtt"])),
    ("queue_qos0_messages", Kept),
    ("require_certificate", Kept),
    ("retain_available", Kept),
    ("retry_interval", Kept),
    ("set_tcp_nodelay", Kept),
    ("socket_domain", OneOf(&["ipv4"])),
    ("sys_interval", Kept),
    ("tls_version", Kept),
    ("upgrade_outgoing_qos", Kept),
    ("use_identity_as_username", Kept),
    ("use_subject_as_username", Kept),
    ("use_username_as_clientid", Kept),
    ("user", LeftOut),
];

/// What becomes of an option; `None`: no scenario may set it.
pub fn treatment(option: &str) -> Option<Treatment> {
    ALLOWED.iter().find(|(name, _)| *name == option).map(|(_, treatment)| *treatment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_loads_code_dials_or_reads_elsewhere_is_allowed() {
        for option in [
            "plugin",
            "plugin_load",
            "global_plugin",
            "plugin_use",
            "auth_plugin",
            "auth_opt_x",
            "plugin_opt_x",
            "tls_engine",
            "tls_engine_kpass_sha1",
            "tls_keyform",
            "connection",
            "address",
            "addresses",
            "bridge_cafile",
            "http_dir",
            "capath",
            "acl_file",
            "psk_file",
            "psk_hint",
            "crlfile",
            "certfile ",
            "Certfile",
            "",
            "listener_allow_anonymous",
            "global_max_clients",
            "enable_control_api",
            "websockets_headers_size",
        ] {
            assert_eq!(treatment(option), None, "{option}");
        }
        assert!(ALLOWED.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of their names, each once");
    }
}
