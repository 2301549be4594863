//! How two plans differ.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Plan, PlanItem};

/// An item of one of two plans, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", content = "item", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanChange {
    /// Both have it.
    Same(PlanItem),
    /// Only the earlier one has it.
    Removed(PlanItem),
    /// Only the later one has it.
    Added(PlanItem),
}

/// The items of two plans side by side: what both have in their common order, and between that
/// what only one of them has, the earlier one's first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanDiff {
    /// All of them.
    pub changes: Vec<PlanChange>,
}

impl PlanDiff {
    /// By a longest common subsequence, found in time and memory of the product of both lengths.
    pub(super) fn between(earlier: &Plan, later: &Plan) -> Self {
        let (old, new) = (&earlier.items, &later.items);
        // How long the common rest is from each pair of places.
        let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
        let at = |common: &[Vec<usize>], i: usize, j: usize| -> usize {
            let row = common.get(i).map_or(&[][..], Vec::as_slice);
            row.get(j).copied().unwrap_or_default()
        };
        for (i, a) in old.iter().enumerate().rev() {
            for (j, b) in new.iter().enumerate().rev() {
                let length = if a == b {
                    at(&common, i + 1, j + 1) + 1
                } else {
                    at(&common, i + 1, j).max(at(&common, i, j + 1))
                };
                if let Some(cell) = common.get_mut(i).and_then(|row| row.get_mut(j)) {
                    *cell = length;
                }
            }
        }
        let (mut i, mut j) = (0, 0);
        let mut changes = Vec::new();
        loop {
            changes.push(match (old.get(i), new.get(j)) {
                (None, None) => return Self { changes },
                (Some(a), Some(b)) if a == b => {
                    (i, j) = (i + 1, j + 1);
                    PlanChange::Same(a.clone())
                }
                (Some(a), b) if b.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                    i += 1;
                    PlanChange::Removed(a.clone())
                }
                (_, Some(b)) => {
                    j += 1;
                    PlanChange::Added(b.clone())
                }
                (Some(a), None) => {
                    i += 1;
                    PlanChange::Removed(a.clone())
                }
            });
        }
    }

    /// Whether both plans do the same.
    pub fn is_empty(&self) -> bool {
        let same = |change: &PlanChange| matches!(change, PlanChange::Same(_));
        self.changes.iter().all(same)
    }
}

impl fmt::Display for PlanDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| match change {
            PlanChange::Same(item) => writeln!(f, "  {item}"),
            PlanChange::Removed(item) => writeln!(f, "- {item}"),
            PlanChange::Added(item) => writeln!(f, "+ {item}"),
        })
    }
}
