//! Where a server listens, and who may be believed there.
//!
//! A socket may come from outside, already listening: a mesh in one process opens all its ports before anything starts,
//! and a restart can hand its socket on. **Invariant:** beyond loopback nothing listens unless somebody said that
//! callers may be believed.

use std::io;
use std::net::{self, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::Error;

/// Where a server listens: at an address, or on sockets that listen already.
#[derive(Debug)]
pub enum Listen {
    /// An address; port 0 for a free one.
    At(SocketAddr),
    /// One socket or several; whichever a client connects to, it is the same server.
    On(Vec<net::TcpListener>),
}

impl Listen {
    /// The address, or that of the first socket; port 0 where any will do.
    ///
    /// # Errors
    /// What the system says of the socket; that there is none.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::At(address) => Ok(*address),
            Self::On(sockets) => match sockets.first() {
                Some(first) => first.local_addr(),
                None => Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no socket")),
            },
        }
    }

    /// Takes the ports.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Listen`], and [`Error::Untrusted`] beyond loopback without `trust_metadata`.
    pub(crate) async fn open(self, trust_metadata: bool) -> Result<(Vec<TcpListener>, SocketAddr), Error> {
        let unknown: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
        let first = self.address().map_err(|source| refused(unknown, source))?;
        let listeners = match self {
            Self::At(address) => {
                believable(address, trust_metadata)?;
                vec![TcpListener::bind(address).await.map_err(|source| refused(address, source))?]
            }
            Self::On(sockets) => {
                let adopted = sockets.into_iter().map(|socket| adopt(socket, trust_metadata));
                adopted.collect::<Result<_, _>>()?
            }
        };
        let address = listeners.first().map_or(Ok(first), TcpListener::local_addr);
        Ok((listeners, address.map_err(|source| refused(first, source))?))
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::At(address)
    }
}

impl From<net::TcpListener> for Listen {
    fn from(socket: net::TcpListener) -> Self {
        Self::On(vec![socket])
    }
}

fn adopt(socket: net::TcpListener, trust_metadata: bool) -> Result<TcpListener, Error> {
    let address = socket.local_addr().unwrap_or_else(|_| (Ipv4Addr::UNSPECIFIED, 0).into());
    believable(address, trust_metadata)?;
    let adopted = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
    adopted.map_err(|source| refused(address, source))
}

fn believable(address: SocketAddr, trust_metadata: bool) -> Result<(), Error> {
    if address.ip().to_canonical().is_loopback() || trust_metadata {
        return Ok(());
    }
    Err(Error::Untrusted { address })
}

fn refused(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::Busy { address },
        _ => Error::Listen { address, source },
    }
}
