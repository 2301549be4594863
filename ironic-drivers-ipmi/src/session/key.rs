use std::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest password or BMC key, in bytes (IPMI 2.0 §22.30, §22.25).
pub const MAX_KEY: usize = 20;

/// A password, or a BMC key (K_g): at most [`MAX_KEY`] bytes, zeros behind them; wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; MAX_KEY]>);

/// A password or key of more than [`MAX_KEY`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key of {len} bytes is longer than {MAX_KEY}")]
pub struct KeyTooLong {
    /// How many bytes there are.
    pub len: usize,
}

impl Key {
    /// The key of those bytes.
    ///
    /// # Errors
    /// There are more than [`MAX_KEY`].
    pub fn new(secret: &[u8]) -> Result<Self, KeyTooLong> {
        let mut key = Zeroizing::new([0; MAX_KEY]);
        key.get_mut(..secret.len())
            .ok_or(KeyTooLong { len: secret.len() })?
            .copy_from_slice(secret);
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; MAX_KEY] {
        &self.0
    }

    /// The key, unless it is all zeros: such a BMC key means that there is none (IPMI 2.0 §13.33).
    #[must_use]
    pub fn non_zero(self) -> Option<Self> {
        let zero = bool::from(self.0.ct_eq(&[0; MAX_KEY]));
        (!zero).then_some(self)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
