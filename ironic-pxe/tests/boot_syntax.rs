//! Configurations in the eyes of the boot loaders' own tools.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that runs programs"
)]

use std::process::Command;

use ironic_pxe::BootInterface;
use ironic_pxe::boot::{
    BootConfig, BootEntry, BootFile, BootNode, BootPort, BootRequest, ConfigFormat, RamdiskParams,
    common_files, prepare_ramdisk, switch_entry,
};

#[test]
fn grub_understands_its_configurations() {
    let mut config = BootConfig::default();
    config.tftp_server = "192.0.2.2".into();
    let mut node = BootNode::new("2a18b1ad-fd05-49b2-8c72-f78ef9265abb");
    for label in ["deploy_kernel", "deploy_ramdisk"] {
        node.driver_info
            .insert(label.into(), "http://images/x".into());
    }
    node.ports.push(BootPort::new("52:54:00:0a:0b:0d"));
    let params = RamdiskParams::new()
        .with("ipa-api-url", "http://192.0.2.4:6385".to_owned())
        .with("console", "\"ttyS0 x\"".to_owned());
    let request = BootRequest::new(&config, &node, BootInterface::Pxe);
    let plan = prepare_ramdisk(&request, &params).unwrap();
    let text = |file: &BootFile| match file {
        BootFile::Text(text) => text.clone(),
        BootFile::Symlink(target) => panic!("a link to {target}"),
    };
    let written = text(&plan.files["/tftpboot/2a18b1ad-fd05-49b2-8c72-f78ef9265abb/config"]);
    let initial = text(&common_files(&config).unwrap()["/tftpboot/grub/grub.cfg"]);
    let switched = switch_entry(&written, ConfigFormat::Grub, BootEntry::WholeDisk);
    assert!(switched.contains("set default=boot_whole_disk\n"));
    for script in [written, switched, initial] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grub.cfg");
        std::fs::write(&path, &script).unwrap();
        let output = Command::new("grub-script-check").arg(&path).output();
        let output = output.unwrap_or_else(|e| {
            panic!("grub-script-check does not run ({e}): install the package grub-common")
        });
        assert!(output.status.success(), "{output:?}\n{script}");
    }
}
