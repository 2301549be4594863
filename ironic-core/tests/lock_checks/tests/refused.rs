//! Locks that the compiler checks: what compiles, and what must not.
//!
//! Each `cases/*.rs` must be refused, and for the reason in the `.stderr` beside it. A new release
//! of the compiler may word it differently: look at what it says now, and where it is still the
//! same refusal, bless it with
//!
//! ```text
//! TRYBUILD=overwrite cargo test -p ironic-lock-checks
//! ```
//!
//! What has no wording to go stale, that a type lacks a trait, is asserted here. The other
//! direction, that what is meant compiles, is this package's library.
//!
//! `Repository`, which a host and any task can get at, writes what it is told: it is for facts,
//! merged by path, and for a host's own records. What it writes without a task's fence is not a
//! decision, and the engine never decides by it.

use ironic_core::driver::{Reservation, SharedTask, Task};

/// Compiles only where the type lacks the trait: otherwise it is not clear which `lacks` is meant.
macro_rules! lacks {
    ($($type:ty: $($bound:path),+;)+) => {
        $($({
            trait Lacks<Which> {
                fn lacks() {}
            }
            impl<T: ?Sized> Lacks<()> for T {}
            struct Has;
            impl<T: ?Sized + $bound> Lacks<Has> for T {}
            <$type>::lacks();
        })+)+
    };
}

#[test]
fn what_holds_a_node_cannot_be_copied_made_up_or_read_from_a_wire() {
    lacks! {
        Task: Clone, Copy, Default, std::ops::DerefMut, serde::de::DeserializeOwned, serde::Serialize;
        Reservation: Clone, Copy, Default, serde::de::DeserializeOwned, serde::Serialize;
        SharedTask: Clone, Copy, Default, std::ops::DerefMut, serde::de::DeserializeOwned;
        Task: From<SharedTask>, From<Reservation>;
        SharedTask: AsMut<Task>, std::borrow::BorrowMut<Task>;
    }
}

#[test]
fn what_takes_no_lock_writes_nothing() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
