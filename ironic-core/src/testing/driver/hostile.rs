//! Values that nobody in his right mind would write.

use serde_json::{Value, json};

use crate::model::JsonMap;
use crate::runtime::{Entropy, SeededEntropy};

/// Stands for a secret that was put where it does not belong.
pub(super) const MARK: &str = "s3cr3t-0f-th3-t3st";

/// One of every sort, and some that have hurt somebody.
pub(super) fn values() -> Vec<Value> {
    let deep = (0..100).fold(json!(MARK), |inner, _| json!([inner]));
    let wide: JsonMap = (0..1000).map(|n| (format!("k{n}"), json!(n))).collect();
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(65_536),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!(" "),
        json!("\0"),
        json!("\r\nX-Injected: 1"),
        json!("../../etc/passwd"),
        json!("%s%n%00"),
        json!("'; drop table nodes; --"),
        json!("$(reboot)"),
        json!("[::1"),
        json!("http://[::1"),
        json!("//"),
        json!("é e\u{301} \u{1f5a5} \u{202e}"),
        json!("٣٤٥"),
        json!("-0"),
        json!("0x10"),
        json!("99999999999999999999999999"),
        json!("NaN"),
        json!("x".repeat(1 << 20)),
        json!([]),
        json!([MARK]),
        json!({}),
        json!({"password": MARK}),
        deep,
        Value::Object(wide),
    ]
}

/// Dice that fall the same way for the same seed.
pub(super) struct Dice(SeededEntropy);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    fn index(&self, len: usize) -> usize {
        let bound = u64::try_from(len).unwrap_or(1);
        usize::try_from(self.0.below(bound)).unwrap_or(0)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    pub(super) fn one_in(&self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    /// Text of random characters.
    pub(super) fn text(&self) -> String {
        let len = self.index(40);
        let point = || u32::try_from(self.0.below(0x300)).unwrap_or(0);
        (0..len).filter_map(|_| char::from_u32(point())).collect()
    }
}
