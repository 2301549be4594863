//! Policies of a file that may change while the service runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::{Policies, PolicyError};
use crate::access::authorizer::{Authorizer, Target};
use crate::access::identity::Identity;
use crate::edition::Edition;

/// How long a change of the file may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Reads the policies anew.
type Read = Box<dyn Fn() -> Result<Policies, PolicyError> + Send + Sync>;

/// The policies of a file as it is now. What is wrong with a changed file is logged, and the rules
/// that it had before go on.
pub(crate) struct LivePolicies {
    file: PathBuf,
    read: Read,
    current: RwLock<Current>,
    started: Instant,
    /// When the file was last looked at, in milliseconds since the start.
    looked: AtomicU64,
}

struct Current {
    policies: Policies,
    edition: Option<Edition>,
}

impl LivePolicies {
    /// Reads them from this file for the first time, in this way.
    pub(crate) fn open(
        file: PathBuf,
        read: impl Fn() -> Result<Policies, PolicyError> + Send + Sync + 'static,
    ) -> Result<Self, PolicyError> {
        let edition = Edition::at(&file);
        let policies = read()?;
        Ok(Self {
            file,
            read: Box::new(read),
            current: RwLock::new(Current { policies, edition }),
            started: Instant::now(),
            looked: AtomicU64::new(0),
        })
    }

    /// The rules as of a moment ago.
    fn current(&self) -> RwLockReadGuard<'_, Current> {
        if self.is_due() {
            self.look();
        }
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the file is to be looked at, by whoever asks first.
    fn is_due(&self) -> bool {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = millis(self.started.elapsed());
        let looked = self.looked.load(Ordering::Relaxed);
        now.saturating_sub(looked) >= millis(LOOK_AGAIN)
            && self
                .looked
                .compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn look(&self) {
        // First: what is written while it is read is another edition.
        let edition = Edition::at(&self.file);
        let current = self.current.read();
        if current.unwrap_or_else(PoisonError::into_inner).edition == edition {
            return;
        }
        let read = (self.read)();
        let path = self.file.display();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.edition = edition;
        match read {
            Ok(policies) => {
                current.policies = policies;
                tracing::info!(%path, "the policies are those of the file as it is now");
            }
            Err(error) => {
                tracing::error!(%path, %error, "the policies are those of the file as it was");
            }
        }
    }
}

impl Authorizer for LivePolicies {
    fn allows(&self, rule: &str, who: &Identity, target: &Target<'_>) -> bool {
        self.current().policies.allows(rule, who, target)
    }

    fn governs(&self, rule: &str) -> bool {
        self.current().policies.governs(rule)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_that_changes_counts_soon_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.yaml");
        let rule = "baremetal:node:get";
        // As editors do; a file that is written over within one tick of the file system's clock, and
        // has the same size, would look the same.
        let other = folder.path().join("other");
        let write = |check: &str| {
            fs::write(&other, format!("\"{rule}\": {check}\n")).unwrap();
            fs::rename(&other, &file).unwrap();
        };
        let read = {
            let file = file.clone();
            move || Policies::load(&file)
        };
        assert!(LivePolicies::open(file.clone(), read.clone()).is_err());
        write("'@'");
        let live = LivePolicies::open(file.clone(), read).unwrap();
        let allows = || live.allows(rule, &Identity::anonymous(), &Target::nothing());
        assert!(allows());
        write("'!'");
        assert!(allows(), "not looked at yet");
        advance(LOOK_AGAIN).await;
        assert!(!allows());
        write("'@' and and");
        advance(LOOK_AGAIN).await;
        assert!(!allows(), "as it was");
        fs::remove_file(&file).unwrap();
        advance(LOOK_AGAIN).await;
        assert!(!allows(), "as it was");
        write("'@'");
        advance(LOOK_AGAIN).await;
        assert!(allows());
        assert!(live.governs(rule) && !live.governs("baremetal:step:execute:deploy.nosuch"));
    }
}
