//! What a boot configuration means: the entry that is booted by default, and what it boots.

use serde_json::{Map, Value, json};

/// Reads a configuration of any of the three languages.
pub(crate) fn meaning(text: &str) -> Value {
    if text.starts_with("#!ipxe") {
        ipxe(text)
    } else if text.lines().any(|line| line.starts_with("menuentry")) {
        grub(text)
    } else {
        pxelinux(text)
    }
}

fn pxelinux(text: &str) -> Value {
    let entry = text
        .lines()
        .find_map(|line| line.strip_prefix("default "))
        .unwrap_or_default();
    let label = format!("label {entry}");
    let lines = text
        .lines()
        .skip_while(|line| *line != label)
        .skip(1)
        .take_while(|line| !line.starts_with("label "))
        .filter(|line| !line.trim().is_empty());
    let mut found = Map::new();
    for line in lines {
        let (command, rest) = line.trim().split_once(' ').unwrap_or((line, ""));
        match command {
            "kernel" => set(&mut found, "kernel", rest.trim()),
            "ipappend" => drop(found.insert("ipappend".into(), json!(rest.parse::<u8>().unwrap()))),
            "COM32" => {}
            "append" if rest.starts_with("mbr:") => set(&mut found, "local_disk", &rest[4..]),
            "append" => {
                let (initrd, arguments) = without_initrd(rest);
                set(&mut found, "initrd", initrd.unwrap_or_default());
                found.insert("arguments".into(), json!(arguments));
            }
            _ => other(&mut found, line),
        }
    }
    named(found, "pxelinux", json!(entry))
}

fn grub(text: &str) -> Value {
    let entry = text
        .lines()
        .find_map(|line| line.strip_prefix("set default="))
        .unwrap_or_default();
    let head = format!("menuentry \"{entry}\"");
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&head))
        .skip(1)
        .take_while(|line| *line != "}");
    let mut found = Map::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["linux", "chain.c32", disk] => {
                set(&mut found, "local_disk", disk.strip_prefix("mbr:").unwrap());
            }
            ["linux", kernel, arguments @ ..] => {
                set(&mut found, "kernel", kernel);
                found.insert("arguments".into(), json!(arguments));
            }
            ["initrd", initrd] => set(&mut found, "initrd", initrd),
            _ => other(&mut found, line),
        }
    }
    named(found, "grub", json!(entry))
}

fn ipxe(text: &str) -> Value {
    let mut found = Map::new();
    if text
        .lines()
        .any(|line| line.starts_with("chain ") && line.contains("mac:hexhyp}"))
    {
        found.insert("chains_by_mac".into(), json!(true));
    }
    let attempts = text
        .lines()
        .find_map(|line| line.strip_prefix("set attempts:int32 "));
    if let Some(attempts) = attempts {
        found.insert("attempts".into(), json!(attempts.parse::<u8>().unwrap()));
    }
    let Some(entry) = text.lines().find_map(|line| line.strip_prefix("goto ")) else {
        return named(found, "ipxe", Value::Null);
    };
    let label = format!(":{entry}");
    let lines = text
        .lines()
        .skip_while(|line| *line != label)
        .skip(1)
        .take_while(|line| !line.starts_with(':'));
    let mut commands = Vec::new();
    for line in lines {
        let line = line.split("||").next().unwrap().trim();
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "kernel" => {
                let (initrd, arguments) = without_initrd(rest);
                let (kernel, arguments) = arguments.split_first().unwrap();
                set(&mut found, "kernel", kernel);
                found.insert("arguments".into(), json!(arguments));
                if let Some(initrd) = initrd {
                    set(&mut found, "initrd_name", initrd);
                }
                if line.contains("--timeout") {
                    set(&mut found, "timeout", line);
                }
            }
            "initrd" => {
                set(
                    &mut found,
                    "initrd",
                    rest.split_whitespace().last().unwrap_or_default(),
                );
            }
            "set" | "sanhook" | "sanboot" => commands.push(line.to_owned()),
            _ => {}
        }
    }
    if !commands.is_empty() {
        found.insert("commands".into(), json!(commands));
    }
    named(found, "ipxe", json!(entry))
}

fn named(mut found: Map<String, Value>, format: &str, entry: Value) -> Value {
    found.insert("format".into(), json!(format));
    found.insert("entry".into(), entry);
    Value::Object(found)
}

fn set(found: &mut Map<String, Value>, name: &str, value: &str) {
    found.insert(name.into(), json!(value));
}

// A line that no boot loader knows is recorded by its command and the command's first argument.
fn other(found: &mut Map<String, Value>, line: &str) {
    let words: Vec<&str> = line.split_whitespace().take(2).collect();
    let list = found.entry("other").or_insert_with(|| json!([]));
    list.as_array_mut().unwrap().push(json!(words.join(" ")));
}

fn without_initrd(text: &str) -> (Option<&str>, Vec<&str>) {
    let initrd = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix("initrd="));
    let others = text
        .split_whitespace()
        .filter(|word| !word.starts_with("initrd="))
        .collect();
    (initrd, others)
}
