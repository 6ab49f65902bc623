//! What a client proves itself with when it comes back, and what digests are salted with: all drawn from the
//! session's own randomness.

use crate::msg::control::Resume;

/// Resume secrets: the one the client has, and the one it was last offered.
#[derive(Debug)]
pub(super) struct Secrets {
    offered: [u8; 32],
    pub(super) confirmed: Option<[u8; 32]>,
    drawn: u64,
}

impl Secrets {
    /// None drawn yet.
    pub(super) const fn new() -> Self {
        Self { offered: [0; 32], confirmed: None, drawn: 0 }
    }

    /// A secret that was never given away before.
    pub(super) fn draw(&mut self, entropy: &[u8; 32]) -> [u8; 32] {
        self.drawn += 1;
        let mut input = [0u8; 15];
        input[..7].copy_from_slice(b"resume\0");
        input[7..].copy_from_slice(&self.drawn.to_le_bytes());
        self.offered = *blake3::keyed_hash(entropy, &input).as_bytes();
        self.offered
    }

    /// The secret that `resume` proves the client to have.
    pub(super) fn proved(&self, resume: &Resume, binding: &[u8; 32]) -> Option<[u8; 32]> {
        let offered = (self.drawn > 0).then_some(self.offered);
        let mut known = offered.into_iter().chain(self.confirmed);
        known.find(|secret| blake3::Hash::from(resume.proof) == resume_proof(secret, binding))
    }

    /// A message of the client shows that it has the secret it was offered.
    pub(super) fn confirm(&mut self) {
        self.confirmed = Some(self.offered);
    }
}

/// What a client sends to prove that it has `secret`, over a connection with this TLS exporter value.
pub(super) fn resume_proof(secret: &[u8; 32], binding: &[u8; 32]) -> blake3::Hash {
    blake3::keyed_hash(secret, binding)
}

/// Salts the digests of one generation of a session's surfaces.
pub(super) fn nonce(entropy: &[u8; 32], generation: u32) -> [u8; 16] {
    let mut input = [0u8; 10];
    input[..6].copy_from_slice(b"nonce\0");
    input[6..].copy_from_slice(&generation.to_le_bytes());
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&blake3::keyed_hash(entropy, &input).as_bytes()[..16]);
    nonce
}
