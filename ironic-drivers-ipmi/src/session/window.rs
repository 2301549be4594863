/// How far ahead of the highest number received the next may be (IPMI 2.0 §6.12.13).
const AHEAD: u32 = 15;
/// How far behind the highest number a late packet may be (IPMI 2.0 §6.12.13).
const BEHIND: u32 = 16;

/// The sequence numbers that a session still takes: 32 of them, each once (IPMI 2.0 §6.12.13).
///
/// Ask only for packets that have been authenticated, lest a forged number moves the window.
#[derive(Debug, Clone)]
pub(crate) struct SequenceWindow {
    highest: u32,
    /// Bit n stands for `highest - n`.
    seen: u32,
}

impl Default for SequenceWindow {
    /// Before the first packet: 1 to 15 may come, and nothing before them.
    fn default() -> Self {
        Self {
            highest: 0,
            seen: u32::MAX,
        }
    }
}

impl SequenceWindow {
    /// Takes the number, unless it came before, lies outside the window, or is the 0 that no session uses.
    pub(crate) fn accept(&mut self, sequence: u32) -> bool {
        if sequence == 0 {
            return false;
        }
        let ahead = sequence.wrapping_sub(self.highest);
        if (1..=AHEAD).contains(&ahead) {
            self.seen = (self.seen << ahead) | 1;
            self.highest = sequence;
            return true;
        }
        let behind = self.highest.wrapping_sub(sequence);
        if behind > BEHIND {
            return false;
        }
        let bit = 1 << behind;
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }
}

/// The numbers that one end gives to its packets: 1 first, 0 never (IPMI 2.0 §13.4).
#[derive(Debug, Clone, Default)]
pub(crate) struct SequenceCounter(u32);

impl SequenceCounter {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1).max(1);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn late_packets_are_taken_once_and_old_ones_never() {
        let mut window = SequenceWindow::default();
        assert!(!window.accept(0));
        assert!(!window.accept(u32::MAX));
        assert!(window.accept(1));
        assert!(!window.accept(1));
        assert!(window.accept(16));
        assert!(window.accept(31));
        assert!(window.accept(15));
        assert!(!window.accept(15));
        assert!(!window.accept(14));
        assert!(!window.accept(47));
        assert!(window.accept(46));
    }

    #[test]
    fn numbers_wrap_past_zero() {
        let mut window = SequenceWindow {
            highest: u32::MAX - 1,
            seen: 1,
        };
        let mut counter = SequenceCounter(u32::MAX - 1);
        assert_eq!([counter.next(), counter.next()], [u32::MAX, 1]);
        assert!(window.accept(u32::MAX));
        assert!(!window.accept(0));
        assert!(!window.accept(u32::MAX));
        assert!(window.accept(1));
        assert!(!window.accept(u32::MAX));
    }

    proptest! {
        #[test]
        fn no_number_is_taken_twice(numbers in prop::collection::vec(1u32..60, 0..200)) {
            let mut window = SequenceWindow::default();
            let mut taken = BTreeSet::new();
            for number in numbers {
                if window.accept(number) {
                    prop_assert!(taken.insert(number));
                }
            }
        }
    }
}
