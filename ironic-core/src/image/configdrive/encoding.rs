use std::io::{Read, Write};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use super::ConfigDriveError;

/// "Unknown", so that the text does not depend on where it was made (RFC 1952 §2.3.1).
const NO_OPERATING_SYSTEM: u8 = 255;

/// Padding may be missing, and the bits past the last byte may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Packs an image into the text that carries it: base64 of gzip, without a time, so that the same
/// image gives the same text.
pub fn encode(image: &[u8]) -> String {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(NO_OPERATING_SYSTEM)
        .write(Vec::new(), Compression::default());
    // Writing to memory has no way to fail.
    let _ = gzip.write_all(image);
    BASE64_STANDARD.encode(gzip.finish().unwrap_or_default())
}

/// Unpacks what [`encode`] or anybody else packed, to at most `limit` bytes. White space in the text
/// means nothing; an empty text is an empty image.
///
/// # Errors
///
/// [`ConfigDriveError`] if the text is not base64, what it holds is not gzip, or the image exceeds the limit.
pub fn decode(text: &str, limit: u64) -> Result<Vec<u8>, ConfigDriveError> {
    let dense: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let gzip = LENIENT
        .decode(dense)
        .map_err(|_| ConfigDriveError::NotBase64)?;
    let mut image = Vec::new();
    if !gzip.is_empty() {
        let mut unpacked = MultiGzDecoder::new(gzip.as_slice()).take(limit.saturating_add(1));
        unpacked
            .read_to_end(&mut image)
            .map_err(|_| ConfigDriveError::NotGzip)?;
    }
    if image.len() as u64 > limit {
        return Err(ConfigDriveError::TooLarge { limit });
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_may_be_broken_into_lines() {
        let text = encode(b"image");
        let (a, b) = text.split_at(7);
        assert_eq!(decode(&format!(" {a}\r\n{b}\n"), 5), Ok(b"image".to_vec()));
        assert_eq!(decode(text.trim_end_matches('='), 5), Ok(b"image".to_vec()));
        assert_eq!(decode("", 0), Ok(Vec::new()));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let text = encode(&vec![0; 64 << 20]);
        assert!(text.len() < 100_000);
        assert_eq!(
            decode(&text, 1000),
            Err(ConfigDriveError::TooLarge { limit: 1000 })
        );
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let text = encode(b"some image of some length");
        assert_eq!(decode("not base64!", 100), Err(ConfigDriveError::NotBase64));
        assert_eq!(
            decode(&BASE64_STANDARD.encode("not gzip"), 100),
            Err(ConfigDriveError::NotGzip)
        );
        assert_eq!(
            decode(&text[..text.len() / 8 * 4], 100),
            Err(ConfigDriveError::NotGzip)
        );
        let mut gzip = BASE64_STANDARD.decode(&text).unwrap();
        let last = gzip.len() - 5;
        gzip[last] ^= 1;
        assert_eq!(
            decode(&BASE64_STANDARD.encode(gzip), 100),
            Err(ConfigDriveError::NotGzip),
            "checksum"
        );
    }

    proptest! {
        #[test]
        fn any_image_comes_back(image: Vec<u8>) {
            let text = encode(&image);
            prop_assert_eq!(&text, &encode(&image));
            prop_assert_eq!(decode(&text, image.len() as u64), Ok(image));
        }

        #[test]
        fn any_text_is_safe(text in ".*", bytes: Vec<u8>) {
            let _ = decode(&text, 1000);
            let _ = decode(&BASE64_STANDARD.encode([&[0x1f, 0x8b, 8, 0], bytes.as_slice()].concat()), 1000);
        }
    }
}
