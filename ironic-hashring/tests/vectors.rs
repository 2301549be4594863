//! Compares placement with cases that the original computed.
#![allow(
    clippy::disallowed_methods,
    reason = "the folder of further cases is named in the environment"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its count"
)]

use std::path::PathBuf;

use ironic_hashring::{
    Grouping, HashFunction, HashRing, HashRingBuilder, Member, Rings, RouteError,
};
use serde_json::{Map, Value, json};

fn cases() -> Vec<Value> {
    let folder = std::env::var_os("IRONIC_VECTORS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../ironic-core/tests/vectors"
            ))
        },
        PathBuf::from,
    );
    let path = folder.join("hashring.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).expect("hashring.json is JSON");
    file["cases"].as_array().expect("cases").clone()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|list| {
            list.iter()
                .map(|item| item.as_str().expect("string"))
                .collect()
        })
        .unwrap_or_default()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("number")).expect("small number")
}

/// A builder with the case's hash function and number of partitions, which is a power of two.
fn settings(case: &Value) -> Result<HashRingBuilder, String> {
    let hash: HashFunction = case["hash"]
        .as_str()
        .unwrap_or("md5")
        .parse()
        .map_err(|error| format!("{error}"))?;
    let exponent = match (
        case["partitions"].as_u64(),
        case["partition_exponent"].as_u64(),
    ) {
        (Some(partitions), _) if partitions.is_power_of_two() => partitions.ilog2(),
        (Some(partitions), _) => return Err(format!("{partitions} partitions")),
        (None, Some(exponent)) => u32::try_from(exponent).expect("small exponent"),
        (None, None) => HashRing::DEFAULT_PARTITION_EXPONENT.into(),
    };
    Ok(HashRing::builder()
        .hash(hash)
        .partition_exponent(u8::try_from(exponent).expect("small exponent")))
}

fn build(builder: HashRingBuilder) -> Result<HashRing, String> {
    builder.build().map_err(|error| error.to_string())
}

fn owners_of_keys(ring: &HashRing, case: &Value) -> Value {
    let ignore = strings(&case["ignore"]);
    let replicas = number(&case["replicas"]);
    let keys = case["expect"]["keys"].as_object().expect("keys");
    keys.keys()
        .map(|key| {
            (
                key.clone(),
                json!(
                    ring.owners(key, replicas, |host| ignore.contains(&host))
                        .collect::<Vec<_>>()
                ),
            )
        })
        .collect::<Map<_, _>>()
        .into()
}

fn owner_of_keys(ring: &HashRing, keys: &Value) -> Value {
    let keys = keys.as_object().expect("keys");
    keys.keys()
        .map(|key| (key.clone(), json!(ring.owner(key))))
        .collect::<Map<_, _>>()
        .into()
}

fn tooz_ring(case: &Value) -> Result<Value, String> {
    let ring = build(settings(case)?.hosts(strings(&case["hosts"])))?;
    Ok(json!({"ring_len": ring.partitions().len(), "keys": owners_of_keys(&ring, case)}))
}

fn tooz_weighted(case: &Value) -> Result<Value, String> {
    let weights = case["weights"].as_object().expect("weights");
    let mut builder = settings(case)?;
    for (host, weight) in weights {
        builder = builder.weighted_host(host, u32::try_from(number(weight)).expect("small weight"));
    }
    for host in strings(&case["removed"]) {
        builder = build(builder)?.to_builder().remove_host(host);
    }
    let ring = build(builder)?;
    Ok(json!({"ring_len": ring.partitions().len(), "keys": owners_of_keys(&ring, case)}))
}

fn ironic_5_1_ring(case: &Value) -> Result<Value, String> {
    let ring = build(settings(case)?.hosts(strings(&case["hosts"])))?;
    Ok(json!({"keys": owners_of_keys(&ring, case)}))
}

fn ring_dump(case: &Value) -> Result<Value, String> {
    let ring = build(settings(case)?.hosts(strings(&case["hosts"])))?;
    let points: Vec<Value> = ring
        .partitions()
        .map(|(position, host)| json!([format!("{position:032x}"), host]))
        .collect();
    Ok(json!({"ring": points}))
}

fn host_removed(case: &Value) -> Result<Value, String> {
    let before = build(settings(case)?.hosts(strings(&case["hosts"])))?;
    let after = build(
        before
            .to_builder()
            .remove_host(case["removed"].as_str().expect("host")),
    )?;
    Ok(json!({
        "before": owner_of_keys(&before, &case["expect"]["before"]),
        "after": owner_of_keys(&after, &case["expect"]["after"]),
    }))
}

/// Rings of those conductors that are online; each is (host, group, hardware types, online).
fn rings<'a>(
    grouping: Grouping,
    conductors: &[(&'a str, &'a str, Vec<&'a str>, bool)],
) -> Result<Rings, String> {
    let online = conductors.iter().filter(|(.., online)| *online);
    let members = online.map(|(host, group, types, _)| Member::new(host, group, types));
    Rings::new(grouping, &HashRing::builder(), members).map_err(|error| error.to_string())
}

fn rings_by_key(case: &Value) -> Result<Value, String> {
    let grouping = if case["use_groups"] == true {
        Grouping::ByGroup
    } else {
        Grouping::Ignored
    };
    let conductors: Vec<_> = case["conductors"]
        .as_array()
        .expect("conductors")
        .iter()
        .map(|conductor| {
            (
                conductor["hostname"].as_str().expect("hostname"),
                conductor["conductor_group"].as_str().expect("group"),
                strings(&conductor["hardware_types"]),
                conductor["online"].as_bool().expect("online"),
            )
        })
        .collect();
    let rings = rings(grouping, &conductors)?;
    let hosts: Map<String, Value> = rings
        .iter()
        .map(|(key, ring)| (key.to_string(), json!(ring.hosts().collect::<Vec<_>>())))
        .collect();
    Ok(json!({"rings": hosts}))
}

fn conductor_for_node(case: &Value) -> Result<Value, String> {
    let conductors: Vec<_> = case["layout"]
        .as_array()
        .expect("layout")
        .iter()
        .map(|conductor| {
            (
                conductor[0].as_str().expect("hostname"),
                conductor[1].as_str().expect("group"),
                strings(&conductor[2]),
                conductor[3].as_bool().expect("online"),
            )
        })
        .collect();
    let text = |name: &str| case[name].as_str().expect(name).to_owned();
    let rings = rings(Grouping::ByGroup, &conductors)?;
    Ok(
        match rings.owner(&text("conductor_group"), &text("driver"), &text("uuid")) {
            Ok(host) => json!({"ok": host, "topic": format!("ironic.conductor_manager.{host}")}),
            Err(RouteError::NoConductors) => json!({"error": "TemporaryFailure", "code": 503}),
            Err(_) => json!({"error": "NoValidHost", "code": 404}),
        },
    )
}

fn bad_hash(case: &Value) -> Result<Value, String> {
    settings(case)
        .map(|_| json!("accepted"))
        .or_else(|_| Ok(json!({"error": "ValueError"})))
}

fn answer(case: &Value) -> Result<Value, String> {
    match case["kind"].as_str().expect("kind") {
        "tooz_ring" => tooz_ring(case),
        "tooz_weighted" => tooz_weighted(case),
        "ironic_5_1_ring" => ironic_5_1_ring(case),
        "ring_dump" => ring_dump(case),
        "host_removed" => host_removed(case),
        "rings_by_key" => rings_by_key(case),
        "conductor_for_node" => conductor_for_node(case),
        "bad_hash" => bad_hash(case),
        kind => Err(format!("unknown kind {kind}")),
    }
}

#[test]
fn hashring() {
    let cases = cases();
    let mut misses = Vec::new();
    for case in &cases {
        let got = answer(case);
        if got.as_ref() != Ok(&case["expect"]) {
            misses.push(format!(
                "{}: {got:?}\n  expected {}",
                case["id"], case["expect"]
            ));
        }
    }
    println!(
        "hashring.json: {} of {} cases",
        cases.len() - misses.len(),
        cases.len()
    );
    assert!(
        !cases.is_empty() && misses.is_empty(),
        "{}",
        misses.join("\n")
    );
}
