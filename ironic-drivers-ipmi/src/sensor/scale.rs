//! From a sensor's byte to a number (IPMI 2.0 §36.3).

use crate::codec::{CodecError, reader::Reader};

/// What a sensor's byte is (IPMI 2.0 table 43-1, byte 21, bits 7:6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Analog {
    /// A number from 0 to 255.
    #[default]
    Unsigned,
    /// A number from -127 to 127, in one's complement.
    OnesComplement,
    /// A number from -128 to 127, in two's complement.
    TwosComplement,
    /// No number.
    None,
}

impl Analog {
    const ALL: [Self; 4] = [
        Self::Unsigned,
        Self::OnesComplement,
        Self::TwosComplement,
        Self::None,
    ];

    /// Reads the first byte of units.
    pub(super) fn of_units(byte: u8) -> Self {
        let [unsigned, ones, twos, none] = Self::ALL;
        match byte >> 6 {
            0 => unsigned,
            1 => ones,
            2 => twos,
            _ => none,
        }
    }

    pub(super) const fn bits(self) -> u8 {
        match self {
            Self::Unsigned => 0x00,
            Self::OnesComplement => 0x40,
            Self::TwosComplement => 0x80,
            Self::None => 0xc0,
        }
    }

    /// The number that a byte is; 0 for what is no number.
    #[must_use]
    pub fn value(self, raw: u8) -> f64 {
        let signed = |byte: u8| f64::from(i8::from_ne_bytes([byte]));
        match self {
            Self::Unsigned => raw.into(),
            Self::OnesComplement if raw & 0x80 != 0 => signed(raw.wrapping_add(1)),
            Self::OnesComplement | Self::TwosComplement => signed(raw),
            Self::None => 0.0,
        }
    }

    /// The bytes that stand for no limit, below and above.
    #[must_use]
    pub const fn unlimited(self) -> Option<(u8, u8)> {
        match self {
            Self::Unsigned => Some((0x00, 0xff)),
            Self::OnesComplement => Some((0xff, 0x00)),
            Self::TwosComplement => Some((0x80, 0x7f)),
            Self::None => None,
        }
    }
}

/// How a sensor's bytes become numbers: `L((M·x + B·10^K1)·10^K2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Scale {
    /// What the bytes are.
    pub analog: Analog,
    /// The function L (IPMI 2.0 table 43-1, byte 24): 0 is none, 70h and above that the factors
    /// depend on the reading.
    pub linearization: u8,
    /// M, from -512 to 511.
    pub m: i16,
    /// B, from -512 to 511.
    pub b: i16,
    /// K1, from -8 to 7.
    pub b_exponent: i8,
    /// K2, from -8 to 7.
    pub result_exponent: i8,
    /// By how many halves of the byte's unit a reading may be wrong, 0 to 63.
    pub tolerance: u8,
}

impl Scale {
    /// Bytes that are multiplied by `m·10^exponent`.
    #[must_use]
    pub const fn linear(m: i16, exponent: i8) -> Self {
        Self {
            analog: Analog::Unsigned,
            linearization: 0,
            m,
            b: 0,
            b_exponent: 0,
            result_exponent: exponent,
            tolerance: 0,
        }
    }

    /// Whether the factors depend on the reading (IPMI 2.0 table 43-1, byte 24).
    #[must_use]
    pub const fn is_nonlinear(&self) -> bool {
        matches!(self.linearization & 0x7f, 0x70..=0x7f)
    }

    /// Takes the factors that are given in six bytes, as in a record (IPMI 2.0 table 43-1, bytes 25
    /// to 30).
    pub(crate) fn take_factors(&mut self, [m, m_tolerance, b, b_accuracy, _, exponents]: [u8; 6]) {
        self.m = ten_bits(m, m_tolerance);
        self.tolerance = m_tolerance & 0x3f;
        self.b = ten_bits(b, b_accuracy);
        self.result_exponent = four_bits(exponents >> 4);
        self.b_exponent = four_bits(exponents);
    }

    pub(super) fn factors(&self) -> [u8; 6] {
        let [m, m_high] = self.m.to_le_bytes();
        let [b, b_high] = self.b.to_le_bytes();
        let low = |exponent: i8| exponent.to_ne_bytes().map(|byte| byte & 0x0f);
        let ([result], [b_exponent]) = (low(self.result_exponent), low(self.b_exponent));
        [
            m,
            (m_high << 6) | (self.tolerance & 0x3f),
            b,
            b_high << 6,
            0,
            (result << 4) | b_exponent,
        ]
    }

    pub(super) fn decode(units: u8, reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut scale = Self {
            analog: Analog::of_units(units),
            linearization: reader.u8()?,
            ..Self::default()
        };
        scale.take_factors(reader.array()?);
        Ok(scale)
    }

    /// The number that a reading, or a threshold, stands for.
    #[must_use]
    pub fn reading(&self, raw: u8) -> f64 {
        if self.analog == Analog::None {
            return 0.0;
        }
        let x = self.analog.value(raw);
        let b = f64::from(self.b) * power_of_ten(self.b_exponent);
        self.function((f64::from(self.m) * x + b) * power_of_ten(self.result_exponent))
    }

    /// By how much a reading may be wrong, either way.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        if self.analog == Analog::None {
            return 0.0;
        }
        let half = f64::from(self.tolerance) / 2.0;
        self.function(f64::from(self.m) * half * power_of_ten(self.result_exponent))
    }

    /// The difference that a hysteresis stands for.
    #[must_use]
    pub fn hysteresis(&self, raw: u8) -> f64 {
        if self.analog == Analog::None {
            return 0.0;
        }
        let x = self.analog.value(raw);
        self.function(f64::from(self.m) * x * power_of_ten(self.result_exponent))
    }

    /// L (IPMI 2.0 table 43-1, byte 24).
    fn function(&self, x: f64) -> f64 {
        match self.linearization & 0x7f {
            1 => x.ln(),
            2 => x.log10(),
            3 => x.log2(),
            4 => x.exp(),
            5 => 10_f64.powf(x),
            6 => x.exp2(),
            7 => x.recip(),
            8 => x.powf(2.0),
            9 => x.powf(3.0),
            10 => x.sqrt(),
            11 => x.cbrt(),
            _ => x,
        }
    }
}

fn power_of_ten(exponent: i8) -> f64 {
    10_f64.powf(exponent.into())
}

/// A number of ten bits in two's complement, whose highest two are the highest of a second byte.
const fn ten_bits(low: u8, high: u8) -> i16 {
    let bits = i16::from_le_bytes([low, high >> 6]);
    bits << 6 >> 6
}

/// A number of four bits in two's complement.
const fn four_bits(bits: u8) -> i8 {
    i8::from_ne_bytes([bits << 4]) >> 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn readings_follow_the_formula() {
        let mut scale = Scale::linear(-3, -2);
        (scale.b, scale.b_exponent, scale.tolerance) = (5, 2, 1);
        for (analog, reading) in [
            (Analog::Unsigned, 1.01),
            (Analog::OnesComplement, 8.66),
            (Analog::TwosComplement, 8.69),
            (Analog::None, 0.0),
        ] {
            scale.analog = analog;
            let found = scale.reading(0x85);
            assert!((found - reading).abs() < 1e-9, "{analog:?}: {found}");
        }
        scale.analog = Analog::Unsigned;
        assert!((scale.tolerance() + 0.015).abs() < 1e-9);
    }

    #[test]
    fn every_function_is_the_standards() {
        for (linearization, expected) in [
            (0, 4.0),
            (1, 4_f64.ln()),
            (2, 4_f64.log10()),
            (3, 2.0),
            (4, 4_f64.exp()),
            (5, 10_000.0),
            (6, 16.0),
            (7, 0.25),
            (8, 16.0),
            (9, 64.0),
            (10, 2.0),
            (11, 4_f64.cbrt()),
        ] {
            let mut scale = Scale::linear(2, 0);
            scale.linearization = linearization;
            let found = scale.reading(2);
            assert!((found - expected).abs() < 1e-9, "{linearization}: {found}");
        }
    }

    proptest! {
        #[test]
        fn factors_round_trip(
            m in -512_i16..512, b in -512_i16..512, k1 in -8_i8..8, k2 in -8_i8..8, t in 0_u8..64,
        ) {
            let mut scale = Scale::linear(m, k2);
            (scale.b, scale.b_exponent, scale.tolerance) = (b, k1, t);
            let mut read = Scale::default();
            read.take_factors(scale.factors());
            prop_assert_eq!(read, scale);
        }
    }
}
