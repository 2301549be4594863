//! Passwords as a Unix login keeps them: SHA-crypt with SHA-256, scheme `$5$`, and with SHA-512,
//! scheme `$6$` (U. Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6).

use sha2::{Digest, Sha256, Sha512};

use crate::config::PasswordHash;
use crate::runtime::Entropy;
use crate::secret::constant_time_eq;

/// The alphabet of crypt(5), in the order of its values.
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many characters of salt there are at most, and how many a new hash has.
const SALT: usize = 16;
/// How often the digest is taken of itself where the salt does not say.
const ROUNDS: usize = 5000;
/// Which bytes of a SHA-256 digest each group of characters is made of, the first the most
/// significant.
const GROUPS_256: [[usize; 3]; 10] = [
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
/// The same of a SHA-512 digest.
const GROUPS_512: [[usize; 3]; 21] = [
    [0, 21, 42],
    [22, 43, 1],
    [44, 2, 23],
    [3, 24, 45],
    [25, 46, 4],
    [47, 5, 26],
    [6, 27, 48],
    [28, 49, 7],
    [50, 8, 29],
    [9, 30, 51],
    [31, 52, 10],
    [53, 11, 32],
    [12, 33, 54],
    [34, 55, 13],
    [56, 14, 35],
    [15, 36, 57],
    [37, 58, 16],
    [59, 17, 38],
    [18, 39, 60],
    [40, 61, 19],
    [62, 20, 41],
];

/// The hash of a password with SHA-256 and a new salt.
pub fn hash(password: &str, entropy: &dyn Entropy) -> String {
    hash_by(PasswordHash::Sha256, password, entropy)
}

/// The hash of a password by this scheme, with a new salt.
pub fn hash_by(scheme: PasswordHash, password: &str, entropy: &dyn Entropy) -> String {
    let mut random = [0; SALT];
    entropy.fill(&mut random);
    let salt: String = random.iter().map(|byte| letter(u32::from(*byte))).collect();
    with_salt(scheme, password.as_bytes(), &salt)
}

/// Whether a login with this hash takes this password. Hashes of another scheme, or with a number
/// of rounds of their own, take none.
pub fn verify(password: &str, hashed: &str) -> bool {
    let known = |scheme| Some((scheme, hashed.strip_prefix(prefix(scheme))?));
    let found = known(PasswordHash::Sha256).or_else(|| known(PasswordHash::Sha512));
    let Some((scheme, (salt, _))) = found
        .and_then(|(scheme, rest)| Some((scheme, rest.split_once('$')?)))
        .filter(|(_, (salt, _))| !salt.starts_with("rounds="))
    else {
        return false;
    };
    let own = with_salt(scheme, password.as_bytes(), salt);
    constant_time_eq(own.as_bytes(), hashed.as_bytes())
}

/// How hashes by this scheme begin.
const fn prefix(scheme: PasswordHash) -> &'static str {
    match scheme {
        PasswordHash::Sha256 => "$5$",
        PasswordHash::Sha512 => "$6$",
    }
}

/// The hash of a password with this salt, of which 16 bytes count.
fn with_salt(scheme: PasswordHash, password: &[u8], salt: &str) -> String {
    let salt: String = salt.chars().take(SALT).collect();
    let (digest, groups, last): (_, &[[usize; 3]], _) = match scheme {
        PasswordHash::Sha256 => {
            let digest = digest::<Sha256>(password, salt.as_bytes());
            (digest, &GROUPS_256, ([31, 30].as_slice(), 3))
        }
        PasswordHash::Sha512 => {
            let digest = digest::<Sha512>(password, salt.as_bytes());
            (digest, &GROUPS_512, ([63].as_slice(), 2))
        }
    };
    let value = |places: &[usize]| {
        let bytes = places.iter().map(|at| digest.get(*at).copied());
        bytes.fold(0, |value, byte| {
            value << 8 | u32::from(byte.unwrap_or_default())
        })
    };
    let mut text = format!("{}{salt}$", prefix(scheme));
    for group in groups {
        letters(&mut text, value(group), 4);
    }
    letters(&mut text, value(last.0), last.1);
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
fn digest<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let other = D::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = D::new().chain_update(password).chain_update(salt);
    first.update(repeated(&other, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update(&other);
        } else {
            first.update(password);
        }
        bits >>= 1;
    }
    let mut digest = first.finalize();
    let mut of_password = D::new();
    for _ in 0..password.len() {
        of_password.update(password);
    }
    let password_bytes = repeated(&of_password.finalize(), password.len());
    let mut of_salt = D::new();
    let times = digest.first().copied().map_or(0, usize::from);
    for _ in 0..16 + times {
        of_salt.update(salt);
    }
    let salt_bytes = repeated(&of_salt.finalize(), salt.len());
    for round in 0..ROUNDS {
        let odd = round % 2 == 1;
        let mut next = D::new();
        next.update(if odd { &password_bytes[..] } else { &digest });
        if !round.is_multiple_of(3) {
            next.update(&salt_bytes);
        }
        if !round.is_multiple_of(7) {
            next.update(&password_bytes);
        }
        next.update(if odd { &digest } else { &password_bytes[..] });
        digest = next.finalize();
    }
    digest.to_vec()
}

/// The bytes of a digest over and over, so many of them.
fn repeated(digest: &[u8], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::{PasswordHash, hash, hash_by, verify, with_salt};
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
            assert_eq!(
                with_salt(PasswordHash::Sha256, password.as_bytes(), salt),
                wanted,
                "{password}"
            );
            assert!(verify(password, wanted));
            assert!(!verify("another", wanted));
        }
    }

    #[test]
    fn longer_hashes_are_those_of_openssl() {
        // Made with `openssl passwd -6`.
        for (password, salt, wanted) in [
            (
                "Hello world!",
                "saltstring",
                "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            ),
            (
                "a",
                "x",
                "$6$x$6Zqbz8j5rMHIeJ1ujjjFXuZXSa/VORj.fVUEQcJc.rjR9.wCKlhZuymRQLtIEzcxNmqwX/fRNvM45BbvFayY51",
            ),
            (
                "correct horse battery staple, and then some more of it to pass sixty-four",
                "abcdefghijklmnop",
                "$6$abcdefghijklmnop$8zdmuEqg64Oo6MNsW/nbx31thwuy2V9i.ZMxMxgTmQ0Y1qAAR8RMCzxWmn8Lh0mcA9hDCz7lSzoCQtKBFhFjm.",
            ),
            (
                "pässwört",
                "./AZaz09",
                "$6$./AZaz09$34JA5A.QsLWZsZxYxLOB9E3M4cqRFv6kclmZ7c3.EdfIam64oJRvx8EV1C3C7KifUc1.FrP1leH9Xq557xP1q/",
            ),
        ] {
            let hash = with_salt(PasswordHash::Sha512, password.as_bytes(), salt);
            assert_eq!(hash, wanted, "{password}");
            assert!(verify(password, wanted));
            assert!(!verify("another", wanted));
        }
    }

    #[test]
    fn what_is_no_hash_of_these_schemes_lets_nobody_in() {
        for hashed in [
            "",
            "$5$",
            "$5$x",
            "password",
            "$6$x$y",
            "$1$x$y",
            "$5$rounds=1000$x$y",
        ] {
            assert!(!verify("password", hashed), "{hashed}");
        }
    }

    #[test]
    fn each_hash_has_its_own_salt() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (hash("password", &entropy), hash("password", &entropy));
        let long = hash_by(PasswordHash::Sha512, "password", &entropy);
        assert!(long.starts_with("$6$") && long.len() == 3 + 16 + 1 + 86);
        assert!(
            one.starts_with("$5$") && one.len() == 3 + 16 + 1 + 43,
            "{one}"
        );
        assert_ne!(one, other);
    }
}
