//! A whole handshake and a login of the bench's own, over rustls: what a broker shows only to who goes on. Its certificate is
//! not judged here, but written down.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use blame::Error;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme};
use wire::mqtt::{Connect, Decoder, Packet};

use crate::controls::rustls_client::Secrets;
use crate::diagnose::exchange::client_id;
use crate::diagnose::setup::Setup;
use crate::diagnose::target::PATIENCE;
use crate::lan::recorder::{ConnectionId, Recorder, Side};

/// Nobody says more to a client that has subscribed to nothing, in bytes.
const PACKET_BYTES_MAX: usize = 64 * 1024;
/// The protocol that brokers of MQTT know by ALPN.
const ALPN: &[u8] = b"mqtt";

/// What a broker showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its chain, DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// Whether it stapled an OCSP response.
    pub staples: bool,
    /// The scheme with which it signed.
    pub scheme: Option<u16>,
    /// Whether it asked for a certificate.
    pub asks_for_certificate: bool,
    /// The version, as on the wire.
    pub version: Option<u16>,
    /// The suite.
    pub suite: Option<u16>,
    /// Whether it chose `mqtt` by ALPN.
    pub alpn: bool,
    /// Whether it resumed the session of an earlier connection.
    pub resumed: bool,
    /// The tickets that it sent in TLS 1.3.
    pub tickets: u32,
    /// The code of its CONNACK.
    pub connack: Option<u8>,
    /// Why it came no further, if it did not.
    pub failure: Option<String>,
}

/// A client of one broker, whose sessions can be resumed.
pub struct Client {
    config: Arc<ClientConfig>,
    seen: Arc<Seen>,
    secrets: Arc<Secrets>,
    name: ServerName<'static>,
}

impl Client {
    /// A client for the devices' side of `setup`, which asks by SNI for the name that is checked, if it is one.
    ///
    /// # Errors
    ///
    /// If the devices' own key cannot be used.
    pub fn new(setup: &Setup) -> blame::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = setup.own.as_ref().map(|own| own_key(&provider, &own.chain, &own.key)).transpose()?;
        let seen = Arc::new(Seen::new(own));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::bench)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Seen>::clone(&seen))
            .with_client_cert_resolver(Arc::<Seen>::clone(&seen));
        config.alpn_protocols = vec![ALPN.to_vec()];
        let secrets = Arc::new(Secrets::default());
        config.key_log = Arc::<Secrets>::clone(&secrets);
        config.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)));
        let name = setup.checked_name();
        let name = ServerName::try_from(name.to_owned()).map_err(|_| Error::usage(format!("`{name}` is no name")))?;
        Ok(Self { config: Arc::new(config), seen, secrets, name })
    }

    /// The secrets of its connections since this was last asked, as NSS key log text.
    pub fn take_key_log(&self) -> String {
        self.secrets.take()
    }

    /// Connects, logs in, and leaves.
    pub fn log_in(&self, setup: &Setup, recorder: &mut Recorder) -> Shown {
        *lock(&self.seen.shown) = Shown::default();
        self.seen.was_asked.store(false, Ordering::Relaxed);
        let failure = self.attempt(setup, recorder).err().map(|error| words(&error));
        let mut shown = lock(&self.seen.shown).clone();
        shown.asks_for_certificate = self.seen.was_asked.load(Ordering::Relaxed);
        shown.failure = failure;
        shown
    }

    fn attempt(&self, setup: &Setup, recorder: &mut Recorder) -> io::Result<()> {
        let socket = setup.broker.connect(PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let id = recorder.opened(socket.local_addr()?, setup.broker.address);
        let mut tapped = Tapped { socket, recorder, id };
        let mut connection =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)?;
        let result = self.converse(&mut connection, &mut tapped, setup);
        self.note(&connection);
        tapped.recorder.ended(id, Side::Client);
        result
    }

    fn converse(&self, connection: &mut ClientConnection, tapped: &mut Tapped<'_>, setup: &Setup) -> io::Result<()> {
        while connection.is_handshaking() {
            connection.complete_io(tapped)?;
        }
        self.note(connection);
        let client_id = client_id().map_err(io::Error::other)?;
        let connect = connect(&client_id, setup.user_name.as_deref(), setup.password.as_deref())?;
        connection.writer().write_all(&connect)?;
        let mut decoder = Decoder::new(PACKET_BYTES_MAX);
        let mut buffer = [0; 4_096];
        loop {
            connection.complete_io(tapped)?;
            match connection.reader().read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => decoder.extend(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            let Some(view) = decoder.next_packet() else { continue };
            let view = view.map_err(io::Error::other)?;
            let packet = Packet::parse(&view).map_err(io::Error::other)?;
            if let Packet::ConnAck(connack) = packet {
                lock(&self.seen.shown).connack = Some(connack.code.0);
                break;
            }
            return Err(io::Error::other(format!("the broker says {} in the place of CONNACK", packet.kind().name())));
        }
        let mut disconnect = Vec::new();
        // It has no field that could be too long.
        let _ = Packet::Disconnect.encode(&mut disconnect);
        connection.writer().write_all(&disconnect)?;
        connection.send_close_notify();
        connection.complete_io(tapped).map(|_| ())
    }

    fn note(&self, connection: &ClientConnection) {
        let mut shown = lock(&self.seen.shown);
        shown.version = connection.protocol_version().map(u16::from);
        shown.suite = connection.negotiated_cipher_suite().map(|suite| u16::from(suite.suite()));
        shown.alpn = connection.alpn_protocol() == Some(ALPN);
        shown.resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        shown.tickets = connection.tls13_tickets_received();
        if let Some(chain) = connection.peer_certificates() {
            shown.chain = chain.iter().map(|der| der.to_vec()).collect();
        }
    }
}

/// CONNECT of a client that leaves nothing behind.
///
/// # Errors
///
/// If a field is longer than MQTT can say.
pub fn connect(client_id: &str, user_name: Option<&str>, password: Option<&str>) -> io::Result<Vec<u8>> {
    let connect = Connect {
        client_id,
        clean_session: true,
        keep_alive_s: 60,
        user_name,
        password: password.map(str::as_bytes),
        ..Connect::default()
    };
    let mut bytes = Vec::new();
    Packet::Connect(connect).encode(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

fn own_key(provider: &CryptoProvider, chain: &[Vec<u8>], key: &str) -> blame::Result<Arc<CertifiedKey>> {
    // What is wrong with it is told without a word of it.
    let unusable = || Error::usage("--client-key: rustls cannot use this key");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unusable())?;
    let key = provider.key_provider.load_private_key(key).map_err(|_| unusable())?;
    let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!("no answer for {} s", PATIENCE.as_secs()),
        io::ErrorKind::UnexpectedEof => "the broker closed the connection".into(),
        io::ErrorKind::ConnectionReset => "the broker broke off the connection (RST)".into(),
        _ => error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket whose bytes are recorded.
struct Tapped<'a> {
    socket: TcpStream,
    recorder: &'a mut Recorder,
    id: ConnectionId,
}

impl Read for Tapped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.socket.read(buffer);
        match &read {
            Ok(0) => self.recorder.ended(self.id, Side::Broker),
            Ok(count) => self.recorder.said(self.id, Side::Broker, buffer.get(..*count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => self.recorder.reset(self.id, Side::Broker),
            Err(_) => {}
        }
        read
    }
}

impl Write for Tapped<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.socket.write(buffer)?;
        self.recorder.said(self.id, Side::Client, buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// What rustls is shown, written down.
struct Seen {
    shown: Mutex<Shown>,
    was_asked: AtomicBool,
    own: Option<Arc<CertifiedKey>>,
}

impl Seen {
    fn new(own: Option<Arc<CertifiedKey>>) -> Self {
        Self { shown: Mutex::default(), was_asked: AtomicBool::new(false), own }
    }
}

impl std::fmt::Debug for Seen {
    /// Without its secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Seen {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        self.own.clone()
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut shown = lock(&self.shown);
        shown.chain = std::iter::once(leaf).chain(others).map(|der| der.to_vec()).collect();
        shown.staples = !ocsp_response.is_empty();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        lock(&self.shown).scheme = Some(u16::from(signed.scheme));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        super::hello::SCHEMES.iter().map(|scheme| SignatureScheme::from(*scheme)).collect()
    }
}
