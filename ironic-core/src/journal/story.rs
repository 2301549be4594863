use std::collections::BTreeMap;
use std::fmt;

use uuid::Uuid;

use super::words::{clock, printable};
use super::{Entry, Gap};

/// The widest that what was asked and where the node moved may stand before a line gets ragged.
const WIDEST: usize = 48;

/// What happened, as its journal tells it: node by node, each in the order of its locks, which
/// holds across conductors whose clocks differ. Collected from an [`Incident`](super::Incident),
/// or from several, one after the other.
#[derive(Debug, Default)]
pub struct Story {
    chapters: Vec<Chapter>,
    /// Which chapter is a node's.
    of_nodes: BTreeMap<Uuid, usize>,
    gaps: Vec<Gap>,
}

#[derive(Debug)]
struct Chapter {
    node: Uuid,
    /// Each with the lock under which it was decided, or before which it was refused.
    entries: Vec<(u64, Entry)>,
}

impl Story {
    /// Every entry, node by node.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let chapters = self.chapters.iter();
        chapters.flat_map(|chapter| chapter.entries.iter().map(|(_, entry)| entry))
    }

    /// What could not be read.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Whether it tells nothing.
    pub fn is_empty(&self) -> bool {
        self.chapters.is_empty() && self.gaps.is_empty()
    }

    fn add(&mut self, entry: Entry) {
        let new = self.chapters.len();
        let at = *self.of_nodes.entry(entry.node).or_insert(new);
        if at == new {
            self.chapters.push(Chapter {
                node: entry.node,
                entries: Vec::new(),
            });
        }
        let Some(chapter) = self.chapters.get_mut(at) else {
            return;
        };
        let before = chapter.entries.last().map_or(0, |(epoch, _)| *epoch);
        let epoch = entry.epoch.unwrap_or(before);
        // After all those of the same lock: mostly at the end.
        let at = chapter
            .entries
            .partition_point(|(other, _)| *other <= epoch);
        chapter.entries.insert(at, (epoch, entry));
    }
}

impl Extend<Result<Entry, Gap>> for Story {
    fn extend<I: IntoIterator<Item = Result<Entry, Gap>>>(&mut self, told: I) {
        for told in told {
            match told {
                Ok(entry) => self.add(entry),
                Err(gap) => self.gaps.push(gap),
            }
        }
    }
}

impl FromIterator<Result<Entry, Gap>> for Story {
    fn from_iter<I: IntoIterator<Item = Result<Entry, Gap>>>(told: I) -> Self {
        let mut story = Self::default();
        story.extend(told);
        story
    }
}

impl fmt::Display for Story {
    /// Control characters, which a machine's words may have, read as blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for chapter in &self.chapters {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            chapter.tell(&mut lines);
        }
        lines.extend(self.gaps.iter().map(|gap| format!("missing: {gap}")));
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&printable(line))?;
        }
        Ok(())
    }
}

impl Chapter {
    fn tell(&self, lines: &mut Vec<String>) {
        let Some((_, first)) = self.entries.first() else {
            return;
        };
        let name = first.saw.node.name.as_ref();
        let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let (node, driver, at) = (self.node, &first.saw.node.driver, first.at);
        lines.push(format!("node {node}{name}, {driver}, from {at}"));
        let rows: Vec<_> = self.entries.iter().map(|(_, entry)| row(entry)).collect();
        let width = |cell: fn(&[String; 3]) -> &String| {
            let widths = rows.iter().map(|row| cell(row).chars().count());
            widths.max().unwrap_or(0).min(WIDEST)
        };
        let (by, asked) = (width(|[by, ..]| by), width(|[_, asked, _]| asked));
        for ((_, entry), [conductor, question, moved]) in self.entries.iter().zip(&rows) {
            let time = clock(entry.at.since(first.at));
            let line = format!("{time:>14}  {conductor:by$}  {question:asked$}  {moved}");
            lines.push(line.trim_end().to_owned());
            let details = entry.details();
            for (nth, detail) in details.iter().enumerate() {
                let branch = if nth + 1 == details.len() {
                    '└'
                } else {
                    '├'
                };
                lines.push(format!("{:by$}{branch} {detail}", "", by = by + 18));
            }
        }
    }
}

/// By whom, what was asked, and where the node moved.
fn row(entry: &Entry) -> [String; 3] {
    let (from, to) = entry.states();
    let mut moved = if from == to {
        from.to_string()
    } else {
        format!("{from} → {to}")
    };
    let target = entry.target();
    let target = target.filter(|target| from != to && *target != to && !to.is_failure());
    if let Some(target) = target {
        moved.push_str(&format!(" (towards {target})"));
    }
    [entry.conductor.clone(), entry.question(), moved]
}
