//! Where a mesh is: behind its directory, or service by service where the environment says.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use freehold_sdk::{Error, Mesh, PORTS};

/// Stands for the environment where the address of a directory could.
const ENVIRONMENT: &str = "env";

/// Where a mesh is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its directory answers at this address.
    Directory(String),
    /// Each service answers at FREEHOLD_<SERVICE>_URL, or at its usual port of this machine.
    Environment,
}

impl Place {
    /// The mesh, as `consumer` sees it.
    ///
    /// # Errors
    /// What the directory fails with; an environment is not asked anything.
    pub(crate) async fn mesh(&self, consumer: &str) -> Result<Mesh, Error> {
        match self {
            Self::Directory(url) => Mesh::directory(consumer, url).await,
            Self::Environment => Ok(Mesh::from_env(consumer, PORTS)),
        }
    }
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == ENVIRONMENT { Self::Environment } else { Self::Directory(text.to_owned()) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory(url) => url,
            Self::Environment => ENVIRONMENT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_environment_has_every_service_and_is_not_asked() {
        let place: Place = "env".parse().unwrap();
        assert_eq!((place.to_string(), &place), ("env".to_owned(), &Place::Environment));
        let mesh = place.mesh("demo").await.unwrap();
        assert_eq!(mesh.services().count(), PORTS.len());
    }

    #[test]
    fn anything_else_is_a_directory() {
        let place: Place = "http://127.0.0.1:7400".parse().unwrap();
        assert_eq!(place, Place::Directory("http://127.0.0.1:7400".to_owned()));
    }
}
