//! A program that embeds the host and installs no provider of cryptography. Alone in its process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use ironic_standalone::{Host, HostConfig, HostError};

#[tokio::test]
async fn real_hardware_is_refused_and_fake_hardware_runs() {
    for text in [
        "[drivers]\nenabled_hardware_types = [\"ipmi\"]\n",
        "[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n\
         enabled_deploy_interfaces = [\"fake\", \"direct\"]\n",
        "[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n\
         [tftp]\nlisten = \"127.0.0.1:0\"\n",
    ] {
        let config = HostConfig::parse(text).unwrap();
        match Host::builder(config).start().await {
            Err(HostError::NoTlsProvider) => {}
            other => panic!("{text}: {other:?}"),
        }
    }
    let text = "[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n";
    let host = Host::builder(HostConfig::parse(text).unwrap());
    host.start().await.unwrap().stop().await.unwrap();
}
