//! Real peers, and a relay that counts what passes.
#![allow(dead_code, reason = "no test uses all of them")]

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::UdpSocket,
    process::{Child, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// A program of a Debian package; says so where the package is missing.
pub(crate) fn program(name: &str, package: &str) -> Command {
    let found = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin"]
        .into_iter()
        .any(|folder| std::path::Path::new(folder).join(name).exists());
    assert!(found, "{name} is missing: apt-get install {package}");
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a program to its end; success, and its output and errors together.
pub(crate) async fn output(command: &mut Command) -> (bool, String) {
    let output = timeout(Duration::from_secs(60), command.output())
        .await
        .expect("the program hangs")
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.success(),
        text + &String::from_utf8_lossy(&output.stderr),
    )
}

/// `ipmitool` on its way to a BMC.
pub(crate) fn ipmitool(bmc: SocketAddr, user: &str, password: &str) -> Command {
    let mut tool = program("ipmitool", "ipmitool");
    tool.args(["-I", "lanplus", "-H", &bmc.ip().to_string()])
        .args(["-p", &bmc.port().to_string()])
        .args(["-U", user, "-P", password]);
    tool
}

/// OpenIPMI's simulator, users `admin`/`password`, `operator`/`secret` and `keeper`/`0pen-sesame`; its power state is a file.
pub(crate) struct IpmiSim {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    child: Child,
}

impl IpmiSim {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more of what its machine is made of.
    pub(crate) async fn start_with(parts: &str) -> Self {
        Self::start_as(parts, "").await
    }

    /// With a serial port that leads there.
    pub(crate) async fn start_with_serial(port: SocketAddr) -> Self {
        Self::start_as(
            "",
            &format!("sol \"tcp:{}:{}\" 115200\n", port.ip(), port.port()),
        )
        .await
    }

    async fn start_as(parts: &str, lan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        loop {
            // The port is free now; should somebody else take it before the simulator does, another one is tried.
            let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            configure(&folder, address, parts, lan);
            let mut child = launch(&folder);
            if is_up(&mut child, address).await {
                return Self {
                    address,
                    folder,
                    child,
                };
            }
        }
    }

    /// Ends it, with all its sessions and the machine's power, and starts it again at the same address.
    pub(crate) async fn restart(&mut self) {
        self.child.kill().await.unwrap();
        let _ = std::fs::remove_file(self.folder.path().join("power"));
        self.child = launch(&self.folder);
        assert!(is_up(&mut self.child, self.address).await);
    }
}

fn configure(folder: &TempDir, address: SocketAddr, parts: &str, lan: &str) {
    let root = folder.path();
    let state = root.display();
    let chassis = root.join("chassis.sh");
    std::fs::create_dir_all(root.join("state")).unwrap();
    let script = format!(
        "#!/bin/sh\ncd {state}\nop=$1; shift\nif [ $op = get ]; then\n for p in \"$@\"; do v=0; [ $p = boot ] && v=none\n \
         [ -f $p ] && read -r v < $p; echo $p:$v; done\nelif [ $op = set ]; then\n while [ $# -ge 2 ]; do\n case $1 in \
         shutdown) echo 0 > power ;; reset) ;; *) echo $2 > $1 ;; esac; shift 2; done\nfi\nexit 0\n"
    );
    std::fs::write(&chassis, script).unwrap();
    let config = format!(
        "name \"bmc\"\nset_working_mc 0x20\nstartlan 1\n addr {} {}\n priv_limit admin\n allowed_auths_callback none md2 md5 \
         straight\n allowed_auths_user none md2 md5 straight\n allowed_auths_operator none md2 md5 straight\n \
         allowed_auths_admin none md2 md5 straight\n guid a123456789abcdefa123456789000001\nendlan\nchassis_control \"sh \
         {}\"\n{lan}user 1 false \"\" \"test\" user 10 none md2 md5 straight\nuser 2 true \"admin\" \"password\" admin 10 none md2 \
         md5 straight\nuser 3 true \"operator\" \"secret\" operator 10 none md2 md5 straight\nuser 4 true \"keeper\" \
         \"0pen-sesame\" admin 10 none md2 md5 straight\n",
        address.ip(),
        address.port(),
        chassis.display()
    );
    std::fs::write(root.join("lan.conf"), config).unwrap();
    let machine = format!(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\n{parts}mc_enable 0x20\n"
    );
    std::fs::write(root.join("sim.emu"), machine).unwrap();
}

fn launch(folder: &TempDir) -> Child {
    let root = folder.path();
    program("ipmi_sim", "openipmi")
        .current_dir(root)
        .args(["-n", "-c", "lan.conf", "-f", "sim.emu", "-s", "state"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the simulator answers a presence ping; false where it has ended.
async fn is_up(child: &mut Child, address: SocketAddr) -> bool {
    let ping = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(address).await.unwrap();
    let mut buffer = [0; 64];
    for _ in 0..200 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // Refused as long as nobody listens.
        let _: io::Result<_> = socket.send(&ping).await;
        let answer = timeout(Duration::from_millis(50), socket.recv(&mut buffer)).await;
        match answer {
            Ok(Ok(_)) => return true,
            Ok(Err(_)) => sleep(Duration::from_millis(20)).await,
            Err(_) => {}
        }
    }
    panic!("ipmi_sim does not answer at {address}");
}

/// Passes datagrams between one console and one BMC, and counts the console's.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(bmc: SocketAddr) -> Self {
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        far.connect(bmc).await.unwrap();
        let address = near.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        let task = tokio::spawn(async move {
            let (mut up, mut down) = ([0; 2048], [0; 2048]);
            let mut console = None;
            loop {
                tokio::select! {
                    biased;
                    Ok((len, from)) = near.recv_from(&mut up) => {
                        console = Some(from);
                        counter.fetch_add(1, Ordering::SeqCst);
                        if !is_cut.load(Ordering::SeqCst) {
                            let _ = far.send(&up[..len]).await;
                        }
                    }
                    Ok(len) = far.recv(&mut down) => {
                        if let Some(console) = console {
                            let _ = near.send_to(&down[..len], console).await;
                        }
                    }
                }
            }
        });
        Self {
            address,
            requests,
            cut,
            task,
        }
    }

    /// Lets nothing through to the BMC, or everything again.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// How many datagrams the console has sent.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
