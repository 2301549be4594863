//! Path tables (ECMA-119 §9.4).

use super::view::View;

/// Byte order of a path table's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Type L (ECMA-119 §8.4.16).
    Little,
    /// Type M (ECMA-119 §8.4.18).
    Big,
}

/// The path table of a view whose directories have their places.
pub(super) fn path_table(view: &View, order: Order) -> Vec<u8> {
    let mut table = Vec::new();
    for (identifier, sector, parent) in view.path_table() {
        table.push(u8::try_from(identifier.len()).unwrap_or(u8::MAX));
        table.push(0);
        match order {
            Order::Little => {
                table.extend_from_slice(&sector.to_le_bytes());
                table.extend_from_slice(&parent.to_le_bytes());
            }
            Order::Big => {
                table.extend_from_slice(&sector.to_be_bytes());
                table.extend_from_slice(&parent.to_be_bytes());
            }
        }
        table.extend_from_slice(identifier);
        if identifier.len() % 2 == 1 {
            table.push(0);
        }
    }
    table
}
