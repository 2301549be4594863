//! What is written reads back, and what is read does no harm.

use proptest::prelude::*;

use super::*;
use crate::runtime::Timestamp;

fn time() -> Timestamp {
    "2026-01-02T03:04:05.06Z".parse().unwrap()
}

fn write(tree: &Tree) -> Vec<u8> {
    Writer::new("config-2", time())
        .publisher("nobody")
        .write(tree)
        .unwrap()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::new();
    for (path, content) in files {
        tree.insert(path, *content).unwrap();
    }
    tree
}

fn sample() -> Tree {
    let mut sample = tree(&[
        ("openstack/latest/meta_data.json", "{}"),
        ("openstack/latest/user_data", "#!/bin/sh\n"),
        ("openstack/2012-08-10/meta_data.json", "{}"),
        ("openstack/latest/empty", ""),
        ("été/☃", "snow"),
    ]);
    sample.insert_directory("nothing/in here").unwrap();
    sample
}

#[test]
fn every_naming_reads_the_same_files() {
    let image = write(&sample());
    let read = |naming| Reader::new().naming(naming).read(&image).unwrap();
    let volume = read(Naming::RockRidge);
    assert_eq!(volume.label(), "config-2");
    assert_eq!(volume.publisher(), "nobody");
    assert!(volume.has_joliet());
    assert_eq!(volume.rock_ridge(), Some(RockRidge::V1_09));
    assert_eq!(volume.tree(), &sample());
    assert_eq!(read(Naming::Joliet).tree(), &sample());
    let plain = read(Naming::Plain);
    let paths: Vec<&str> = plain.tree().files().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "_t_/_",
            "openstack/2012_08_10/meta_data.json",
            "openstack/latest/empty",
            "openstack/latest/meta_data.json",
            "openstack/latest/user_data",
        ],
    );
}

#[test]
fn same_tree_same_bytes() {
    assert_eq!(write(&sample()), write(&sample()));
    let other = Writer::new("config-2", Timestamp::EPOCH)
        .publisher("nobody")
        .write(&sample())
        .unwrap();
    assert_ne!(write(&sample()), other);
    assert_eq!(other.len() % SECTOR, 0);
}

#[test]
fn equal_contents_stand_once() {
    let content = "x".repeat(10 * SECTOR);
    let one = write(&tree(&[("a", &content)]));
    let two = write(&tree(&[("a", &content), ("b", &content)]));
    assert_eq!(one.len(), two.len());
}

#[test]
fn an_empty_tree_is_an_image() {
    let volume = Reader::new().read(&write(&Tree::new())).unwrap();
    assert_eq!(volume.tree(), &Tree::new());
}

#[test]
fn bytes_after_the_image_mean_nothing() {
    let mut disk = write(&sample());
    disk.extend(vec![0xaa; 100_000]);
    assert_eq!(Reader::new().read(&disk).unwrap().tree(), &sample());
}

#[test]
fn long_names_need_continuation_areas() {
    let mut sample = Tree::new();
    for n in 0..40 {
        sample
            .insert(&format!("{}{n:02}", "é☃".repeat(31)), format!("{n}"))
            .unwrap();
    }
    sample.insert(&"☃".repeat(64), "").unwrap();
    let image = write(&sample);
    for naming in [Naming::RockRidge, Naming::Joliet] {
        assert_eq!(
            Reader::new().naming(naming).read(&image).unwrap().tree(),
            &sample,
            "{naming}"
        );
    }
    let plain = Reader::new().naming(Naming::Plain).read(&image).unwrap();
    assert_eq!(
        plain.tree().files().len(),
        41,
        "names cut to the same stay apart"
    );
}

#[test]
fn directories_of_many_sectors() {
    let mut sample = Tree::new();
    for n in 0..500 {
        sample
            .insert(&format!("d/file-{n}.tar.gz"), format!("{n}"))
            .unwrap();
        sample.insert_directory(&format!("e/{n}")).unwrap();
    }
    let image = write(&sample);
    for naming in [Naming::RockRidge, Naming::Joliet] {
        assert_eq!(
            Reader::new().naming(naming).read(&image).unwrap().tree(),
            &sample,
            "{naming}"
        );
    }
}

#[test]
fn eight_levels_and_no_more() {
    let nested = |levels: usize| tree(&[(&format!("{}file", "d/".repeat(levels)), "x")]);
    assert_eq!(
        Reader::new().read(&write(&nested(7))).unwrap().tree(),
        &nested(7)
    );
    let error = Writer::new("x", time()).write(&nested(8)).unwrap_err();
    assert_eq!(
        error,
        WriteError::TooDeep {
            path: "d/d/d/d/d/d/d/d".to_owned()
        }
    );
}

#[test]
fn what_does_not_fit_is_an_error() {
    let write = |writer: Writer, tree: &Tree| writer.write(tree).map(|image| image.len());
    let writer = |label: &str| Writer::new(label, time());
    let limits = [
        ("label", writer(&"x".repeat(33)), 32),
        ("label", writer("é"), 32),
    ];
    for (field, writer, limit) in limits {
        assert_eq!(
            write(writer, &Tree::new()),
            Err(WriteError::InvalidField { field, limit })
        );
    }
    let publisher = writer("x").publisher("x".repeat(129));
    assert_eq!(
        write(publisher, &Tree::new()),
        Err(WriteError::InvalidField {
            field: "publisher",
            limit: 128
        })
    );
    let late = Writer::new("x", Timestamp::MAX);
    assert_eq!(write(late, &Tree::new()), Err(WriteError::InvalidTime));
    let long = tree(&[(&"n".repeat(65), "")]);
    assert_eq!(
        write(writer("x"), &long),
        Err(WriteError::UnsupportedName {
            name: "n".repeat(65)
        })
    );

    let size = write(writer("x"), &sample()).unwrap() as u64;
    assert_eq!(
        write(writer("x").max_size(size), &sample()),
        Ok(size as usize)
    );
    let error = WriteError::TooLarge {
        size,
        limit: size - 1,
    };
    assert_eq!(write(writer("x").max_size(size - 1), &sample()), Err(error));
}

#[test]
fn limits_of_the_reader() {
    let image = write(&sample());
    let content: usize = sample().files().map(|(_, content)| content.len()).sum();
    let entries = sample().files().len() + sample().directories().len();
    let exact = Reader::new()
        .max_content(content as u64)
        .max_entries(entries);
    assert_eq!(exact.read(&image).unwrap().tree(), &sample());
    for reader in [
        exact.clone().max_content(content as u64 - 1),
        exact.max_entries(entries - 1),
    ] {
        assert!(matches!(
            reader.read(&image),
            Err(ReadError::TooLarge { .. })
        ));
    }
}

#[test]
fn a_directory_that_holds_itself_is_damaged() {
    let mut image = write(&tree(&[("d/file", "x")]));
    let root = u32::from_le_bytes(image[16 * SECTOR + 158..][..4].try_into().unwrap());
    // The third record of the root is that of "d".
    let start = root as usize * SECTOR;
    let first = usize::from(image[start]);
    let second = usize::from(image[start + first]);
    image[start + first + second + 2..][..4].copy_from_slice(&root.to_le_bytes());
    let error = Reader::new()
        .naming(Naming::RockRidge)
        .read(&image)
        .unwrap_err();
    assert_eq!(error, ReadError::Malformed { what: "directory" });
}

#[test]
fn not_an_image() {
    for bytes in [&b""[..], &[0; 100_000], &[0xff; 100_000], b"CD001"] {
        assert_eq!(Reader::new().read(bytes), Err(ReadError::NotAnImage));
    }
    let image = write(&sample());
    for length in (0..image.len()).step_by(SECTOR) {
        assert!(
            Reader::new().read(&image[..length]).is_err(),
            "{length} bytes of {}",
            image.len()
        );
    }
}

/// Any name that an image can hold; Joliet does not tell apart what it cannot write.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9é☃ _.,+-]{1,20}".prop_filter("names of the file system itself", |name| {
        name != "." && name != ".."
    })
}

fn trees() -> impl Strategy<Value = Tree> {
    let path = proptest::collection::vec(name(), 1..5).prop_map(|names| names.join("/"));
    let content = proptest::collection::vec(any::<u8>(), 0..5000);
    proptest::collection::btree_map(path, content, 0..20).prop_map(|files| {
        let mut tree = Tree::new();
        for (path, content) in files {
            // A path may lead through another's file.
            let _ = tree.insert(&path, content);
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_comes_back(tree in trees()) {
        let image = write(&tree);
        for naming in [Naming::RockRidge, Naming::Joliet] {
            let volume = Reader::new().naming(naming).read(&image).unwrap();
            prop_assert_eq!(volume.tree(), &tree);
        }
        let plain = Reader::new().naming(Naming::Plain).read(&image).unwrap();
        prop_assert_eq!(plain.tree().files().len(), tree.files().len());
    }

    #[test]
    fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..8192)) {
        let mut image = write(&sample());
        image.truncate(17 * SECTOR);
        image.extend(bytes);
        let _ = Reader::new().read(&image);
    }

    #[test]
    fn any_damage_is_safe(
        places in proptest::collection::vec((0usize..200, any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let clean = write(&sample());
        let mut image = clean.clone();
        for (bias, index, byte) in places {
            // Half of the damage goes to the descriptors and the first directories, where it matters most.
            let at = if bias < 100 { 16 * SECTOR + index.index(12 * SECTOR) } else { index.index(clean.len()) };
            image[at] = byte;
        }
        for naming in [Naming::RockRidge, Naming::Joliet, Naming::Plain] {
            let _ = Reader::new().naming(naming).read(&image);
        }
    }
}
