//! Names of boot files and links below the two roots.

use super::{BootConfig, BootPort};

/// The two folders that machines load boot files from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// What TFTP serves.
    Tftp,
    /// What HTTP serves.
    Http,
}

impl BootConfig {
    /// Returns the path of a root.
    pub fn root(&self, root: Root) -> &str {
        match root {
            Root::Tftp => &self.tftp_root,
            Root::Http => &self.http_root,
        }
    }
}

/// Returns the path of a node's configuration file.
pub fn node_config_path(config: &BootConfig, root: Root, uuid: &str) -> String {
    join(config.root(root), &[uuid, "config"])
}

/// Returns the path of the link that pxelinux, or with [`Root::Http`] iPXE, looks for.
///
/// pxelinux puts the ARP hardware type before the address: 01 is Ethernet, 20 InfiniBand.
pub fn mac_link_path(config: &BootConfig, root: Root, port: &BootPort) -> String {
    let mac = port.address.replace(':', "-").to_lowercase();
    let name = match root {
        Root::Http => mac,
        Root::Tftp if port.client_id().is_some() => format!("20-{mac}"),
        Root::Tftp => format!("01-{mac}"),
    };
    join(config.root(root), &[&config.config_subdir, &name])
}

/// Returns the paths of the links that GRUB looks for, by hardware address.
pub fn grub_link_paths(config: &BootConfig, root: Root, port: &BootPort) -> [String; 2] {
    let mac = port.address.replace(':', "-").to_lowercase();
    [
        join(config.root(root), &[&format!("grub.cfg-01-{mac}")]),
        join(config.root(root), &[&format!("{}.conf", port.address)]),
    ]
}

/// Returns the path of the link that GRUB looks for, by IP address.
pub fn ip_link_path(config: &BootConfig, address: &str) -> String {
    join(&config.tftp_root, &[&format!("{address}.conf")])
}

/// Returns the path where an image of a node is kept.
///
/// What an installer loads by itself is always below the HTTP root.
pub fn label_path(config: &BootConfig, root: Root, uuid: &str, label: &str) -> String {
    match label {
        "ks_template" => join(&config.http_root, &[uuid, "ks.cfg.template"]),
        "ks_cfg" => join(&config.http_root, &[uuid, "ks.cfg"]),
        "stage2" => join(&config.http_root, &[uuid, "LiveOS", "squashfs.img"]),
        label => join(config.root(root), &[uuid, label]),
    }
}

/// Returns the address at which machines find an image of a node.
///
/// An installer is given the folder of its second stage and finds `LiveOS` in it.
pub fn label_url(http_url: &str, uuid: &str, label: &str) -> String {
    match label {
        "ks_template" => format!("{http_url}/{uuid}/ks.cfg.template"),
        "ks_cfg" => format!("{http_url}/{uuid}/ks.cfg"),
        "stage2" => format!("{http_url}/{uuid}"),
        label => format!("{http_url}/{uuid}/{label}"),
    }
}

/// Joins names to a path; an absolute name replaces what stands before it.
pub(crate) fn join(base: &str, names: &[&str]) -> String {
    let mut path = base.to_owned();
    for name in names {
        if name.starts_with('/') {
            path.clear();
        } else if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(name);
    }
    path
}

/// Expresses an absolute path relative to an absolute folder.
pub(crate) fn relative(path: &str, folder: &str) -> String {
    let parts = |text: &'_ str| -> Vec<String> {
        text.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let (path, folder) = (parts(path), parts(folder));
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = folder.iter().skip(shared).map(|_| "..");
    let down = path.iter().skip(shared).map(String::as_str);
    let relative = up.chain(down).collect::<Vec<_>>().join("/");
    if relative.is_empty() {
        ".".into()
    } else {
        relative
    }
}

/// Returns the folder that a path stands in.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_climb_and_descend() {
        for (path, folder, expected) in [
            ("/t/u/config", "/t/pxelinux.cfg", "../u/config"),
            ("/t/u/config", "/t", "u/config"),
            ("/h/u/k", "/t", "../h/u/k"),
            ("/t", "/t/", "."),
            ("//t//u", "/t", "u"),
        ] {
            assert_eq!(relative(path, folder), expected, "{path} from {folder}");
        }
    }

    #[test]
    fn join_keeps_one_slash() {
        assert_eq!(join("/t/", &["a", "b"]), "/t/a/b");
        assert_eq!(join("/t", &["/a"]), "/a");
    }
}
