use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::standard_traits::STANDARD_TRAITS;

/// A trait of a node: a name that a scheduler or a deploy template matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTrait {
    /// Derived from the node and the name, so that no node has a trait twice.
    pub uuid: Uuid,
    /// The node.
    pub node_uuid: Uuid,
    /// The name, for example `CUSTOM_GPU`.
    pub name: String,
}

impl NodeTrait {
    /// The trait `name` of `node`.
    pub fn new(node: Uuid, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            uuid: Uuid::new_v5(&node, format!("trait:{name}").as_bytes()),
            node_uuid: node,
            name,
        }
    }
}

/// Whether a trait may have this name: one of those that os-traits publishes, so that it means
/// the same everywhere, or `CUSTOM_` and upper-case letters, digits and underscores; 255
/// characters at most. As in the original, one line feed at the end of a custom one passes.
pub fn is_valid_trait(name: &str) -> bool {
    let custom = |rest: &str| {
        let rest = rest.strip_suffix('\n').unwrap_or(rest);
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        !rest.is_empty() && rest.bytes().all(fits)
    };
    name.chars().count() <= 255
        && (name.strip_prefix("CUSTOM_").is_some_and(custom)
            || STANDARD_TRAITS.binary_search(&name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{STANDARD_TRAITS, is_valid_trait};

    #[test]
    fn names() {
        assert!(STANDARD_TRAITS.is_sorted() && STANDARD_TRAITS.iter().all(|t| is_valid_trait(t)));
        let longest = format!("CUSTOM_{}", "A".repeat(248));
        assert!(is_valid_trait(&longest) && !is_valid_trait(&format!("{longest}A")));
        assert!(is_valid_trait("CUSTOM__9") && is_valid_trait("CUSTOM_A\n"));
        for bad in [
            "",
            "CUSTOM_",
            "CUSTOM_\n",
            "CUSTOM_a",
            "CUSTOM_A-B",
            "custom_A",
            "HW_CPU\n",
            "A",
        ] {
            assert!(!is_valid_trait(bad), "{bad:?}");
        }
    }
}
