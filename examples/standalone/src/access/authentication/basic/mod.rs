//! HTTP basic authentication by a file of users.

mod credentials;
mod users;

pub use users::UsersError;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use ironic_core::Entropy;
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::recent::{Digest, Recent};
use super::{Asked, Authenticator, Identity, Refusal};
use crate::edition::Edition;
use credentials::{Credentials, unauthorized};
use users::Users;

/// How long a password that was right need not be checked again, by far the most work of a
/// request. One that is changed in the file is checked at once.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How many right passwords are remembered.
const MOST_REMEMBERED: usize = 1024;
/// How many requests wait for their passwords to be checked; further ones are sent away.
const MOST_WAITING: usize = 256;

/// Lets in whom a file names: the lines of `htpasswd -B`, hashed by bcrypt.
///
/// A file that changes counts from the next request on. Passwords are checked by few threads at
/// a time, half of the processors, so that somebody who tries passwords does not stop the
/// service; refusing a name that there is not takes as long as refusing a wrong password.
pub struct BasicAuthenticator {
    file: Arc<UserFile>,
    right: Recent<()>,
    places: Arc<Semaphore>,
    waiting: Semaphore,
    key: Digest,
}

impl std::fmt::Debug for BasicAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BasicAuthenticator")
            .field("file", &self.file.path)
            .finish_non_exhaustive()
    }
}

/// The file, and what it said when it was last read.
struct UserFile {
    path: PathBuf,
    read: Mutex<Reading>,
}

struct Reading {
    /// None when the file could not be read.
    edition: Option<Edition>,
    users: Arc<Users>,
}

impl UserFile {
    fn open(path: &Path) -> Result<Self, UsersError> {
        let path = path.to_owned();
        let (edition, users, faults) = match Users::read(&path) {
            Ok(read) => read,
            Err(source) => return Err(UsersError::Unreadable { path, source }),
        };
        if let Some((line, wrong)) = faults.first().copied() {
            return Err(UsersError::Line { path, line, wrong });
        }
        if users.is_empty() {
            return Err(UsersError::Empty { path });
        }
        Ok(Self {
            path,
            read: Mutex::new(Reading {
                edition: Some(edition),
                users: Arc::new(users),
            }),
        })
    }

    /// The users as of now; none when the file cannot be read. Lines that came to be of no use
    /// keep out their users alone.
    fn users(&self) -> Option<Arc<Users>> {
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Edition::at(&self.path);
        if now.is_some() && last.edition == now {
            return Some(Arc::clone(&last.users));
        }
        match Users::read(&self.path) {
            Ok((edition, users, faults)) => {
                for (line, wrong) in faults {
                    let path = self.path.display();
                    tracing::error!(%path, line, "a user is kept out: {wrong}");
                }
                last.edition = Some(edition);
                last.users = Arc::new(users);
                Some(Arc::clone(&last.users))
            }
            Err(error) => {
                let path = self.path.display();
                tracing::error!(%path, %error, "the file of users cannot be read");
                last.edition = None;
                None
            }
        }
    }
}

impl BasicAuthenticator {
    /// Reads the file. Chance makes a key, by which right passwords are remembered.
    ///
    /// # Errors
    /// The file cannot be read, has nobody in it, or a line that is of no use.
    pub fn open(path: impl AsRef<Path>, entropy: &dyn Entropy) -> Result<Self, UsersError> {
        let file = Arc::new(UserFile::open(path.as_ref())?);
        let mut key = Digest::default();
        entropy.fill(&mut key);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            file,
            right: Recent::new(MOST_REMEMBERED),
            places: Arc::new(Semaphore::new((processors / 2).max(1))),
            waiting: Semaphore::new(MOST_WAITING),
            key,
        })
    }

    /// What a right password is remembered by. With the hash in it, as no other password of the
    /// user's is meant.
    fn digest(&self, parts: &[&[u8]]) -> Result<Digest, Refusal> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).map_err(|_| BROKEN)?;
        let mac = parts.iter().fold(mac, |mac, part| {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.chain_update(length.to_be_bytes()).chain_update(part)
        });
        Ok(mac.finalize().into_bytes().into())
    }

    /// Whether it is this user's password.
    async fn is_right(&self, given: &Credentials, users: &Users) -> Result<bool, Refusal> {
        let number = self.digest(&[given.name.as_bytes()])?;
        let number = number
            .iter()
            .take(4)
            .fold(0, |n, byte| (n << 8) | usize::from(*byte));
        let known = users.hash(&given.name);
        let Some(hash) = known.or_else(|| users.somebodys_hash(number)) else {
            return Ok(false);
        };
        let (name, password) = (given.name.as_bytes(), given.password.expose());
        let key = self.digest(&[name, hash.as_bytes(), password])?;
        if known.is_some() && self.right.get(&key).is_some() {
            return Ok(true);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| BUSY)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| BROKEN)?;
        // Another request may have come with it in the meantime.
        if known.is_some() && self.right.get(&key).is_some() {
            return Ok(true);
        }
        let (hash, password) = (hash.to_owned(), given.password.clone());
        let checked = tokio::task::spawn_blocking(move || {
            // The place is taken until the work is done, even when nobody waits for it any more.
            let _place = place;
            bcrypt::verify(password.expose(), &hash).unwrap_or(false)
        });
        let right = checked.await.map_err(|_| BROKEN)? && known.is_some();
        if right {
            self.right.put(key, (), Instant::now() + REMEMBERED);
        }
        Ok(right)
    }
}

/// Something failed that does not fail.
const BROKEN: Refusal = Refusal::Broken {
    message: "names and passwords cannot be checked",
};
/// Too many try at once.
const BUSY: Refusal = Refusal::Unavailable {
    message: "too many passwords are being checked",
    retry_after: Duration::from_secs(5),
};

#[async_trait]
impl Authenticator for BasicAuthenticator {
    async fn authenticate(&self, asked: Asked<'_>) -> Result<Identity, Refusal> {
        let given = Credentials::of(asked.headers)?;
        let file = Arc::clone(&self.file);
        let users = tokio::task::spawn_blocking(move || file.users()).await;
        let users = users.ok().flatten().ok_or(BROKEN)?;
        if !self.is_right(&given, &users).await? {
            tracing::info!(user = ?given.name, "a wrong name or password");
            return Err(unauthorized("the name or the password is wrong"));
        }
        // There are no roles in the file: whoever is in it may do everything.
        let mut identity = Identity::trusted();
        identity.user_id = Some(given.name.clone());
        identity.user_name = Some(given.name);
        Ok(identity)
    }
}
