use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use zeroize::Zeroizing;

use super::Digest;
use crate::codec::{
    CipherSuite, CodecError, PayloadType, ProtectedPacket,
    packet::{NEXT_HEADER, encode_inside},
    rmcp::ipmi_header,
};

const BLOCK: usize = 16;

/// The keys of one session: they seal what leaves and open what comes (IPMI 2.0 §13.28 to §13.32).
#[derive(Debug, Clone)]
pub(crate) struct SessionKeys {
    suite: CipherSuite,
    integrity: Digest,
    confidentiality: Digest,
}

impl SessionKeys {
    /// Derives K1 and K2 from the session integrity key.
    pub(crate) fn derive(suite: CipherSuite, sik: &Digest) -> Self {
        Self {
            suite,
            integrity: Digest::hmac(suite, sik.bytes(), &[&[0x01; 20]]),
            confidentiality: Digest::hmac(suite, sik.bytes(), &[&[0x02; 20]]),
        }
    }

    /// A whole datagram: the payload encrypted under `iv`, and authenticated.
    pub(crate) fn seal(
        &self,
        kind: PayloadType,
        session: u32,
        sequence: u32,
        plain: &[u8],
        iv: [u8; BLOCK],
    ) -> Result<Vec<u8>, CodecError> {
        let payload = self.encrypt(plain, iv)?;
        let mut out = ipmi_header(12 + payload.len() + 8 + BLOCK);
        let start = out.len();
        encode_inside(&mut out, kind, session, sequence, &payload);
        // With the pad length and the next header, what is covered is a multiple of four bytes.
        let pad = (4 - (out.len() - start + 2) % 4) % 4;
        out.extend(std::iter::repeat_n(0xff, pad));
        out.extend_from_slice(&[u8::try_from(pad).unwrap_or(0), NEXT_HEADER]);
        let covered = out.get(start..).unwrap_or_default();
        let code = Digest::hmac(self.suite, self.integrity.bytes(), &[covered]);
        out.extend_from_slice(code.truncated(self.suite.integrity_len()));
        Ok(out)
    }

    /// The payload in the clear, once the packet has proved that it comes from the other end.
    ///
    /// # Errors
    /// The packet is not authenticated or not encrypted, its code is wrong, or its padding is.
    pub(crate) fn open(
        &self,
        packet: &ProtectedPacket<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, CodecError> {
        if !packet.authenticated || !packet.encrypted {
            return Err(CodecError::Integrity);
        }
        let code_len = self.suite.integrity_len();
        let (covered, code) = packet
            .whole
            .len()
            .checked_sub(code_len)
            .and_then(|at| packet.whole.split_at_checked(at))
            .ok_or(CodecError::Integrity)?;
        if !Digest::hmac(self.suite, self.integrity.bytes(), &[covered]).matches(code, code_len) {
            return Err(CodecError::Integrity);
        }
        let trailer = covered
            .get(packet.unpadded..)
            .ok_or(CodecError::Integrity)?;
        let [pad @ .., pad_len, NEXT_HEADER] = trailer else {
            return Err(CodecError::Integrity);
        };
        if pad.len() != usize::from(*pad_len) {
            return Err(CodecError::Integrity);
        }
        self.decrypt(packet.payload)
    }

    fn cipher_key(&self) -> Zeroizing<[u8; BLOCK]> {
        let mut key = Zeroizing::new([0; BLOCK]);
        for (slot, byte) in key.iter_mut().zip(self.confidentiality.bytes()) {
            *slot = *byte;
        }
        key
    }

    /// The initialization vector, then message, pad bytes 1, 2, 3 …, and their count (IPMI 2.0 table 13-20).
    fn encrypt(&self, plain: &[u8], iv: [u8; BLOCK]) -> Result<Vec<u8>, CodecError> {
        let pad = (BLOCK - (plain.len() + 1) % BLOCK) % BLOCK;
        let mut padded = Zeroizing::new(plain.to_vec());
        padded.extend((1u8..).take(pad));
        padded.push(u8::try_from(pad).unwrap_or(0));
        let len = padded.len();
        cbc::Encryptor::<Aes128>::new((&*self.cipher_key()).into(), &iv.into())
            .encrypt_padded::<NoPadding>(&mut padded, len)
            .map_err(|_unpadded| CodecError::Confidentiality)?;
        let mut out = Vec::with_capacity(BLOCK + len);
        out.extend_from_slice(&iv);
        out.extend_from_slice(&padded);
        Ok(out)
    }

    fn decrypt(&self, payload: &[u8]) -> Result<Zeroizing<Vec<u8>>, CodecError> {
        let (iv, body) = payload
            .split_first_chunk::<BLOCK>()
            .ok_or(CodecError::Confidentiality)?;
        let mut plain = Zeroizing::new(body.to_vec());
        cbc::Decryptor::<Aes128>::new((&*self.cipher_key()).into(), iv.into())
            .decrypt_padded::<NoPadding>(&mut plain)
            .map_err(|_partial| CodecError::Confidentiality)?;
        let pad = usize::from(plain.pop().ok_or(CodecError::Confidentiality)?);
        let len = plain
            .len()
            .checked_sub(pad)
            .filter(|_| pad < BLOCK)
            .ok_or(CodecError::Confidentiality)?;
        let counts_up = plain
            .get(len..)
            .unwrap_or_default()
            .iter()
            .copied()
            .eq((1u8..).take(pad));
        if !counts_up {
            return Err(CodecError::Confidentiality);
        }
        plain.truncate(len);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{Packet, Rmcp};

    fn keys(suite: CipherSuite) -> SessionKeys {
        SessionKeys::derive(suite, &Digest::hmac(suite, b"key", &[b"sik"]))
    }

    fn open(keys: &SessionKeys, datagram: &[u8]) -> Option<Vec<u8>> {
        let Ok(Rmcp::Ipmi(packet)) = Rmcp::decode(datagram) else {
            return None;
        };
        match Packet::decode(packet) {
            Ok(Packet::Inside(packet)) => keys.open(&packet).ok().map(|plain| plain.to_vec()),
            _ => None,
        }
    }

    fn suites() -> impl Strategy<Value = CipherSuite> {
        prop::sample::select(CipherSuite::PREFERENCE.to_vec())
    }

    proptest! {
        #[test]
        fn sealed_payloads_open(suite in suites(), plain in prop::collection::vec(any::<u8>(), 0..300), iv: [u8; 16], sequence: u32) {
            let keys = keys(suite);
            let datagram = keys.seal(PayloadType::Ipmi, 7, sequence, &plain, iv).unwrap();
            prop_assert_eq!((datagram.len() - 4 - suite.integrity_len()) % 4, 0);
            prop_assert_eq!(open(&keys, &datagram), Some(plain));
        }

        #[test]
        fn any_flipped_bit_closes_them(suite in suites(), plain in prop::collection::vec(any::<u8>(), 0..40), bit: prop::sample::Index) {
            let keys = keys(suite);
            let mut datagram = keys.seal(PayloadType::Ipmi, 7, 1, &plain, [3; 16]).unwrap();
            // The first four bytes are RMCP's and nobody's to protect.
            let bit = 32 + bit.index((datagram.len() - 4) * 8);
            datagram[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open(&keys, &datagram), None);
        }

        #[test]
        fn random_bytes_never_open(suite in suites(), bytes: Vec<u8>) {
            let mut datagram = vec![6, 0, 0xff, 7, 6, 0xc0];
            datagram.extend_from_slice(&bytes);
            prop_assert_eq!(open(&keys(suite), &datagram), None);
        }

        #[test]
        fn decryption_survives_whatever_it_is_given(suite in suites(), bytes: Vec<u8>) {
            let _ = keys(suite).decrypt(&bytes);
        }
    }
}
