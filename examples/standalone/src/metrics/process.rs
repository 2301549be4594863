//! What the process takes of the machine, from Linux's `/proc` (proc(5)).

use std::path::Path;

use super::Metrics;

/// Clock ticks in a second, as user space sees them on Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Puts what the process takes now; nothing where there is no `/proc`.
pub(super) fn measure(metrics: &Metrics) {
    measure_in(metrics, Path::new("/proc"));
}

fn measure_in(metrics: &Metrics, proc: &Path) {
    let set = |name: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            metrics.describe(name, help);
            metrics.gauge(name, &[]).set(value);
        }
    };
    let read = |file: &str| std::fs::read_to_string(proc.join(file)).unwrap_or_default();
    let (stat, status) = (read("self/stat"), read("self/status"));
    // The name of the program comes second, in parentheses, and may contain anything.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<f64>().ok();
    let cpu = field(14).zip(field(15));
    set(
        "process_cpu_seconds_total",
        "Processor time that the process has taken, in seconds.",
        cpu.map(|(user, system)| (user + system) / TICKS),
    );
    let boot = number_after(&read("stat"), "btime ");
    set(
        "process_start_time_seconds",
        "When the process was started, in seconds since 1970.",
        boot.zip(field(22))
            .map(|(boot, ticks)| boot + ticks / TICKS),
    );
    let bytes = |name: &str| number_after(&status, name).map(|kib| kib * 1024.0);
    set(
        "process_resident_memory_bytes",
        "Memory that the process has in the machine.",
        bytes("VmRSS:"),
    );
    set(
        "process_virtual_memory_bytes",
        "Memory that the process has addresses for.",
        bytes("VmSize:"),
    );
    set(
        "process_threads",
        "Threads of the process.",
        number_after(&status, "Threads:"),
    );
    let open = std::fs::read_dir(proc.join("self/fd")).map(Iterator::count);
    set(
        "process_open_fds",
        "Files, sockets and pipes that the process has open.",
        open.ok()
            .and_then(|open| u32::try_from(open).ok())
            .map(f64::from),
    );
    set(
        "process_max_fds",
        "How many of them it may have.",
        number_after(&read("self/limits"), "Max open files"),
    );
}

/// The number that follows a name at the beginning of a line.
fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Metrics, measure_in};

    #[test]
    fn a_process_is_measured_whatever_its_name() {
        let proc = tempfile::tempdir().unwrap();
        let own = proc.path().join("self");
        std::fs::create_dir_all(own.join("fd")).unwrap();
        for fd in 0..3 {
            std::fs::write(own.join("fd").join(fd.to_string()), "").unwrap();
        }
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 4 0 1000 8 9";
        std::fs::write(own.join("stat"), stat).unwrap();
        std::fs::write(
            own.join("status"),
            "Name:\ta\nVmSize:\t  20 kB\nVmRSS:\t  10 kB\n",
        )
        .unwrap();
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files   1024   4096   files\n";
        std::fs::write(own.join("limits"), limits).unwrap();
        std::fs::write(proc.path().join("stat"), "cpu 1\nbtime 1000000\n").unwrap();
        let metrics = Metrics::new();
        measure_in(&metrics, proc.path());
        let text = metrics.render();
        for line in [
            "process_cpu_seconds_total 2",
            "process_start_time_seconds 1000010",
            "process_resident_memory_bytes 10240",
            "process_virtual_memory_bytes 20480",
            "process_open_fds 3",
            "process_max_fds 1024",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{text}");
        }
        let nowhere = Metrics::new();
        measure_in(&nowhere, &proc.path().join("nosuch"));
        assert_eq!(nowhere.render(), "");
    }
}
