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

    /// Whether asking costs somebody something, so that it is left alone while there are no calls. The first call after
    /// that goes where the last ones went, and has it asked at once.
    fn rests(&self) -> bool {
        false
    }
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
                continue;
            }
        }
        if resolver.rests()
            && let Some(mut called) = pool.rest()
        {
            drop(pool);
            if called.changed().await.is_err() {
                return;
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
    use std::sync::Arc;

    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;
    use crate::meter::Sights;
    use crate::policy::balancer::Wish;
    use crate::transport::dial::Patience;

    const LONG: Duration = Duration::from_secs(20);

    /// A source that tells when it is asked, and knows one replica that nobody answers for.
    struct Asked {
        tell: mpsc::UnboundedSender<()>,
        rests: bool,
    }

    #[async_trait]
    impl Resolver for Asked {
        async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError> {
            tokio::task::yield_now().await;
            self.tell.send(())?;
            Ok(vec![([127, 0, 0, 1], 1).into()])
        }

        fn rests(&self) -> bool {
            self.rests
        }
    }

    /// C20.
    #[tokio::test]
    async fn a_source_that_rests_is_asked_once_per_call_and_no_more() {
        let (tell, mut told) = mpsc::unbounded_channel();
        let pool = Arc::new(Pool::new(Patience::default(), Sights::default()));
        let following = tokio::spawn(follow(Arc::downgrade(&pool), Box::new(Asked { tell, rests: true })));
        for _ in 0..3 {
            timeout(LONG, told.recv()).await.expect("it is asked").unwrap();
            let early = timeout(Duration::from_millis(20), told.recv()).await;
            assert!(early.is_err(), "nobody calls");
            assert!(pool.try_lease(Wish::default()).is_none());
        }
        drop(pool);
        timeout(LONG, following).await.expect("it ends with its pool").unwrap();
    }

    /// C20: a call that waits for a place is one that wants news.
    #[tokio::test]
    async fn a_source_does_not_rest_while_a_call_waits() {
        let (tell, mut told) = mpsc::unbounded_channel();
        let pool = Arc::new(Pool::new(Patience::default(), Sights::default()));
        let waits = pool.clone();
        let waiting = tokio::spawn(async move { waits.lease(Wish::default()).await });
        while pool.rest().is_some() {
            tokio::task::yield_now().await;
        }
        let following = tokio::spawn(follow(Arc::downgrade(&pool), Box::new(Asked { tell, rests: true })));
        for _ in 0..10 {
            timeout(LONG, told.recv()).await.expect("it is asked again and again").unwrap();
        }
        following.abort();
        waiting.abort();
    }

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
