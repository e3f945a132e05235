//! Page tokens: where a list goes on. Opaque to callers, bound to the list they came from.
//!
//! One version byte, a CRC-32 over the list's name and the key, the key; in URL-safe base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;

use crate::reason::bad_field;

const VERSION: u8 = 1;
/// The page size of a caller that names none.
pub const DEFAULT_SIZE: i32 = 50;
/// The largest page; a larger wish gets this.
pub const MAX_SIZE: i32 = 1000;

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many items, 1 to [`MAX_SIZE`].
    pub size: i32,
    /// Only items after this key; empty for the first page.
    pub after: String,
}

impl Page {
    /// Reads the fields `page_size` and `page_token` of a request to `list`, the list's name with its filters.
    ///
    /// # Errors
    /// INVALID_ARGUMENT naming `page_size` where it is negative, `page_token` where it is damaged or of another list.
    pub fn parse(list: &str, page_size: i32, page_token: &str) -> Result<Self, Status> {
        if page_size < 0 {
            return Err(bad_field("page_size", format!("must not be negative, is {page_size}")));
        }
        let size = if page_size == 0 { DEFAULT_SIZE } else { page_size.min(MAX_SIZE) };
        let after = if page_token.is_empty() { String::new() } else { decode(list, page_token)? };
        Ok(Self { size, after })
    }

    /// Cuts what was read, one item more than the page holds, to the page; and says whether there is more.
    #[must_use]
    pub fn cut<'a, Item>(&self, read: &'a [Item]) -> (&'a [Item], bool) {
        let size = usize::try_from(self.size).unwrap_or(0);
        (&read[..read.len().min(size)], read.len() > size)
    }
}

/// The token of the page after `last`, the key of the last item shown.
#[must_use]
pub fn next_token(list: &str, last: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(list, last).to_le_bytes());
    bytes.extend(last.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(list: &str, token: &str) -> Result<String, Status> {
    let foreign =
        || bad_field("page_token", "is not a token of this list; leave it empty for the first page");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| foreign())?;
    let Some((&[VERSION, a, b, c, d], key)) = bytes.split_first_chunk() else { return Err(foreign()) };
    let key = str::from_utf8(key).map_err(|_| foreign())?;
    if u32::from_le_bytes([a, b, c, d]) != checksum(list, key) {
        return Err(foreign());
    }
    Ok(key.to_owned())
}

fn checksum(list: &str, key: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(list.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_leads_to_the_next_page() {
        let token = next_token("users", "ALFKI");
        let page = Page { size: DEFAULT_SIZE, after: "ALFKI".to_owned() };
        assert_eq!(Page::parse("users", 0, &token).unwrap(), page);
    }

    #[test]
    fn a_foreign_or_damaged_page_token_names_the_field() {
        let foreign = next_token("products", "ALFKI");
        let damaged = next_token("users", "ALFKI").replace('A', "B");
        for token in [foreign.as_str(), &damaged, "?", "AQ", "é"] {
            let status = Page::parse("users", 0, token).unwrap_err();
            assert!(status.message().starts_with("page_token: "), "{token}: {status}");
        }
        assert!(Page::parse("users", -1, "").unwrap_err().message().starts_with("page_size: "));
        assert_eq!(Page::parse("users", i32::MAX, "").unwrap().size, MAX_SIZE);
    }
}
