use crate::figure::grouped;

/// A linear axis from zero at one place to the highest value at another.
#[derive(Debug)]
pub(super) struct Linear {
    high: f64,
    from: f64,
    to: f64,
}

impl Linear {
    /// Up to a whole number of ticks, the highest of these values below it.
    pub(super) fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let most = values.fold(0.0, f64::max);
        let high = if most > 0.0 { most } else { 1.0 };
        Self { high, from, to }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + value / self.high * (self.to - self.from)
    }

    /// Five or so round values: their places, and what they are called.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let rough = self.high / 5.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0].map(|step| step * decade);
        let step = round.into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * decade);
        let values = (0..).map(|n| f64::from(n) * step);
        values
            .take_while(|value| *value <= self.high * (1.0 + 1e-9))
            .map(|value| (self.at(value), grouped(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Linear;

    #[test]
    fn ticks_are_round_and_within() {
        for (high, expected) in [
            (3.2, vec!["0", "1", "2", "3"]),
            (13_500.0, vec!["0", "5,000", "10,000"]),
            (120.0, vec!["0", "50", "100"]),
            (1.0, vec!["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (0.0, vec!["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ] {
            let axis = Linear::over([high].into_iter(), 0.0, 100.0);
            let labels: Vec<_> = axis.ticks().into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels, expected, "{high}");
            assert!(
                axis.ticks()
                    .iter()
                    .all(|(at, _)| (0.0..=100.0).contains(at))
            );
        }
    }
}
