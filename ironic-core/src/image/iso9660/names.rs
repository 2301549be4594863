//! The names by which each of an image's trees knows a file.

use std::collections::BTreeSet;

use super::WriteError;

/// The most characters of a name of the primary tree, the dot before the extension not counted (ECMA-119 §10.2).
const PRIMARY_LENGTH: usize = 30;

/// The longest extension that survives when a name is cut.
const EXTENSION_LENGTH: usize = 8;

/// Longest name in a Joliet tree, in UCS-2 characters (Joliet, "Relaxed Restrictions").
const JOLIET_LENGTH: usize = 64;

/// Whether a name belongs to a file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    File,
    Directory,
}

/// An identifier together with what it is sorted by (ECMA-119 §9.3): the name, then the extension, each as
/// if filled up with something smaller than any character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) bytes: Vec<u8>,
    pub(super) order: (Vec<u8>, Vec<u8>),
}

/// Gives the names of one directory their identifiers in the primary tree.
///
/// Letters keep their case and names all their dots, as `genisoimage -l -allow-lowercase -allow-multidot`
/// has it: the original looks for `/openstack/latest/network_data.json;1` by that identifier.
#[derive(Debug, Default)]
pub(super) struct PrimaryNames {
    /// In upper case, since readers may fold it.
    taken: BTreeSet<String>,
}

impl PrimaryNames {
    pub(super) fn identifier(&mut self, name: &str, sort: Sort) -> Result<Identifier, WriteError> {
        let (stem, extension) = primary_parts(name, sort);
        let cut: String = stem
            .chars()
            .take(PRIMARY_LENGTH - extension.len())
            .collect();
        let short: String = cut
            .chars()
            .take(PRIMARY_LENGTH - extension.len() - 3)
            .collect();
        let numbered = (0..1000).map(|number| format!("{short}{number:03}"));
        for stem in std::iter::once(cut.clone()).chain(numbered) {
            let key = format!("{stem}.{extension}").to_ascii_uppercase();
            if self.taken.insert(key) {
                let bytes = match sort {
                    Sort::File => format!("{stem}.{extension};1").into_bytes(),
                    Sort::Directory => stem.clone().into_bytes(),
                };
                return Ok(Identifier {
                    bytes,
                    order: (stem.into_bytes(), extension.into_bytes()),
                });
            }
        }
        Err(WriteError::TooManyEntries)
    }
}

/// Name and extension in the characters of the primary tree, the extension already cut where the whole is too long.
fn primary_parts(name: &str, sort: Sort) -> (String, String) {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || (c == '.' && sort == Sort::File) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(allowed).collect();
    match (sort, name.rsplit_once('.')) {
        (Sort::File, Some((stem, extension))) => {
            let room = if name.len() > PRIMARY_LENGTH {
                EXTENSION_LENGTH
            } else {
                PRIMARY_LENGTH
            };
            (stem.to_owned(), extension.chars().take(room).collect())
        }
        _ => (name, String::new()),
    }
}

/// A name's identifier in the Joliet tree: itself in UCS-2, big-endian.
pub(super) fn joliet(name: &str, sort: Sort) -> Result<Identifier, WriteError> {
    let unsupported = || WriteError::UnsupportedName {
        name: name.to_owned(),
    };
    let forbidden = |c: char| {
        c.is_control() || u32::from(c) > 0xffff || matches!(c, '*' | '/' | ':' | ';' | '?' | '\\')
    };
    if name.chars().any(forbidden) || name.chars().count() > JOLIET_LENGTH {
        return Err(unsupported());
    }
    let order = match (sort, name.rsplit_once('.')) {
        (Sort::File, Some((stem, extension))) => (ucs2(stem), ucs2(extension)),
        _ => (ucs2(name), Vec::new()),
    };
    Ok(Identifier {
        bytes: ucs2(name),
        order,
    })
}

/// Text in UCS-2, big-endian.
pub(super) fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn primary(names: &[&str], sort: Sort) -> Vec<String> {
        let mut given = PrimaryNames::default();
        names
            .iter()
            .map(|name| String::from_utf8(given.identifier(name, sort).unwrap().bytes).unwrap())
            .collect()
    }

    #[test]
    fn primary_identifiers() {
        let names = [
            "meta_data.json",
            "user_data",
            "a.b.c-d.tar.gz",
            "é",
            ".hidden",
        ];
        assert_eq!(
            primary(&names, Sort::File),
            [
                "meta_data.json;1",
                "user_data.;1",
                "a.b.c_d.tar.gz;1",
                "_.;1",
                ".hidden;1"
            ],
        );
        assert_eq!(
            primary(&["2012-08-10", "a.b"], Sort::Directory),
            ["2012_08_10", "a_b"]
        );
    }

    #[test]
    fn primary_identifiers_stay_short_and_apart() {
        let long = "n".repeat(60);
        let names = [
            format!("{long}.json"),
            format!("{long}x.json"),
            "é".to_owned(),
            "ü".to_owned(),
            "A".to_owned(),
            "a".to_owned(),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            primary(&names, Sort::File),
            [
                format!("{}.json;1", "n".repeat(26)),
                format!("{}000.json;1", "n".repeat(23)),
                "_.;1".to_owned(),
                "_000.;1".to_owned(),
                "A.;1".to_owned(),
                "a000.;1".to_owned(),
            ],
        );
        let extension = primary(&[&format!("a.{}", "e".repeat(50))], Sort::File);
        assert_eq!(extension, ["a.eeeeeeee;1"]);
        assert_eq!(
            primary(&[&"d".repeat(64)], Sort::Directory),
            ["d".repeat(30)]
        );
    }

    #[test]
    fn a_thousand_names_alike_are_too_many() {
        let mut names = PrimaryNames::default();
        let given =
            (0..1002).map(|n| names.identifier(&format!("{}{n}", "n".repeat(40)), Sort::Directory));
        assert_eq!(given.filter(Result::is_ok).count(), 1001);
    }

    #[test]
    fn joliet_holds_64_characters_of_ucs2() {
        assert_eq!(joliet("aé", Sort::File).unwrap().bytes, [0, b'a', 0, 0xe9]);
        assert!(joliet(&"☃".repeat(64), Sort::File).is_ok());
        for name in [&"☃".repeat(65), "🦀", "a:b", "a\\b", "tab\t", "a;1"] {
            assert!(
                matches!(
                    joliet(name, Sort::File),
                    Err(WriteError::UnsupportedName { .. })
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn order_compares_name_and_extension_apart() {
        let order = |name| joliet(name, Sort::File).unwrap().order;
        assert!(order("a.z") < order("a-b.c"));
        assert!(order("a") < order("a.b"));
    }
}
