//! What both ends share of a session: keys, digests, sequence numbers, chance.

mod digest;
mod handshake;
mod key;
mod keys;
mod random;
mod window;

pub(crate) use digest::Digest;
pub(crate) use handshake::Handshake;
pub use key::{Key, KeyTooLong, MAX_KEY};
pub(crate) use keys::SessionKeys;
pub use random::Random;
pub(crate) use random::{fresh_id, random_bytes};
pub(crate) use window::{SequenceCounter, SequenceWindow};
