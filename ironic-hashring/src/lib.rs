//! Consistent hash ring with the placement of OpenStack Ironic's.
//!
//! Every machine is looked after by one conductor, and everybody who asks which one has to come to
//! the same answer without asking anybody else. The answer is also the one that the original gives,
//! so a fleet that moves here keeps every machine with the conductor of the same name.
//!
//! # Placement
//!
//! Each host is hashed to 2<sup>e</sup> *partitions*, points on a circle of 2<sup>128</sup> positions
//! (e is the partition exponent, 5 by default). Point number `p` of a host is the hash of its name
//! written `p + 2` times in a row, read as a big-endian integer. A key is hashed once, and belongs
//! to the first point clockwise of it, strictly after its own position; past the last point the
//! circle starts over.
//!
//! ```text
//!                   0
//!              c1 .-+-. c2            key k --> hash(k) --> walk clockwise
//!            c3 /       \ c1
//!              |         |  k         first point met:     c3   owner
//!            c2 \       / c3          next new host met:   c2   second replica,
//!              c1 '-+-' c2                                      and the owner while c3 is ignored
//! ```
//!
//! And of a real ring, drawn by the example `placement`:
//!
#![doc = include_str!("../placement.svg")]
//!
//! So a host that joins takes keys only for itself, a host that leaves gives away only its own, and
//! the keys that it gives away go exactly where ignoring it would send them:
//!
//! ```
//! use ironic_hashring::HashRing;
//!
//! let ring = HashRing::new(["conductor-1", "conductor-2", "conductor-3"])?;
//! let node = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123";
//! assert_eq!(ring.owner(node), Some("conductor-1"));
//!
//! // Where would it go without conductor-1?
//! let next = ring.owners(node, 1, |host| host == "conductor-1").next();
//! let mut smaller = ring.clone();
//! smaller.remove_host("conductor-1");
//! assert_eq!(next, smaller.owner(node));
//! # Ok::<(), ironic_hashring::RingError>(())
//! ```
//!
//! [`add_host`](HashRing::add_host) and [`remove_host`](HashRing::remove_host) hash no host but the
//! one that they name, and leave the ring that would be built of those who stay.
//!
//! A cluster has one ring per conductor group and hardware type; [`Rings`] holds them all.
//!
//! # Hash functions
//!
//! [`HashFunction::Md5`] is the default, as it is in the original. It spreads names over a circle and
//! protects nothing. The others of the original's `hash_ring_algorithm` come with the feature `digests`.
//! Positions of hash functions longer than 128 bits are kept by their leading 128 bits: the order of
//! two points, and with it every placement, would differ only if two digests agreed in all of those.
//! A [`RingHasher`] is a function of one's own.
//!
//! # Rings as data
//!
//! With the feature `serde`, rings are written as their hosts, weights and settings, and checked when
//! they are read.

mod builder;
mod circle;
mod error;
mod hash_function;
mod hasher;
mod ring;
mod rings;
#[cfg(feature = "serde")]
mod serial;
mod walk;

pub use builder::HashRingBuilder;
pub use error::{RingError, RouteError};
pub use hash_function::HashFunction;
pub use hasher::{CustomHash, RingHasher};
pub use ring::HashRing;
pub use rings::{Grouping, Member, RingKey, Rings};
#[cfg(feature = "serde")]
pub use serial::RingSeed;
pub use walk::Walk;

/// Its examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
