use std::iter::Peekable;

/// One partition of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Index into the hosts.
    pub(crate) host: u32,
    /// Steps back to the host's previous point; the circle's length where it has no other. A walk
    /// meets the host for the first time exactly if it has taken fewer steps than this.
    pub(crate) gap: u32,
}

/// The points of all hosts, in order of position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Circle {
    /// Ascending, each once.
    positions: Vec<u128>,
    /// What stands at each position.
    points: Vec<Point>,
    /// Points whose position an earlier host has, ascending. They come back when that host leaves.
    shadowed: Vec<(u128, u32)>,
    /// For each value of the leading bits, the first position with at least these; then the length.
    starts: Vec<u32>,
    /// How far right to shift the upper half of a position to get its leading bits.
    shift: u32,
}

impl Circle {
    /// Takes pairs of position and host, ascending and each once; about `expected` of them.
    pub(crate) fn new(
        pairs: impl Iterator<Item = (u128, u32)>,
        expected: usize,
        host_count: usize,
    ) -> Self {
        let mut positions = Vec::with_capacity(expected);
        let mut points = Vec::with_capacity(expected);
        let mut shadowed = Vec::new();
        for (position, host) in pairs {
            // Names that repeat one another ("a", "aa") share points.
            if positions.last() == Some(&position) {
                shadowed.push((position, host));
            } else {
                positions.push(position);
                points.push(Point { host, gap: 0 });
            }
        }
        link(&mut points, host_count);
        // About one point to each value of the leading bits.
        let bits = positions.len().next_power_of_two().ilog2().max(1);
        let shift = u64::BITS - bits;
        Self {
            starts: starts(&positions, shift, 1 << bits),
            shift,
            positions,
            points,
            shadowed,
        }
    }

    /// Pairs of position and host, ascending and each once: what [`new`](Self::new) took.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (u128, u32)> {
        let seen = self.positions.iter().zip(&self.points);
        merge(
            seen.map(|(position, point)| (*position, point.host)),
            self.shadowed.iter().copied(),
        )
    }

    /// Index of the first point clockwise of a position, strictly after it; 0 past the last.
    pub(crate) fn after(&self, position: u128) -> usize {
        let bucket = leading(position, self.shift);
        // The table has a place for every value of the leading bits, and one more.
        let Some(&[from, to]) = self.starts.get(bucket..bucket + 2) else {
            return 0;
        };
        let (from, to) = (from as usize, to as usize);
        let near = self.positions.get(from..to).unwrap_or_default();
        let index = from + near.partition_point(|point| *point <= position);
        if index < self.positions.len() {
            index
        } else {
            0
        }
    }

    pub(crate) fn positions(&self) -> &[u128] {
        &self.positions
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }
}

/// The leading bits of a position, as many as the shift leaves of its upper half.
fn leading(position: u128, shift: u32) -> usize {
    (((position >> 64) as u64) >> shift) as usize
}

fn starts(positions: &[u128], shift: u32, buckets: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(buckets + 1);
    for (index, position) in (0u32..).zip(positions) {
        starts.resize(starts.len().max(leading(*position, shift) + 1), index);
    }
    // The limit on partitions keeps the length far below u32::MAX.
    starts.resize(
        buckets + 1,
        u32::try_from(positions.len()).unwrap_or(u32::MAX),
    );
    starts
}

/// Tells each point how far back its host stood last.
fn link(points: &mut [Point], host_count: usize) {
    let length = u32::try_from(points.len()).unwrap_or(u32::MAX);
    let mut last_seen: Vec<Option<u32>> = vec![None; host_count];
    let mut note = |host: u32, index: u32| {
        last_seen
            .get_mut(host as usize)
            .and_then(|seen| seen.replace(index))
    };
    // The first lap finds where each host stands last, which is what precedes its first point.
    for (index, point) in (0..length).zip(points.iter()) {
        note(point.host, index);
    }
    for (index, point) in (0..length).zip(points) {
        point.gap = match note(point.host, index) {
            Some(before) if before < index => index - before,
            Some(before) => index + length - before,
            None => length,
        };
    }
}

/// Joins two ascending sequences into one.
pub(crate) fn merge<T: Ord>(
    left: impl Iterator<Item = T>,
    right: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut left, mut right): (Peekable<_>, Peekable<_>) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(l), Some(r)) if l > r => right.next(),
        (None, _) => right.next(),
        _ => left.next(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn circle(pairs: &[(u128, u32)]) -> Circle {
        let hosts = pairs.iter().map(|(_, host)| *host as usize + 1).max();
        Circle::new(pairs.iter().copied(), pairs.len(), hosts.unwrap_or(0))
    }

    #[test]
    fn gaps_count_steps_back_around_the_circle() {
        let gaps: Vec<u32> = circle(&[(1, 0), (2, 1), (3, 0), (4, 2), (5, 0)])
            .points()
            .iter()
            .map(|point| point.gap)
            .collect();
        assert_eq!(gaps, [1, 5, 2, 5, 2]);
    }

    #[test]
    fn the_host_that_sorts_first_has_a_shared_point_and_none_is_forgotten() {
        let pairs = [(1, 0), (1, 2), (2, 1), (u128::MAX, 0), (u128::MAX, 1)];
        let circle = circle(&pairs);
        let seen: Vec<u32> = circle.points().iter().map(|point| point.host).collect();
        assert_eq!(circle.positions(), [1, 2, u128::MAX]);
        assert_eq!(seen, [0, 1, 0]);
        assert_eq!(circle.pairs().collect::<Vec<_>>(), pairs);
    }

    #[test]
    fn the_table_leaves_few_points_to_search() {
        // Spread as a hash would, by a multiplier that is odd and without a pattern.
        let mut positions: Vec<u128> = (1..=20_480u128)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            .collect();
        positions.sort_unstable();
        let pairs: Vec<_> = positions.iter().map(|position| (*position, 0)).collect();
        let circle = circle(&pairs);
        let most = circle.starts.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(most <= Some(4), "{most:?} points of one start");
        assert!(circle.starts.len() <= 2 * positions.len());
    }

    proptest! {
        /// Few leading bits in use, all of them, and all at the edges of what a table could hold.
        #[test]
        fn the_next_point_is_the_one_that_a_search_of_all_finds(
            mut positions in prop_oneof![
                proptest::collection::vec(any::<u128>(), 0..200),
                proptest::collection::vec(0u128..300, 0..200),
                proptest::collection::vec((0u32..128).prop_map(|bit| 1 << bit), 0..200),
                proptest::collection::vec((0u128..300).prop_map(|down| u128::MAX - down), 0..200),
            ],
            far in any::<u128>(),
        ) {
            positions.sort_unstable();
            positions.dedup();
            let pairs: Vec<_> = positions.iter().map(|position| (*position, 0)).collect();
            let circle = circle(&pairs);
            let near = positions
                .iter()
                .flat_map(|p| [*p, p.saturating_sub(1), p.saturating_add(1)]);
            for position in near.chain([0, far, u128::MAX]) {
                let next = positions.iter().position(|p| *p > position).unwrap_or(0);
                prop_assert_eq!(circle.after(position), next);
            }
        }
    }
}
