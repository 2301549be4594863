use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{
    Boot, Interface, Properties, RamdiskParams, RegistryBuilder, SharedTask, Task,
};
use ironic_core::model::JsonMap;
use serde_json::Value;

use super::error::file_error;
use super::{BootInterface, BootServices, boot_device, boot_mode, images, validate};
use crate::boot::{
    self, BootError, BootImage, BootNode, BootOption, BootPlan, BootPort, BootRequest, RamdiskMode,
    agent_images_for, common_files, instance_images, is_image_service_reference, node_config_path,
};
use crate::files::FileError;

// A configuration that is longer was not written by us.
const LONGEST_CONFIG: u64 = 1 << 20;

// The keys of the field, which inventories and clients know.
const PROPERTIES: [(&str, &str); 6] = [
    (
        "deploy_kernel",
        "kernel that deploys, as an image reference; required unless configured",
    ),
    (
        "deploy_ramdisk",
        "initial ramdisk that deploys, as an image reference; required unless configured",
    ),
    (
        "rescue_kernel",
        "kernel that rescues, as an image reference; required for rescue unless configured",
    ),
    (
        "rescue_ramdisk",
        "initial ramdisk that rescues, as an image reference; required for rescue unless configured",
    ),
    (
        "kernel_append_params",
        "kernel parameters of ramdisks in place of the configured ones, which %default% stands for",
    ),
    (
        "force_persistent_boot_device",
        "whether boot devices are set for every boot: Always, Never, or by Default only the last of a deployment",
    ),
];

/// A boot interface: `pxe`, `ipxe`, `http` or `http-ipxe`, as its [`BootInterface`] says.
///
/// It plans with the functions of [`boot`](crate::boot) and carries each plan out: images, files,
/// DHCP, boot device. Everything is named by the node alone, so that a call that was broken off
/// and is made again leads to the same files.
#[derive(Clone, Debug)]
pub struct PxeBoot {
    kind: BootInterface,
    services: BootServices,
}

/// What a plan depends on besides the configuration.
struct Facts {
    node: BootNode,
    ip_addresses: Vec<String>,
    image_properties: Option<JsonMap>,
    existing_config: Option<String>,
}

impl PxeBoot {
    /// Makes a boot interface of a kind.
    pub fn new(kind: BootInterface, services: BootServices) -> Self {
        Self { kind, services }
    }

    fn request<'a>(&'a self, facts: &'a Facts) -> BootRequest<'a> {
        let mut request = BootRequest::new(&self.services.config, &facts.node, self.kind)
            .with_ip_addresses(&facts.ip_addresses);
        request.image_properties = facts.image_properties.as_ref();
        request.existing_config = facts.existing_config.as_deref();
        request
    }

    async fn facts(&self, task: &SharedTask) -> Result<Facts, Error> {
        let node = BootNode::of_task(task);
        let addresses = self.services.dhcp.ip_addresses(&node.ports).await;
        let ip_addresses = addresses.unwrap_or_else(|error| {
            // They are but a second way to a configuration that hardware addresses lead to.
            tracing::warn!(node = %node.uuid, %error, "the node's IP addresses are not known");
            Vec::new()
        });
        Ok(Facts {
            image_properties: self.image_properties(&node).await?,
            node,
            ip_addresses,
            existing_config: None,
        })
    }

    async fn image_properties(&self, node: &BootNode) -> Result<Option<JsonMap>, Error> {
        let source = node.instance_info.get("image_source");
        match source.and_then(Value::as_str) {
            Some(source)
                if node.boot_option() != BootOption::Local
                    && is_image_service_reference(source) =>
            {
                self.services.images.properties(source).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn existing_config(&self, node: &BootNode) -> Result<Option<String>, Error> {
        let (config, root) = (&self.services.config, self.kind.config_root());
        let path = node_config_path(config, root, &node.uuid);
        let failed = |error| file_error(self.kind.name(), "the node's boot configuration", &error);
        let (_, below) = config.root_of(&path).map_err(failed)?;
        let mut file = match self.services.store(root).open(below, None).await {
            Err(FileError::NotFound) => return Ok(None),
            other => other.map_err(failed)?,
        };
        if file.size() > LONGEST_CONFIG {
            return Ok(None);
        }
        let content = file.read_at(0, usize::MAX).await.map_err(failed)?;
        Ok(String::from_utf8(content.into()).ok())
    }

    /// Carries a plan out. Each part may be repeated.
    async fn carry_out(
        &self,
        task: &mut Task,
        node: &BootNode,
        plan: BootPlan,
    ) -> Result<(), Error> {
        self.check_images(&plan.images)?;
        for image in &plan.images {
            self.place(image).await?;
        }
        self.services.write(self.kind.name(), &plan).await?;
        if let Some(options) = &plan.dhcp_options {
            let ports = self.booting_ports(node);
            self.services.dhcp.set_boot_options(&ports, options).await?;
        }
        let record = task.node_mut();
        record.instance_info.extend(plan.node_updates.instance_info);
        let internal = plan.node_updates.driver_internal_info;
        record.driver_internal_info.extend(internal);
        match plan.boot_device {
            Some(change) => boot_device::set(task, change).await,
            None => Ok(()),
        }
    }

    async fn place(&self, image: &BootImage) -> Result<(), Error> {
        let failed = |error| file_error(self.kind.name(), image.label, &error);
        let (root, path) = self.services.config.root_of(&image.path).map_err(failed)?;
        let file = self.services.images.open(&image.href).await?;
        tracing::debug!(
            image = image.label,
            bytes = file.size(),
            "placing a boot image"
        );
        self.services
            .store(root)
            .put_file(path, file)
            .await
            .map_err(failed)
    }

    fn booting_ports(&self, node: &BootNode) -> Vec<BootPort> {
        let all = self.services.config.add_all_ports;
        let ports = node.ports.iter();
        ports
            .filter(|port| all || port.pxe_enabled)
            .cloned()
            .collect()
    }

    async fn undo(&self, node: &BootNode, plan: &BootPlan) -> Result<(), Error> {
        self.services.write(self.kind.name(), plan).await?;
        self.services.dhcp.clear_boot_options(&node.ports).await
    }

    fn check_images(&self, images: &[BootImage]) -> Result<(), Error> {
        let unnamed = images.iter().filter(|image| image.href.is_empty());
        let unnamed: Vec<_> = unnamed.map(|image| image.label).collect();
        if !unnamed.is_empty() {
            let reason = "neither with the node nor with its image";
            return Err(BootError::missing(unnamed.join(", "), reason).into());
        }
        let mut images = images.iter();
        match images.find(|image| !self.services.images.serves(&image.href)) {
            None => Ok(()),
            Some(image) => Err(Error::invalid(format!(
                "invalid {}: {}",
                image.label,
                images::unknown(&image.href)
            ))),
        }
    }

    fn check_agent_images(&self, node: &BootNode, mode: RamdiskMode) -> Result<(), Error> {
        let request = BootRequest::new(&self.services.config, node, self.kind);
        self.check_images(&agent_images_for(&request, mode)?)
    }

    fn check_common(&self, task: &SharedTask) -> Result<BootNode, Error> {
        let node = BootNode::of_task(task);
        validate::common(&self.services.config, self.kind, &node)?;
        self.check_agent_images(&node, RamdiskMode::Deploy)?;
        Ok(node)
    }
}

#[async_trait]
impl Interface for PxeBoot {
    fn properties(&self) -> Properties {
        PROPERTIES
            .into_iter()
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        let node = self.check_common(task)?;
        // An instance that boots its own disk is no business of network boot.
        let local = node.boot_option() == BootOption::Local;
        if local || !task.driver().storage.should_write_image(task) {
            return Ok(());
        }
        validate::instance(self.kind, &node)?;
        let facts = Facts {
            image_properties: self.image_properties(&node).await?,
            node,
            ip_addresses: Vec::new(),
            existing_config: None,
        };
        let (images, _) = instance_images(&self.request(&facts), self.kind.config_root())?;
        self.check_images(&images)
    }
}

#[async_trait]
impl Boot for PxeBoot {
    async fn prepare_ramdisk(&self, task: &mut Task, params: &RamdiskParams) -> Result<(), Error> {
        boot_mode::sync(task, &self.services.config).await?;
        let facts = self.facts(task).await?;
        let params = params
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        let params = boot::RamdiskParams::from_map(&params);
        let mut plan = boot::prepare_ramdisk(&self.request(&facts), &params)?;
        plan.files.extend(common_files(&self.services.config)?);
        self.carry_out(task, &facts.node, plan).await
    }

    async fn clean_up_ramdisk(&self, task: &mut Task) -> Result<(), Error> {
        let facts = self.facts(task).await?;
        let plan = boot::clean_up_ramdisk(&self.request(&facts))?;
        self.undo(&facts.node, &plan).await
    }

    async fn prepare_instance(&self, task: &mut Task) -> Result<(), Error> {
        validate::instance(self.kind, &BootNode::of_task(task))?;
        boot_mode::sync(task, &self.services.config).await?;
        boot_mode::set_secure_boot(task, true).await?;
        let mut facts = self.facts(task).await?;
        facts.existing_config = self.existing_config(&facts.node).await?;
        let mut plan = boot::prepare_instance(&self.request(&facts))?;
        if !plan.files.is_empty() {
            plan.files.extend(common_files(&self.services.config)?);
        }
        self.carry_out(task, &facts.node, plan).await
    }

    async fn clean_up_instance(&self, task: &mut Task) -> Result<(), Error> {
        let facts = self.facts(task).await?;
        let plan = boot::clean_up_instance(&self.request(&facts))?;
        self.undo(&facts.node, &plan).await?;
        boot_mode::set_secure_boot(task, false).await
    }

    async fn validate_inspection(&self, task: &SharedTask) -> Result<(), Error> {
        self.check_common(task).map(drop)
    }

    async fn validate_rescue(&self, task: &SharedTask) -> Result<(), Error> {
        self.check_agent_images(&BootNode::of_task(task), RamdiskMode::Rescue)
    }
}

/// Registers the four boot interfaces under their names; enables none.
///
/// ```
/// use std::sync::Arc;
/// use ironic_core::driver::fake::{self, FakeBehaviour};
/// use ironic_core::driver::Registry;
/// use ironic_core::states::InterfaceKind;
/// use ironic_pxe::BootServices;
/// use ironic_pxe::boot::BootConfig;
/// use ironic_pxe::dhcp::MemoryHosts;
/// use ironic_pxe::files::MemoryFiles;
///
/// let mut config = BootConfig::default();
/// config.http_url = "http://192.0.2.3:8088".into();
/// config.tftp_server = "192.0.2.3".into();
/// // What the TFTP, HTTP and DHCP servers of this process are given as well.
/// let (tftp, http, hosts) = (MemoryFiles::new(), MemoryFiles::new(), MemoryHosts::new());
/// let services = BootServices::new(config, Arc::new(tftp), Arc::new(http))
///     .with_dhcp(Arc::new(hosts));
///
/// let builder = fake::register(Registry::builder(), &FakeBehaviour::new());
/// let registry = ironic_pxe::register(builder, &services)
///     .enable(InterfaceKind::Boot, ["ipxe", "pxe"])
///     .build()?;
/// # Ok::<(), ironic_core::Error>(())
/// ```
pub fn register(builder: RegistryBuilder, services: &BootServices) -> RegistryBuilder {
    BootInterface::ALL
        .into_iter()
        .fold(builder, |builder, kind| {
            let interface = PxeBoot::new(kind, services.clone());
            builder.boot(kind.name(), Arc::new(interface))
        })
}
