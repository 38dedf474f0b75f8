//! A network of its own for a server that is told what to do by a stranger: a namespace of Linux with a loopback, and nothing
//! else in it (network_namespaces(7)). What listens there is reached by nobody but us, and it reaches nobody.
//!
//! A namespace belongs to threads. So a thread of ours lives in it, starts the server there, and opens the sockets that lead
//! to it; a socket keeps the namespace that it was opened in, whoever uses it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Where a server listens: in a network of its own, or in this machine's.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its address there. Two networks have the same ones.
    pub address: SocketAddr,
    network: Option<Arc<OwnNetwork>>,
}

impl Endpoint {
    /// `address` in `network`; `None`: in this machine's.
    pub fn new(address: SocketAddr, network: Option<Arc<OwnNetwork>>) -> Self {
        Self { address, network }
    }

    /// Another address in the same network.
    pub fn beside(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// A connection to it. Waits for `limit` at most.
    ///
    /// # Errors
    ///
    /// Why nobody is reached.
    pub fn connect(&self, limit: Duration) -> io::Result<TcpStream> {
        let address = self.address;
        self.within(move || TcpStream::connect_timeout(&address, limit))
    }

    /// Does `job` in its network.
    pub fn within<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        match &self.network {
            Some(network) => network.within(job),
            None => job(),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    /// In this machine's network.
    fn from(address: SocketAddr) -> Self {
        Self::new(address, None)
    }
}

/// A network of its own. It goes when this and all that was started or opened in it are gone.
#[derive(Debug)]
pub struct OwnNetwork {
    #[cfg(target_os = "linux")]
    within: linux::Within,
}

impl OwnNetwork {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// If this machine does not let us: elsewhere than on Linux, and without the rights of root (`CAP_SYS_ADMIN`).
    pub fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return linux::Within::new().map(|within| Self { within });
        #[cfg(not(target_os = "linux"))]
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Does `job` in it. Children that it starts live in it too, and as long as this does at most.
    pub fn within<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        #[cfg(target_os = "linux")]
        return self.within.run(job);
        #[cfg(not(target_os = "linux"))]
        job()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::sync::mpsc::{self, Sender};
    use std::thread::{self, JoinHandle};

    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

    type Job = Box<dyn FnOnce() + Send>;

    /// The thread that lives there.
    #[derive(Debug)]
    pub struct Within {
        jobs: Option<Sender<Job>>,
        thread: Option<JoinHandle<()>>,
    }

    impl Within {
        pub fn new() -> io::Result<Self> {
            let (jobs, queue) = mpsc::channel::<Job>();
            let (tell, told) = mpsc::channel();
            let thread = thread::Builder::new().name("own network".to_owned()).spawn(move || {
                let entered = enter();
                let is_there = entered.is_ok();
                if tell.send(entered).is_ok() && is_there {
                    queue.iter().for_each(|job| job());
                }
            })?;
            told.recv().map_err(io::Error::other)??;
            Ok(Self { jobs: Some(jobs), thread: Some(thread) })
        }

        pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
            let (tell, told) = mpsc::channel();
            let job: Job = Box::new(move || drop(tell.send(job())));
            self.jobs.as_ref().expect("it is taken when this is dropped").send(job).expect("the thread waits for jobs");
            told.recv().expect("a job that panics ends the bench")
        }
    }

    impl Drop for Within {
        fn drop(&mut self) {
            drop(self.jobs.take());
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }

    /// Takes this thread into a network of its own, and sets the loopback there up.
    fn enter() -> io::Result<()> {
        // SAFETY: it changes which network this thread opens sockets in, and nothing that memory depends on.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error());
        }
        set_up_loopback()
    }

    /// rtnetlink(7): `RTM_NEWLINK` with the flag `IFF_UP` for the interface 1, which is the loopback of every network.
    fn set_up_loopback() -> io::Result<()> {
        const RTM_NEWLINK: u16 = 16;
        const NLM_F_REQUEST_AND_ACK: u16 = 1 | 4;
        const LOOPBACK: u32 = 1;
        const IFF_UP: u32 = 1;
        const NLMSG_ERROR: u16 = 2;
        let mut message = 32u32.to_ne_bytes().to_vec();
        message.extend([RTM_NEWLINK, NLM_F_REQUEST_AND_ACK].iter().flat_map(|half| half.to_ne_bytes()));
        // Sequence and sender; family and type of the interface; which, its flags, and those that are to be changed.
        message.extend([1, 0, 0, LOOPBACK, IFF_UP, IFF_UP].iter().flat_map(|word: &u32| word.to_ne_bytes()));
        // NETLINK_ROUTE is the protocol 0.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        send(&socket, &message, SendFlags::empty())?;
        let mut answer = [0; 256];
        let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
        let kind = u16::from_ne_bytes([answer[4], answer[5]]);
        let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
        match error {
            0 if length >= 20 && kind == NLMSG_ERROR => Ok(()),
            error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
            _ => Err(io::Error::other("the kernel's answer to RTM_NEWLINK is not understood")),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn what_listens_there_is_reached_from_there_alone() {
        let Ok(network) = OwnNetwork::new() else {
            assert!(!rustix::process::geteuid().is_root() || OwnNetwork::new().is_err());
            return;
        };
        let listener = network.within(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("the loopback is up");
        let address = listener.local_addr().expect("it is bound");
        let endpoint = Endpoint::new(address, Some(Arc::new(network)));
        let there = endpoint.connect(Duration::from_secs(5)).expect("it is reached");
        listener.accept().expect("somebody came");
        assert!(there.peer_addr().is_ok_and(|peer| peer == address));
        // A second network has the same ports, and reaches nothing of the first; nor do we.
        let other = OwnNetwork::new().expect("as the first");
        assert!(other.within(move || TcpStream::connect(address)).is_err());
        let outside = other.within(|| TcpStream::connect((Ipv4Addr::new(192, 0, 2, 1), 1883)));
        assert_eq!(outside.map_err(|error| error.kind()).err(), Some(io::ErrorKind::NetworkUnreachable));
        other.within(move || TcpListener::bind(address)).expect("the port is free there");
    }
}
