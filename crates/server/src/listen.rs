//! Where a server listens, and who may be believed there.
//!
//! A socket may come from outside, already listening: a mesh in one process opens all its ports before anything starts,
//! and a restart can hand its socket on. **Invariant:** beyond loopback nothing listens unless somebody said that
//! callers may be believed.

use std::io;
use std::net::{self, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::Error;

/// Where a server listens: at an address, or on a socket that listens already.
#[derive(Debug)]
pub enum Listen {
    /// An address; port 0 for a free one.
    At(SocketAddr),
    /// A socket.
    On(net::TcpListener),
}

impl Listen {
    /// The address, before there is a socket; port 0 where any will do.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::At(address) => Ok(*address),
            Self::On(socket) => socket.local_addr(),
        }
    }

    /// Takes the port.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Listen`], and [`Error::Untrusted`] beyond loopback without `trust_metadata`.
    pub(crate) async fn open(self, trust_metadata: bool) -> Result<(TcpListener, SocketAddr), Error> {
        let unknown: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
        let asked = self.address().map_err(|source| refused(unknown, source))?;
        if !asked.ip().to_canonical().is_loopback() && !trust_metadata {
            return Err(Error::Untrusted { address: asked });
        }
        let opened = match self {
            Self::At(address) => TcpListener::bind(address).await,
            Self::On(socket) => socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket)),
        };
        let listener = opened.map_err(|source| refused(asked, source))?;
        let address = listener.local_addr().map_err(|source| refused(asked, source))?;
        Ok((listener, address))
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::At(address)
    }
}

impl From<net::TcpListener> for Listen {
    fn from(socket: net::TcpListener) -> Self {
        Self::On(socket)
    }
}

fn refused(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::Busy { address },
        _ => Error::Listen { address, source },
    }
}
