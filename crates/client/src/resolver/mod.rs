//! Where the replicas of a service are, now and later: a list, names that are looked up, or a file that is watched.
//!
//! A [`Resolver`] is the seam for any other source. **Invariant:** an answer that is empty, or none, changes nothing: the
//! last good set stays.

mod file;
mod names;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Weak;
use std::time::Duration;

use async_trait::async_trait;
use freehold_wire::Reason;
use tokio::time::sleep;

pub use file::WatchedFile;
pub use names::Names;

use crate::error::Error;
use crate::transport::Pool;

/// How long a source that failed is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// Why there is no news of a service's replicas.
pub type ResolveError = Box<dyn std::error::Error + Send + Sync>;

/// A source of addresses.
#[async_trait]
pub trait Resolver: Send + 'static {
    /// Waits for news and gives the whole set; at first, the set as it is. A failure is followed by another question.
    ///
    /// # Errors
    /// Why there is none, in the source's words; the replicas stay as they are.
    async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError>;
}

/// What a channel's URL names.
pub(crate) struct Place {
    /// What calls have as their authority: the first host and port.
    pub(crate) authority: http::uri::Authority,
    pub(crate) source: Source,
}

/// Where addresses come from.
pub(crate) enum Source {
    /// They are in the URL and never change.
    Fixed(Vec<SocketAddr>),
    /// They change.
    Changing(Box<dyn Resolver>),
}

impl Place {
    /// Reads "http://host:port", several of these with commas between them, or "file:///path".
    ///
    /// # Errors
    /// INVALID_ARGUMENT for anything else.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("file://") {
            let source = Source::Changing(Box::new(WatchedFile::new(PathBuf::from(path))));
            return Ok(Self { authority: http::uri::Authority::from_static("freehold"), source });
        }
        let hosts = url.split(',').map(|part| host(part.trim()).ok_or_else(|| bad_address(url)));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        let Some(authority) = hosts.first().cloned() else { return Err(bad_address(url)) };
        let names: Vec<String> = hosts.iter().map(with_port).collect();
        let fixed: Option<Vec<SocketAddr>> = names.iter().map(|name| name.parse().ok()).collect();
        let source = fixed.map_or_else(|| Source::Changing(Box::new(Names::new(names))), Source::Fixed);
        Ok(Self { authority, source })
    }
}

/// Tells the pool what `resolver` says, until the pool is gone.
pub(crate) async fn follow(pool: Weak<Pool>, mut resolver: Box<dyn Resolver>) {
    loop {
        let news = resolver.next().await;
        let Some(pool) = pool.upgrade() else { return };
        match news {
            Ok(addresses) => pool.replace(&addresses),
            Err(failure) => {
                pool.resolve_failed(failure);
                drop(pool);
                sleep(PAUSE).await;
            }
        }
    }
}

fn host(url: &str) -> Option<http::uri::Authority> {
    let uri: http::Uri = url.parse().ok()?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
    (!authority.host().is_empty()).then(|| authority.clone())
}

fn with_port(authority: &http::uri::Authority) -> String {
    match authority.port() {
        Some(port) => format!("{}:{port}", authority.host()),
        None => format!("{}:80", authority.host()),
    }
}

fn bad_address(url: &str) -> Error {
    let message = format!("`{url}` is no address of a service: it wants http://host:port");
    Error::from(Reason::InvalidArgument.because("BAD_ADDRESS", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_names_one_replica_several_or_a_file() {
        let place = Place::parse("http://10.0.0.1:7401, http://[::1]:7402").unwrap();
        let Source::Fixed(addresses) = place.source else { panic!("these are no names") };
        assert_eq!(addresses, ["10.0.0.1:7401".parse().unwrap(), "[::1]:7402".parse().unwrap()]);
        assert_eq!(place.authority, "10.0.0.1:7401");
        for changing in ["http://catalog:9000", "http://catalog,http://10.0.0.1:1", "file:///etc/replicas"] {
            assert!(matches!(Place::parse(changing).unwrap().source, Source::Changing(_)), "{changing}");
        }
        for bad in ["", "catalog:9000", "https://catalog:1", "http://", "http://a:1,,http://b:1"] {
            assert_eq!(Place::parse(bad).err().unwrap().reason(), "BAD_ADDRESS", "{bad}");
        }
    }
}
