//! Rings as JSON, well meant and not.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};

use allocation_counter::measure;
use ironic_hashring::{Grouping, HashFunction, HashRing, RingHasher, RingKey, RingSeed};
use proptest::prelude::*;
use serde::de::DeserializeSeed;
use serde_json::{Value, json};

fn read(text: &str) -> Result<HashRing, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn hosts() -> impl Strategy<Value = BTreeMap<String, u32>> {
    proptest::collection::btree_map(".{0,8}", 1u32..5, 0..6)
}

proptest! {
    #[test]
    fn a_ring_that_is_written_and_read_is_the_same(
        hosts in hosts(),
        exponent in 0u8..5,
        hash in proptest::sample::select(HashFunction::ALL),
    ) {
        let mut builder = HashRing::builder().partition_exponent(exponent).hash(hash);
        for (name, weight) in &hosts {
            builder = builder.weighted_host(name, *weight);
        }
        let ring = builder.build().expect("small ring");
        let text = serde_json::to_string(&ring).expect("text");
        prop_assert_eq!(read(&text), Ok(ring));
        let form: Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(
            form,
            json!({"partition_exponent": exponent, "hash": hash.name(), "hosts": hosts})
        );
    }

    #[test]
    fn a_key_that_is_written_and_read_is_the_same(group in proptest::option::of(".*"), hardware_type in ".*") {
        let key = match group {
            Some(group) => RingKey::new(group, hardware_type),
            None => RingKey::without_group(hardware_type),
        };
        let text = serde_json::to_string(&key).expect("text");
        prop_assert_eq!(serde_json::from_str::<RingKey>(&text).expect("key"), key);
    }

    #[test]
    fn no_text_is_a_reason_to_panic(text in ".*", cut in any::<prop::sample::Index>()) {
        let good = r#"{"partition_exponent":5,"hash":"md5","hosts":{"a":1,"b":2}}"#;
        let _ = read(&text);
        let _ = read(&good.replacen(&good[..=cut.index(good.len())], &text, 1));
        let _ = serde_json::from_str::<RingKey>(&text);
    }
}

#[test]
fn keys_and_groupings_have_readable_forms() {
    let form = |value| serde_json::to_value(value).expect("form");
    assert_eq!(
        form(RingKey::new("rack1", "ipmi")),
        json!({"group": "rack1", "hardware_type": "ipmi"})
    );
    assert_eq!(
        form(RingKey::without_group("ipmi")),
        json!({"group": null, "hardware_type": "ipmi"})
    );
    let text = serde_json::to_string(&[Grouping::ByGroup, Grouping::Ignored]).expect("text");
    assert_eq!(text, r#"["by_group","ignored"]"#);
    let read: [Grouping; 2] = serde_json::from_str(&text).expect("groupings");
    assert_eq!(read, [Grouping::ByGroup, Grouping::Ignored]);
    for bad in [r#""ByGroup""#, "0", "null"] {
        assert!(serde_json::from_str::<Grouping>(bad).is_err(), "{bad}");
    }
    let hash = |text| serde_json::from_str::<HashFunction>(text).map_err(|e| e.to_string());
    assert_eq!(hash(r#""sha256""#), Ok(HashFunction::Sha256));
    assert_eq!(
        hash(r#""crc32""#),
        Err("unknown hash function \"crc32\" at line 1 column 7".to_owned())
    );
    assert!(hash("5").is_err_and(|text| text.contains("expected the name of a hash function")));
}

#[test]
fn what_makes_no_ring_is_refused_in_words() {
    let long = format!(
        r#"{{"partition_exponent":5,"hash":"md5","hosts":{{"{}":1}}}}"#,
        "n".repeat(1021)
    );
    let cases = [
        ("[]", "invalid length 0"),
        ("{}", "missing field `partition_exponent`"),
        (
            r#"{"partition_exponent":5,"hosts":{}}"#,
            "missing field `hash`",
        ),
        (
            r#"{"partition_exponent":5,"hash":"md5"}"#,
            "missing field `hosts`",
        ),
        (
            r#"{"partition_exponent":5,"hash":"md5","hosts":{},"points":[]}"#,
            "unknown field `points`",
        ),
        (
            r#"{"partition_exponent":5,"partition_exponent":6,"hash":"md5","hosts":{}}"#,
            "duplicate field",
        ),
        (
            r#"{"partition_exponent":5,"hash":"MD5","hosts":{}}"#,
            "unknown hash function \"MD5\"",
        ),
        (
            r#"{"partition_exponent":-1,"hash":"md5","hosts":{}}"#,
            "invalid value: integer `-1`",
        ),
        (
            r#"{"partition_exponent":256,"hash":"md5","hosts":{}}"#,
            "invalid value: integer `256`",
        ),
        (
            r#"{"partition_exponent":23,"hash":"md5","hosts":{}}"#,
            "8388608 partitions, which is more than 4194304",
        ),
        (
            r#"{"partition_exponent":22,"hash":"md5","hosts":{"a":1,"b":1}}"#,
            "8388608 partitions",
        ),
        (
            r#"{"partition_exponent":0,"hash":"md5","hosts":{"a":4194305}}"#,
            "4194305 partitions",
        ),
        (
            r#"{"partition_exponent":0,"hash":"md5","hosts":{"a":0}}"#,
            "host \"a\" has a weight of zero",
        ),
        (
            r#"{"partition_exponent":0,"hash":"md5","hosts":{"a":1,"a":1}}"#,
            "host \"a\" is named twice",
        ),
        (
            r#"{"partition_exponent":0,"hash":"md5","hosts":{"a":1.5}}"#,
            "invalid type: floating point `1.5`",
        ),
        (
            r#"{"partition_exponent":0,"hash":"md5","hosts":["a"]}"#,
            "expected hosts with their weights",
        ),
        (
            long.as_str(),
            "a host's name of 1021 bytes is longer than 1020",
        ),
    ];
    for (text, expected) in cases {
        let error = read(text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// A ring with hosts of this weight without end, as a stream could bring it.
struct Endless {
    weight: u32,
    hosts: u32,
    /// What of the text is still to be read.
    text: VecDeque<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.text.is_empty() {
            self.hosts += 1;
            write!(self.text, r#""c{}":{},"#, self.hosts, self.weight)?;
        }
        self.text.read(buffer)
    }
}

#[test]
fn hosts_are_counted_as_they_come() {
    for (weight, expected, hosts) in [
        (1 << 20, "5242880 partitions", 5),
        (0, "host \"c1\" has a weight of zero", 1),
    ] {
        let mut input = Endless {
            weight,
            hosts: 0,
            text: br#"{"hosts":{"#.to_vec().into(),
        };
        let error = serde_json::from_reader::<_, HashRing>(&mut input).expect_err("endless");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(input.hosts, hosts);
    }
}

#[test]
fn a_ring_past_the_limit_is_refused_before_it_takes_memory() {
    let text = r#"{"partition_exponent":22,"hash":"md5","hosts":{"a":1,"b":4294967295}}"#;
    let mut error = None;
    let info = measure(|| error = read(text).err());
    assert!(error.is_some_and(|text| text.contains("partitions")));
    assert!(info.bytes_max < 16 << 10, "{info:?}");
}

#[derive(Clone, Default)]
struct Doubled(u64);

impl RingHasher for Doubled {
    const NAME: &'static str = "doubled";

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn position(self) -> u128 {
        u128::from(self.0) << 64 | u128::from(self.0)
    }
}

#[test]
fn a_custom_function_is_written_by_name_and_read_by_those_who_know_it() {
    let known = [HashFunction::custom::<Doubled>()];
    let ring = HashRing::builder().host("a").hash(known[0]).build();
    let ring = ring.expect("ring");
    let text = serde_json::to_string(&ring).expect("text");
    let read_with = |known: &[HashFunction], text: &str| {
        let mut text = serde_json::Deserializer::from_str(text);
        RingSeed::new(known).deserialize(&mut text)
    };
    assert_eq!(read_with(&known, &text).expect("ring"), ring);
    assert!(read(&text).is_err_and(|text| text.contains("unknown hash function \"doubled\"")));
    let md5 = text.replace("doubled", "md5");
    assert_eq!(
        read_with(&known, &md5).expect("ring").hash(),
        HashFunction::Md5
    );
}
