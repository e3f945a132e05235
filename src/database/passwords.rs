//! Passwords that nobody has to remember, from the system's own source of chance.

use std::fs::File;
use std::io::{self, Read};

/// 160 bits in hexadecimal.
pub(crate) fn draw() -> io::Result<String> {
    let mut bytes = [0_u8; 20];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let (one, other) = (draw().unwrap(), draw().unwrap());
        assert!(one != other && one.len() == 40 && one.chars().all(|letter| letter.is_ascii_alphanumeric()));
    }
}
