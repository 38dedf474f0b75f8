//! The control inside the bench: a client over rustls.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base16ct::lower::encode_string;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, KeyLog, RootCertStore, StreamOwned};

use crate::controls::login::Login;
use crate::controls::report::{ControlReport, Ended};
use crate::controls::task::{Task, Tls};

/// What is read at once, in bytes.
const READ_BYTES_MAX: usize = 4 * 1024;

/// Runs the control. Blocks, but no read or write for longer than `limit`.
pub fn run(task: &Task, limit: Duration) -> ControlReport {
    let secrets = Arc::new(Secrets::default());
    let (ended, words) = match attempt(task, &secrets, limit) {
        Ok(()) => (Ended::Published, String::new()),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            (Ended::OutOfTime, "no answer".into())
        }
        Err(error) => (Ended::Failed, error.to_string()),
    };
    ControlReport { ended, words, key_log: secrets.take() }
}

fn attempt(task: &Task, secrets: &Arc<Secrets>, limit: Duration) -> io::Result<()> {
    // What does not read as a configuration is refused before anybody is dialled, as any client does.
    let tls = task.tls.as_ref().map(|tls| connection(task, tls, secrets)).transpose()?;
    let socket = TcpStream::connect_timeout(&task.address, limit)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(limit))?;
    socket.set_write_timeout(Some(limit))?;
    match tls {
        Some(connection) => {
            let mut stream = StreamOwned::new(connection, socket);
            converse(task, &mut stream)?;
            stream.conn.send_close_notify();
            stream.conn.complete_io(&mut stream.sock).map(|_| ())
        }
        None => converse(task, &mut { socket }),
    }
}

fn connection(task: &Task, tls: &Tls, secrets: &Arc<Secrets>) -> io::Result<ClientConnection> {
    let mut roots = RootCertStore::empty();
    for authority in &tls.authorities {
        roots.add(CertificateDer::from(authority.der.clone())).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(io::Error::other)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_webpki_verifier(verifier);
    let mut config = match &tls.own {
        Some(own) => {
            let chain = own.chain.iter().map(|certificate| CertificateDer::from(certificate.der.clone())).collect();
            let key = PrivatePkcs8KeyDer::from(own.key.key_pkcs8_der().to_vec());
            builder.with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key)).map_err(io::Error::other)?
        }
        None => builder.with_no_client_auth(),
    };
    config.key_log = Arc::<Secrets>::clone(secrets);
    let name = ServerName::try_from(task.dials.clone()).map_err(io::Error::other)?;
    ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)
}

fn converse(task: &Task, stream: &mut (impl Read + Write)) -> io::Result<()> {
    let (mut login, connect) = Login::new(task).map_err(io::Error::other)?;
    stream.write_all(&connect)?;
    let mut buffer = [0; READ_BYTES_MAX];
    while !login.is_done() {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let answer = login.hear(buffer.get(..count).unwrap_or_default()).map_err(io::Error::other)?;
        stream.write_all(&answer)?;
    }
    Ok(())
}

/// An NSS key log in memory.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<String>);

impl Secrets {
    /// What was logged since this was last asked.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", encode_string(client_random), encode_string(secret));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
    }
}
