//! "VNC authentication": a challenge encrypted by DES under the first eight bytes of the password, bit by bit reversed.
//!
//! It keeps honest people out of each other's desktops and no more; a console belongs on a network of its own.

use des::Des;
use des::cipher::{BlockEncrypt, KeyInit};

/// What a server with this password wants to hear.
pub(super) fn answer(password: &str, challenge: [u8; 16]) -> [u8; 16] {
    let mut key = [0; 8];
    key.iter_mut().zip(password.bytes()).for_each(|(key, byte)| *key = byte.reverse_bits());
    let des = Des::new(&key.into());
    let mut answer = challenge;
    for block in answer.as_chunks_mut::<8>().0 {
        des.encrypt_block(block.into());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_password_with_its_bits_reversed() {
        // DES of zeros under a key of zeros, as FIPS tables have it: parity bits do not count.
        assert_eq!(answer("", [0; 16])[..8], [0x8c, 0xa6, 0x4d, 0xe9, 0xc1, 0xb1, 0x23, 0xa7]);
        assert_ne!(answer("a", [0; 16]), answer("b", [0; 16]));
        assert_eq!(answer("password1", [7; 16]), answer("password2", [7; 16]), "eight bytes count");
    }
}
