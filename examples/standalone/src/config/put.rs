//! How the value of a setting becomes the value of the field that it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ironic_core::Error;
use ironic_core::config::{CleaningStepSource, LesseeSource, PasswordHash};
use ironic_core::notify::Level;
use ironic_core::steps::PriorityOverrides;
use ironic_hashring::HashFunction;

use super::ConfigError;
use super::value::{Names, Pairs, Seconds};

/// A setting's value that goes into a field of type `T`.
pub(super) trait Put<T> {
    /// Puts it there; what is wrong with it otherwise.
    fn put(self, field: &mut T) -> Result<(), String>;
}

impl<T> Put<T> for T {
    fn put(self, field: &mut T) -> Result<(), String> {
        *field = self;
        Ok(())
    }
}

impl Put<Duration> for Seconds {
    fn put(self, field: &mut Duration) -> Result<(), String> {
        *field = self.0;
        Ok(())
    }
}

impl Put<Option<SocketAddr>> for SocketAddr {
    fn put(self, field: &mut Option<SocketAddr>) -> Result<(), String> {
        *field = Some(self);
        Ok(())
    }
}

/// An empty text is none.
impl Put<Option<PathBuf>> for String {
    fn put(self, field: &mut Option<PathBuf>) -> Result<(), String> {
        *field = Some(self)
            .filter(|text| !text.is_empty())
            .map(PathBuf::from);
        Ok(())
    }
}

/// An empty text is none.
impl Put<Option<String>> for String {
    fn put(self, field: &mut Option<String>) -> Result<(), String> {
        *field = Some(self).filter(|text| !text.is_empty());
        Ok(())
    }
}

impl Put<Vec<String>> for Names {
    fn put(self, field: &mut Vec<String>) -> Result<(), String> {
        *field = self.to_vec();
        Ok(())
    }
}

impl<T: FromStr<Err: Display> + Ord> Put<BTreeSet<T>> for Names {
    fn put(self, field: &mut BTreeSet<T>) -> Result<(), String> {
        let names = self.iter().map(|name| name.parse());
        let names: Result<_, T::Err> = names.collect();
        *field = names.map_err(|error| error.to_string())?;
        Ok(())
    }
}

impl Put<BTreeMap<String, String>> for Pairs {
    fn put(self, field: &mut BTreeMap<String, String>) -> Result<(), String> {
        field.clone_from(&self);
        Ok(())
    }
}

impl Put<PriorityOverrides> for Pairs {
    fn put(self, field: &mut PriorityOverrides) -> Result<(), String> {
        let pairs = self.iter().map(|(step, n)| (step.as_str(), n.as_str()));
        *field = PriorityOverrides::parse(pairs).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// Names of a closed set.
macro_rules! words {
    ($($type:ty,)+) => {
        $(impl Put<$type> for String {
            fn put(self, field: &mut $type) -> Result<(), String> {
                *field = self.parse().map_err(|error| format!("{error}"))?;
                Ok(())
            }
        })+
    };
}

words! {
    CleaningStepSource,
    HashFunction,
    LesseeSource,
    PasswordHash,
}

/// An empty text is none.
impl Put<Option<Level>> for String {
    fn put(self, field: &mut Option<Level>) -> Result<(), String> {
        let level = Some(self).filter(|text| !text.is_empty());
        *field = level
            .map(|text| text.parse())
            .transpose()
            .map_err(|error| format!("{error}"))?;
        Ok(())
    }
}

/// Puts a setting, if it is given, into its field.
pub(super) fn put<S: Put<T>, T>(
    section: &str,
    key: &str,
    setting: Option<S>,
    field: &mut T,
) -> Result<(), ConfigError> {
    setting
        .map_or(Ok(()), |setting| setting.put(field))
        .map_err(|what| {
            let section = section.to_ascii_lowercase();
            Error::invalid(format!("{key} in [{section}]: {what}")).into()
        })
}
