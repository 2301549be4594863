//! Which of 20 conductors looks after a node, at 1,024 partitions each.

use criterion::{Criterion, Throughput};
use ironic_core::Uuid;
use ironic_hashring::HashRing;

pub(crate) const GROUP: &str = "hashring";

const HOSTS: usize = 20;
const PARTITION_EXPONENT: u8 = 10;
const KEYS: u128 = 1000;

pub(crate) fn run(criterion: &mut Criterion) {
    let hosts = (0..HOSTS).map(|number| format!("conductor-{number}"));
    let ring = HashRing::builder()
        .hosts(hosts)
        .partition_exponent(PARTITION_EXPONENT)
        .build()
        .unwrap();
    // Spread as random uuids are: neighbours would be found in a warm cache.
    let keys = (0..KEYS).map(|number| Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()));
    let keys: Vec<_> = keys.map(|id| id.to_string()).collect();

    let mut group = criterion.benchmark_group(GROUP);
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function(format!("owner among {HOSTS} × 1,024"), |bencher| {
        let owned = |key: &String| ring.owner(key).is_some();
        bencher.iter(|| keys.iter().filter(|key| owned(key)).count());
    });
    group.finish();
}
