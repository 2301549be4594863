//! Which of 20 conductors looks after a node, at 1,024 partitions each; and how conductors join.
//!
//! The keys are many and random, as nodes are: with few of them, or neighbours, the processor learns
//! the way of each search by heart.

use criterion::{BatchSize, Criterion, Throughput};
use ironic_core::Uuid;
use ironic_hashring::{HashFunction, HashRing};

use crate::Group;
use crate::ring_peers::{BuildMd5, Sip, Tooz, fill};

pub(crate) const GROUP: &str = "hashring";
pub(crate) const CHANGE: &str = "hashring change";
pub(crate) const CRATE: &str = "crate hashring";
pub(crate) const TOOZ: &str = "tooz";

const HOSTS: usize = 20;
const PARTITION_EXPONENT: u8 = 10;
const PARTITIONS: usize = 1 << PARTITION_EXPONENT;
const KEYS: u128 = 1 << 16;
/// Python is slow enough to show a rate with fewer.
const TOOZ_KEYS: usize = 1 << 12;

pub(crate) const MD5: &str = "owner, MD5";
const SIP: &str = "owner, SipHash";
const JOIN: &str = "join";
const LEAVE: &str = "leave";
const REBUILD: &str = "rebuild";

pub(crate) fn run(criterion: &mut Criterion) {
    let hosts: Vec<String> = (0..HOSTS)
        .map(|number| format!("conductor-{number}"))
        .collect();
    let keys = (0..KEYS).map(|number| Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()));
    let keys: Vec<_> = keys.map(|id| id.to_string()).collect();
    let ring = build(&hosts, HashFunction::Md5);
    let sip = build(&hosts, HashFunction::custom::<Sip>());

    let mut group = criterion.benchmark_group(GROUP);
    lookups(&mut group, MD5, &keys, |key| ring.owner(key).is_some());
    lookups(&mut group, SIP, &keys, |key| sip.owner(key).is_some());
    group.finish();

    let with_md5 = fill(hashring::HashRing::with_hasher(BuildMd5), HOSTS, PARTITIONS);
    let with_sip = fill(hashring::HashRing::new(), HOSTS, PARTITIONS);
    let mut group = criterion.benchmark_group(CRATE);
    lookups(&mut group, MD5, &keys, |key| with_md5.get(&key).is_some());
    lookups(&mut group, SIP, &keys, |key| with_sip.get(&key).is_some());
    group.finish();

    tooz(criterion, &ring, &hosts, &keys[..TOOZ_KEYS]);
    changes(criterion, &ring, &hosts);
}

fn build(hosts: &[String], hash: HashFunction) -> HashRing {
    let builder = HashRing::builder().hosts(hosts).hash(hash);
    builder
        .partition_exponent(PARTITION_EXPONENT)
        .build()
        .unwrap()
}

fn lookups(group: &mut Group<'_>, name: &str, keys: &[String], found: impl Fn(&str) -> bool) {
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| keys.iter().filter(|key| found(key)).count());
    });
}

/// The original's ring, where it is installed; it has to find the same owners.
fn tooz(criterion: &mut Criterion, ring: &HashRing, hosts: &[String], keys: &[String]) {
    let Some((mut tooz, owners)) = Tooz::start(hosts, PARTITIONS, keys) else {
        println!(
            "tooz is not installed, so nothing to compare with (pip install tooz, or make bench)"
        );
        return;
    };
    let ours: Vec<_> = keys.iter().filter_map(|key| ring.owner(key)).collect();
    assert_eq!(ours, owners, "tooz finds other owners");
    let mut group = criterion.benchmark_group(TOOZ);
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function(MD5, |bencher| {
        bencher.iter_custom(|rounds| tooz.time(rounds))
    });
    group.finish();
}

/// One conductor more or less, with and without building the ring anew.
fn changes(criterion: &mut Criterion, ring: &HashRing, hosts: &[String]) {
    let joining = "conductor-joining";
    let mut joined = ring.clone();
    joined.add_host(joining, 1).unwrap();
    let all: Vec<String> = hosts.iter().cloned().chain([joining.to_owned()]).collect();

    let mut group = criterion.benchmark_group(CHANGE);
    group.throughput(Throughput::Elements(1));
    group.bench_function(JOIN, |bencher| {
        let join = |ring: &mut HashRing| ring.add_host(joining, 1);
        bencher.iter_batched_ref(|| ring.clone(), join, BatchSize::SmallInput);
    });
    group.bench_function(LEAVE, |bencher| {
        let leave = |ring: &mut HashRing| ring.remove_host(joining);
        bencher.iter_batched_ref(|| joined.clone(), leave, BatchSize::SmallInput);
    });
    group.bench_function(REBUILD, |bencher| {
        bencher.iter(|| build(&all, HashFunction::Md5));
    });
    group.finish();
}

/// A benchmark: its group and its function.
type Benchmark = (&'static str, &'static str);

/// What is beside what in the table: ours, the others of this run, and what they are called.
pub(crate) const BESIDE: [(Benchmark, Benchmark, &str); 5] = [
    ((GROUP, MD5), (TOOZ, MD5), "tooz"),
    ((GROUP, MD5), (CRATE, MD5), "crate hashring"),
    ((GROUP, SIP), (CRATE, SIP), "crate hashring"),
    ((CHANGE, JOIN), (CHANGE, REBUILD), "a rebuild"),
    ((CHANGE, LEAVE), (CHANGE, REBUILD), "a rebuild"),
];
