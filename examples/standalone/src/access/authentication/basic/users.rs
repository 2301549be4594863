//! A file of users as `htpasswd -B` writes it: `name:hash`, a line each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bcrypt::HashParts;

use crate::edition::Edition;

/// The largest file that is read, in bytes: 100,000 users and more.
const LARGEST: u64 = 16 << 20;
/// The highest cost of a hash, as a power of two of rounds. This one takes some seconds.
const HIGHEST_COST: u32 = 16;
/// How hashes that are taken begin. There is `$2x$` as well, for those of a faulty program.
const PREFIXES: [&str; 3] = ["$2y$", "$2a$", "$2b$"];

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// The file cannot be read.
    #[error("the file of users {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of it is of no use.
    #[error("the file of users {}, line {line}: {wrong}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// Nobody could ever be let in.
    #[error("the file of users {} has no user in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The users of a file and their hashes. Prints none of them.
#[derive(Default)]
pub(super) struct Users {
    places: BTreeMap<String, usize>,
    hashes: Vec<String>,
}

/// A line that is of no use, and why.
pub(super) type Fault = (usize, &'static str);

impl Users {
    /// What a file says: the users of the lines that can be used, and the other lines. Of
    /// several lines of a user the first counts. Lines that begin with `#` or have no colon say
    /// nothing.
    pub(super) fn parse(text: &str) -> (Self, Vec<Fault>) {
        let (mut users, mut faults) = (Self::default(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.starts_with('#') {
                continue;
            }
            let Some((name, hash)) = line.split_once(':') else {
                continue;
            };
            match check(name, hash) {
                Ok(()) if users.places.contains_key(name) => {}
                Ok(()) => {
                    users.places.insert(name.to_owned(), users.hashes.len());
                    users.hashes.push(hash.to_owned());
                }
                Err(wrong) => faults.push((number, wrong)),
            }
        }
        (users, faults)
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> io::Result<(Edition, Self, Vec<Fault>)> {
        let file = File::open(path)?;
        let edition = Edition::of(&file.metadata()?);
        let mut text = String::new();
        if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is larger than 16 MiB",
            ));
        }
        let (users, faults) = Self::parse(&text);
        Ok((edition, users, faults))
    }

    /// Whether there is nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The hash of a user.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        let place = self.places.get(name)?;
        self.hashes.get(*place).map(String::as_str)
    }

    /// The hash of anybody: for one number always the same. With it, refusing a name that there
    /// is not takes as long as refusing one that there is.
    pub(super) fn somebodys_hash(&self, number: usize) -> Option<&str> {
        let at = number.checked_rem(self.hashes.len())?;
        self.hashes.get(at).map(String::as_str)
    }
}

/// What is wrong with a line, if anything is.
fn check(name: &str, hash: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it names no user");
    }
    if !PREFIXES.iter().any(|prefix| hash.starts_with(prefix)) {
        return Err("the password is not hashed by bcrypt, as `htpasswd -B` does it");
    }
    let parts = HashParts::from_str(hash).map_err(|_| "the bcrypt hash is damaged")?;
    if !(4..=HIGHEST_COST).contains(&parts.get_cost()) {
        return Err("the cost of the bcrypt hash is not from 4 to 16");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Users;

    /// `htpasswd -nbB -C 4`, password `sesame`.
    const HASH: &str = "$2y$04$FYoxqLakQB6QCKHI6xPWJumUIE76XAiGNC5GiokGfW9xQCAc15x/S";

    #[test]
    fn the_first_line_of_a_user_counts() {
        let other = HASH.replace("$2y$", "$2b$");
        let text = format!("# ours: staff\n\n  ann:{HASH}  \nbob:{other}\nann:{other}\nnobody\n");
        let (users, faults) = Users::parse(&text);
        assert_eq!(faults, []);
        assert_eq!(users.hash("ann"), Some(HASH));
        assert_eq!(users.hash("bob"), Some(&*other));
        assert_eq!(users.hash("nobody"), None);
        assert_eq!(users.hash(""), None);
        let somebody: Vec<_> = (0..3).map(|n| users.somebodys_hash(n)).collect();
        assert_eq!(somebody, [Some(HASH), Some(&*other), Some(HASH)]);
    }

    #[test]
    fn what_is_no_bcrypt_hash_is_told_by_its_line() {
        for (hash, word) in [
            ("sesame", "not hashed by bcrypt"),
            ("$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", "not hashed"),
            ("{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=", "not hashed"),
            (&HASH.replace("$2y$", "$2x$"), "not hashed"),
            (HASH.get(..59).unwrap(), "damaged"),
            (&HASH.replace("$04$", "$31$"), "cost"),
            (&HASH.replace("$04$", "$03$"), "cost"),
            ("", "not hashed"),
        ] {
            let (users, faults) = Users::parse(&format!("ann:{HASH}\nbob:{hash}\n"));
            assert!(users.hash("ann").is_some() && users.hash("bob").is_none());
            let [(2, wrong)] = faults[..] else {
                panic!("{hash}: {faults:?}");
            };
            assert!(wrong.contains(word), "{hash}: {wrong}");
        }
        let (users, faults) = Users::parse(&format!(":{HASH}\n"));
        assert!(users.is_empty() && faults.len() == 1);
        assert_eq!(users.somebodys_hash(7), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,300}") {
            let _ = Users::parse(&text);
        }
    }
}
