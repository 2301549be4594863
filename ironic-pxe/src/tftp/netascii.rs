//! Netascii (RFC 764 as RFC 1350 §1 uses it): LF travels as CR LF, CR as CR NUL.

/// Appends text in netascii.
pub(crate) fn encode(content: &[u8], encoded: &mut Vec<u8>) {
    for byte in content {
        match byte {
            b'\n' => encoded.extend_from_slice(b"\r\n"),
            b'\r' => encoded.extend_from_slice(b"\r\0"),
            byte => encoded.push(*byte),
        }
    }
}

/// Turns netascii back, across the borders of packets.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    after_cr: bool,
}

impl Decoder {
    pub(crate) fn decode(&mut self, encoded: &[u8], content: &mut Vec<u8>) {
        for byte in encoded {
            match (std::mem::take(&mut self.after_cr), byte) {
                (true, b'\n') => content.push(b'\n'),
                (true, 0) => content.push(b'\r'),
                // Nothing else may follow a CR: it is kept as it is.
                (true, b'\r') => {
                    content.push(b'\r');
                    self.after_cr = true;
                }
                (true, byte) => content.extend_from_slice(&[b'\r', *byte]),
                (false, b'\r') => self.after_cr = true,
                (false, byte) => content.push(*byte),
            }
        }
    }

    pub(crate) fn finish(&mut self, content: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) {
            content.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(
            content in proptest::collection::vec(any::<u8>(), 0..200),
            piece in 1usize..9,
        ) {
            let mut encoded = Vec::new();
            encode(&content, &mut encoded);
            let (mut decoder, mut decoded) = (Decoder::default(), Vec::new());
            for part in encoded.chunks(piece) {
                decoder.decode(part, &mut decoded);
            }
            decoder.finish(&mut decoded);
            prop_assert_eq!(decoded, content);
        }
    }
}
