use std::collections::BTreeMap;
use std::time::Duration;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Read,
    List,
    Patch,
    Verb,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::List, Self::Patch, Self::Verb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "reads of one node",
            Self::List => "lists of 100",
            Self::Patch => "patches",
            Self::Verb => "deploy or undeploy",
        }
    }
}

/// How long clients have waited for each answer, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    micros: BTreeMap<Kind, Vec<u32>>,
    errors: Vec<String>,
}

impl Waits {
    pub(crate) fn add(&mut self, kind: Kind, wait: Duration) {
        let micros = u32::try_from(wait.as_micros()).unwrap_or(u32::MAX);
        self.micros.entry(kind).or_default().push(micros);
    }

    pub(crate) fn fail(&mut self, error: String) {
        self.errors.push(error);
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (kind, micros) in other.micros {
            self.micros.entry(kind).or_default().extend(micros);
        }
        self.errors.extend(other.errors);
    }

    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Those of one kind, or of all, from the shortest to the longest.
    pub(crate) fn sorted(&self, kind: Option<Kind>) -> Sorted {
        let all = self.micros.iter();
        let all = all.filter(|(of, _)| kind.is_none_or(|kind| kind == **of));
        let mut micros: Vec<u32> = all.flat_map(|(_, micros)| micros).copied().collect();
        micros.sort_unstable();
        Sorted(micros)
    }
}

/// Waits from the shortest to the longest.
#[derive(Debug)]
pub(crate) struct Sorted(Vec<u32>);

impl Sorted {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The milliseconds that this part of them did not take longer than: 1.0 is the longest.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let micros = self.0.get((last as f64 * part).ceil() as usize);
        micros.map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    }
}
