//! The paths that are open to everybody.

/// Whether a path within `/v1` is open to everybody: what a ramdisk calls before it could know
/// any credentials, and the document at the root. Its handlers ask for an agent's token
/// themselves.
///
/// The path must be the very text that requests are routed by. Nothing is decoded or cleaned up
/// here: a path that is written in another way than these is not open.
pub(crate) fn is_public(path: &str) -> bool {
    let bare = [".json", ".xml"]
        .iter()
        .find_map(|suffix| path.strip_suffix(suffix))
        .unwrap_or(path);
    match bare {
        "" => path.is_empty(),
        "/lookup" | "/continue_inspection" => true,
        _ => bare.strip_prefix("/heartbeat/").is_some_and(|ident| {
            let part_of_uuid = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            !ident.is_empty() && ident.bytes().all(part_of_uuid)
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_public;

    #[test]
    fn what_a_ramdisk_calls_is_open() {
        for path in [
            "",
            "/lookup",
            "/lookup.json",
            "/lookup.xml",
            "/continue_inspection",
            "/heartbeat/d1f6b5d0-2a1c-4a4e-9c76-0d6c4c1e5b2a",
            "/heartbeat/node-7.json",
        ] {
            assert!(is_public(path), "{path}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for path in [
            "/",
            ".json",
            "/nodes",
            "/nodes/lookup",
            "/lookup/",
            "//lookup",
            "/lookup/nodes",
            "/lookup/../nodes",
            "/%6cookup",
            "/lookup%2f..%2fnodes",
            "/lookup;/nodes",
            "/Lookup",
            "/lookup.json.json",
            "/lookup.yaml",
            "/heartbeat",
            "/heartbeat/",
            "/heartbeat/Node",
            "/heartbeat/a/../../nodes",
            "/heartbeat/a%2f..",
            "/heartbeat/.json",
            "/heartbeat/a/states",
            "/heartbeat/a\n",
            "/continue_inspection/x",
        ] {
            assert!(!is_public(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_to_a_record_is_open(resource in "(nodes|ports|chassis|allocations|drivers)", rest in ".{0,40}") {
            for path in [format!("/{resource}{rest}"), format!("/{resource}/{rest}")] {
                prop_assert!(!is_public(&path));
            }
        }
    }
}
