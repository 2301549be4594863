//! Readers and writers that are not ours: isoinfo and genisoimage, xorriso, blkid, file.
#![allow(clippy::disallowed_methods, reason = "the peers are programs")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::runtime::Timestamp;

/// A folder of the test's own that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("ironic-iso9660-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(&path)
            .unwrap()
            .write_all(content)
            .unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(&self.0)
            .status();
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a program prints; `package` is where to find it.
fn run(package: &str, program: &str, arguments: &[&str], image: &Path) -> String {
    let arguments = arguments.iter().map(|argument| match *argument {
        "IMAGE" => image.as_os_str(),
        argument => argument.as_ref(),
    });
    let output = Command::new(program)
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LC_ALL", "C.UTF-8")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} (Debian package {package}): {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {text}");
    text
}

fn sample() -> Tree {
    let mut sample = Tree::new();
    for version in ["2012-08-10", "latest"] {
        sample
            .insert(
                &format!("openstack/{version}/meta_data.json"),
                "{\"uuid\": \"x\"}",
            )
            .unwrap();
        sample
            .insert(
                &format!("openstack/{version}/user_data"),
                "#!/bin/sh\n".repeat(1000),
            )
            .unwrap();
        sample
            .insert(&format!("openstack/{version}/empty"), "")
            .unwrap();
    }
    for n in 0..60 {
        sample
            .insert(&format!("content/{n:04}"), format!("file {n}"))
            .unwrap();
    }
    // A record with this name is longer than a record may be.
    sample
        .insert(&format!("openstack/{}", "☃".repeat(64)), "snow")
        .unwrap();
    sample.insert("a/b/c/d/e/f/g/deepest", "x").unwrap();
    sample
}

fn image() -> Vec<u8> {
    let time: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    Writer::new("config-2", time)
        .publisher("nobody")
        .application("TEST")
        .write(&sample())
        .unwrap()
}

fn paths(tree: &Tree) -> Vec<String> {
    let mut paths: Vec<String> = tree.directories().map(|path| format!("/{path}")).collect();
    paths.extend(tree.files().map(|(path, _)| format!("/{path}")));
    paths.sort_unstable();
    paths
}

#[test]
fn isoinfo_lists_both_trees() {
    let folder = Folder::new("isoinfo");
    let image = folder.write("image.iso", &image());
    let isoinfo = |arguments: &[&str]| run("genisoimage", "isoinfo", arguments, &image);

    let header = isoinfo(&["-d", "-i", "IMAGE"]);
    for line in [
        "Volume id: config-2",
        "Publisher id: nobody",
        "Application id: TEST",
        "Logical block size is: 2048",
        "Joliet with UCS level 3 found",
        "Rock Ridge signatures version 1 found",
    ] {
        assert!(
            header.lines().any(|found| found.trim() == line),
            "{line} not in {header}"
        );
    }
    let listed = |naming| {
        let listing = isoinfo(&[naming, "-f", "-i", "IMAGE"]);
        let mut paths: Vec<String> = listing
            .lines()
            .filter(|line| line.starts_with('/'))
            .map(str::to_owned)
            .collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(listed("-R"), paths(&sample()));
    // isoinfo shows Joliet's names in one of the old character sets, and a snowman is in none.
    let shown = |path: &String| path.replace('☃', "_");
    let mut expected: Vec<String> = paths(&sample()).iter().map(shown).collect();
    expected.sort_unstable();
    assert_eq!(listed("-J"), expected);
    let modes = isoinfo(&["-R", "-l", "-i", "IMAGE"]);
    let file = modes
        .lines()
        .find(|line| line.ends_with(" 0059 "))
        .unwrap_or_else(|| panic!("{modes}"));
    assert!(
        file.starts_with("-r--r--r--   1    0    0               7 Jan  2 2026"),
        "{file}"
    );
    let user_data = isoinfo(&["-R", "-i", "IMAGE", "-x", "/openstack/latest/user_data"]);
    assert_eq!(user_data, "#!/bin/sh\n".repeat(1000));
    assert!(isoinfo(&["-f", "-i", "IMAGE"]).contains("/openstack/2012_08_10/meta_data.json;1"));
}

#[test]
fn xorriso_extracts_what_was_written() {
    let folder = Folder::new("xorriso");
    let image = folder.write("image.iso", &image());
    for (naming, read_fs) in [("rock ridge", "nojoliet"), ("joliet", "norock")] {
        let target = folder.0.join(naming);
        let extract = ["-indev", "IMAGE", "-extract", "/", target.to_str().unwrap()];
        let arguments = [
            &[
                "-abort_on",
                "WARNING",
                "-osirrox",
                "on",
                "-read_fs",
                read_fs,
            ],
            &extract[..],
        ]
        .concat();
        run("xorriso", "xorriso", &arguments, &image);
        for (path, content) in sample().files() {
            let extracted = std::fs::read(target.join(path))
                .unwrap_or_else(|error| panic!("{naming} {path}: {error}"));
            assert_eq!(extracted, content, "{naming} {path}");
        }
        let _ = Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(&target)
            .status();
    }
    let found = run(
        "xorriso",
        "xorriso",
        &["-abort_on", "WARNING", "-indev", "IMAGE", "-pvd_info"],
        &image,
    );
    for line in [
        "Volume Id    : config-2",
        "Publisher Id : nobody",
        "Creation Time: 2026010203040500",
    ] {
        assert!(found.contains(line), "{line} not in {found}");
    }
}

#[test]
fn blkid_and_file_see_the_label() {
    let folder = Folder::new("blkid");
    let image = folder.write("image.iso", &image());
    let found = run(
        "util-linux",
        "blkid",
        &["-p", "-o", "export", "IMAGE"],
        &image,
    );
    for line in ["LABEL=config-2", "TYPE=iso9660", "BLOCK_SIZE=2048"] {
        assert!(
            found.lines().any(|found| found == line),
            "{line} not in {found}"
        );
    }
    let found = run("file", "file", &["-b", "IMAGE"], &image);
    assert!(
        found.starts_with("ISO 9660 CD-ROM filesystem data 'config-2'"),
        "{found}"
    );
}

#[test]
fn images_of_genisoimage_and_xorriso_are_read() {
    let folder = Folder::new("foreign");
    for (path, content) in sample().files() {
        folder.write(&format!("tree/{path}"), content);
    }
    let tree = folder.0.join("tree");
    let tree = tree.to_str().unwrap();
    let output = folder.0.join("foreign.iso");
    // The arguments with which the original makes its own.
    let original = [
        "-ldots",
        "-allow-lowercase",
        "-allow-multidot",
        "-l",
        "-publisher",
        "nobody",
        "-quiet",
        "-J",
        "-r",
    ];
    let common = [&["-o", "IMAGE", "-V", "config-2"][..], &original, &[tree]].concat();
    let programs: [(&str, &str, &[&str]); 2] = [
        ("genisoimage", "genisoimage", &[]),
        ("xorriso", "xorriso", &["-as", "mkisofs"]),
    ];
    for (package, program, first) in programs {
        run(package, program, &[first, &common].concat(), &output);
        let bytes = std::fs::read(&output).unwrap();
        let volume = Reader::new().read(&bytes).unwrap();
        assert_eq!(volume.naming(), Naming::RockRidge, "{program}");
        assert_eq!(volume.label(), "config-2", "{program}");
        // xorriso writes only what ECMA-119 has for this field: capitals.
        assert_eq!(volume.publisher().to_lowercase(), "nobody", "{program}");
        assert_eq!(volume.tree(), &sample(), "{program}");
        let joliet = Reader::new().naming(Naming::Joliet).read(&bytes).unwrap();
        assert_eq!(joliet.tree(), &sample(), "{program}");
        std::fs::remove_file(&output).unwrap();
    }
}
