//! Cipher suites as whole triples (IPMI 2.0 §22.15.2), and the algorithm numbers behind them (§13.28).

use super::{CodecError, reader::Reader};

/// A cipher suite that this crate speaks, both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CipherSuite {
    /// Suite 3: RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128.
    Sha1Aes128,
    /// Suite 17: RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128.
    Sha256Aes128,
}

/// Start of record: a suite of the standard, in Get Channel Cipher Suites.
const STANDARD_SUITE: u8 = 0xc0;
/// Start of record: a suite of somebody's own; three bytes of enterprise number follow its id.
const OEM_SUITE: u8 = 0xc1;

impl CipherSuite {
    /// Every suite there is here, the better first.
    pub const PREFERENCE: [Self; 2] = [Self::Sha256Aes128, Self::Sha1Aes128];

    /// The suite's id (IPMI 2.0 table 22-20).
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Sha1Aes128 => 3,
            Self::Sha256Aes128 => 17,
        }
    }

    /// The suite of that id, where it is one of these.
    #[must_use]
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            3 => Some(Self::Sha1Aes128),
            17 => Some(Self::Sha256Aes128),
            _ => None,
        }
    }

    /// The algorithms' numbers.
    #[must_use]
    pub const fn algorithms(self) -> Algorithms {
        match self {
            Self::Sha1Aes128 => Algorithms {
                authentication: 1,
                integrity: 1,
                confidentiality: 1,
            },
            Self::Sha256Aes128 => Algorithms {
                authentication: 3,
                integrity: 4,
                confidentiality: 1,
            },
        }
    }

    /// The suite of just these algorithms, where it is one of these.
    #[must_use]
    pub fn from_algorithms(algorithms: Algorithms) -> Option<Self> {
        Self::PREFERENCE
            .into_iter()
            .find(|suite| suite.algorithms() == algorithms)
    }

    /// How long a key exchange authentication code is, in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1Aes128 => 20,
            Self::Sha256Aes128 => 32,
        }
    }

    /// How long a packet's authentication code and RAKP 4's check value are, in bytes.
    #[must_use]
    pub const fn integrity_len(self) -> usize {
        match self {
            Self::Sha1Aes128 => 12,
            Self::Sha256Aes128 => 16,
        }
    }

    /// Appends the suite's record as Get Channel Cipher Suites lists it.
    pub fn encode_record(self, out: &mut Vec<u8>) {
        let algorithms = self.algorithms();
        out.extend_from_slice(&[
            STANDARD_SUITE,
            self.id(),
            algorithms.authentication,
            0x40 | algorithms.integrity,
            0x80 | algorithms.confidentiality,
        ]);
    }

    /// Reads a list of records: the standard ids in order, those that are not spoken here included.
    ///
    /// # Errors
    /// The list does not start with a record, or ends inside one.
    pub fn decode_records(list: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut ids = Vec::new();
        let mut reader = Reader::new(list, "cipher suite record");
        let mut next = list.first().copied();
        while let Some(start) = next {
            reader.u8()?;
            let id = reader.u8()?;
            match start {
                STANDARD_SUITE => ids.push(id),
                OEM_SUITE => {
                    reader.take(3)?;
                }
                other => {
                    return Err(CodecError::Invalid {
                        what: "cipher suite record",
                        value: other.into(),
                    });
                }
            }
            next = loop {
                let ahead = reader.clone().u8().ok();
                match ahead {
                    Some(STANDARD_SUITE | OEM_SUITE) | None => break ahead,
                    Some(_algorithm) => reader.u8()?,
                };
            };
        }
        Ok(ids)
    }
}

/// The three algorithms' numbers as Open Session carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithms {
    /// Authentication (IPMI 2.0 table 13-17).
    pub authentication: u8,
    /// Integrity (IPMI 2.0 table 13-18).
    pub integrity: u8,
    /// Confidentiality (IPMI 2.0 table 13-19).
    pub confidentiality: u8,
}

impl Algorithms {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        for (kind, number) in [
            (0, self.authentication),
            (1, self.integrity),
            (2, self.confidentiality),
        ] {
            out.extend_from_slice(&[kind, 0, 0, 8, number & 0x3f, 0, 0, 0]);
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut numbers = [0; 3];
        for (kind, slot) in (0u8..).zip(&mut numbers) {
            let [found, _, _, len, number, _, _, _] = reader.array()?;
            if found != kind {
                return Err(CodecError::Invalid {
                    what: "algorithm payload type",
                    value: found.into(),
                });
            }
            // A length of zero leaves the choice to the other end (IPMI 2.0 §13.17); none of these does.
            *slot = if len == 0 { 0 } else { number & 0x3f };
        }
        let [authentication, integrity, confidentiality] = numbers;
        Ok(Self {
            authentication,
            integrity,
            confidentiality,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_are_whole_triples() {
        let mut list = Vec::new();
        for suite in CipherSuite::PREFERENCE {
            suite.encode_record(&mut list);
        }
        assert_eq!(
            list,
            [0xc0, 17, 0x03, 0x44, 0x81, 0xc0, 3, 0x01, 0x41, 0x81]
        );
        assert_eq!(CipherSuite::decode_records(&list), Ok(vec![17, 3]));
    }

    #[test]
    fn suites_of_somebodys_own_are_passed_over() {
        let list = [
            0xc0, 3, 1, 0x41, 0x81, 0xc1, 0x80, 1, 2, 3, 1, 0x41, 0xc0, 17, 3,
        ];
        assert_eq!(CipherSuite::decode_records(&list), Ok(vec![3, 17]));
        assert!(CipherSuite::decode_records(&[1]).is_err());
        assert!(CipherSuite::decode_records(&[0xc1, 1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn random_records_end(list: Vec<u8>) {
            let _ = CipherSuite::decode_records(&list);
        }
    }
}
