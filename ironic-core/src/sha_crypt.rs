//! Passwords as a Unix login keeps them: SHA-crypt with SHA-256, scheme `$5$` (U. Drepper, "Unix
//! crypt using SHA-256 and SHA-512", version 0.6).

use sha2::{Digest as _, Sha256};

use crate::runtime::Entropy;
use crate::secret::constant_time_eq;

/// The alphabet of crypt(5), in the order of its values.
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many characters of salt there are at most, and how many a new hash has.
const SALT: usize = 16;
/// How often the digest is taken of itself where the salt does not say.
const ROUNDS: usize = 5000;
/// Which bytes of the digest each group of characters is made of, the first the most significant.
const GROUPS: [[usize; 3]; 10] = [
    [0, 10, 20],
    [21, 1, 11],
    [12, 22, 2],
    [3, 13, 23],
    [24, 4, 14],
    [15, 25, 5],
    [6, 16, 26],
    [27, 7, 17],
    [18, 28, 8],
    [9, 19, 29],
];

/// The hash of a password, with a new salt.
pub fn hash(password: &str, entropy: &dyn Entropy) -> String {
    let mut random = [0; SALT];
    entropy.fill(&mut random);
    let salt: String = random.iter().map(|byte| letter(u32::from(*byte))).collect();
    with_salt(password.as_bytes(), &salt)
}

/// Whether a login with this hash takes this password. Hashes of another scheme, or with a number
/// of rounds of their own, take none.
pub fn verify(password: &str, hashed: &str) -> bool {
    let Some((salt, _)) = hashed
        .strip_prefix("$5$")
        .and_then(|rest| rest.split_once('$'))
        .filter(|(salt, _)| !salt.starts_with("rounds="))
    else {
        return false;
    };
    let own = with_salt(password.as_bytes(), salt);
    constant_time_eq(own.as_bytes(), hashed.as_bytes())
}

/// The hash of a password with this salt, of which 16 bytes count.
fn with_salt(password: &[u8], salt: &str) -> String {
    let salt: String = salt.chars().take(SALT).collect();
    let digest = digest(password, salt.as_bytes());
    let byte = |at: usize| u32::from(digest.get(at).copied().unwrap_or_default());
    let mut text = format!("$5${salt}$");
    for [a, b, c] in GROUPS {
        letters(&mut text, byte(a) << 16 | byte(b) << 8 | byte(c), 4);
    }
    letters(&mut text, byte(31) << 8 | byte(30), 3);
    text
}

fn letter(value: u32) -> char {
    let at = usize::try_from(value & 0x3f).unwrap_or_default();
    ALPHABET.get(at).copied().map_or('.', char::from)
}

fn letters(text: &mut String, mut value: u32, count: usize) {
    for _ in 0..count {
        text.push(letter(value));
        value >>= 6;
    }
}

/// Steps 1 to 21 of the scheme.
fn digest(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let other = Sha256::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = Sha256::new().chain_update(password).chain_update(salt);
    first.update(repeated(&other, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update(other);
        } else {
            first.update(password);
        }
        bits >>= 1;
    }
    let mut digest: [u8; 32] = first.finalize().into();
    let mut of_password = Sha256::new();
    for _ in 0..password.len() {
        of_password.update(password);
    }
    let password_bytes = repeated(&of_password.finalize(), password.len());
    let mut of_salt = Sha256::new();
    for _ in 0..16 + usize::from(digest[0]) {
        of_salt.update(salt);
    }
    let salt_bytes = repeated(&of_salt.finalize(), salt.len());
    for round in 0..ROUNDS {
        let odd = round % 2 == 1;
        let mut next = Sha256::new();
        next.update(if odd { &password_bytes[..] } else { &digest });
        if !round.is_multiple_of(3) {
            next.update(&salt_bytes);
        }
        if !round.is_multiple_of(7) {
            next.update(&password_bytes);
        }
        next.update(if odd { &digest } else { &password_bytes[..] });
        digest = next.finalize().into();
    }
    digest
}

/// The bytes of a digest over and over, so many of them.
fn repeated(digest: &[u8], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::{hash, verify, with_salt};
    use crate::runtime::SeededEntropy;

    #[test]
    fn hashes_are_those_of_openssl() {
        // Made with `openssl passwd -5`.
        for (password, salt, wanted) in [
            (
                "Hello world!",
                "saltstring",
                "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            ),
            ("a", "x", "$5$x$85aGabM7xSEYcp0wkefjwtqWAYi1Rrq3b01Gtllmmh7"),
            (
                "correct horse battery staple, and then some more of it to pass sixty-four",
                "abcdefghijklmnop",
                "$5$abcdefghijklmnop$3idKMzZGBR0EkWWpMD8WqayghB1pvjc7Fpfm8zAAUm6",
            ),
            (
                "pässwört",
                "./AZaz09",
                "$5$./AZaz09$EPgzgcW2DX8U5aBq5m6W2c9ikW.ad56aANzoSJ74El9",
            ),
            (
                "0123456789abcdef0123456789abcdef",
                "sixteencharacter",
                "$5$sixteencharacter$Cb2BDBUDhEUlm.SZ5KQ3NU5soB2pDHIxeqMsAxE7Fl6",
            ),
        ] {
            assert_eq!(with_salt(password.as_bytes(), salt), wanted, "{password}");
            assert!(verify(password, wanted));
            assert!(!verify("another", wanted));
        }
    }

    #[test]
    fn what_is_no_hash_of_this_scheme_lets_nobody_in() {
        for hashed in [
            "",
            "$5$",
            "$5$x",
            "password",
            "$6$x$y",
            "$5$rounds=1000$x$y",
        ] {
            assert!(!verify("password", hashed), "{hashed}");
        }
    }

    #[test]
    fn each_hash_has_its_own_salt() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (hash("password", &entropy), hash("password", &entropy));
        assert!(
            one.starts_with("$5$") && one.len() == 3 + 16 + 1 + 43,
            "{one}"
        );
        assert_ne!(one, other);
    }
}
