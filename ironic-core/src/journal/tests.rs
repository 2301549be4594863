use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Decider, Entry, Incident, Journal, JsonLines, MAX_LINE, Missing, Redecided, Story, Verdict,
    noted,
};
use crate::Error;
use crate::config::Policy;
use crate::engine::{Catalogs, Input, Outcome, View};
use crate::flow::{CleaningSteps, Effect, Flow, Wait};
use crate::model::{InterfaceNames, Node};
use crate::runtime::Timestamp;
use crate::states::{FlowKind, InterfaceKind as I, ProvisionState as S, Verb};
use crate::steps::{Impact, Replay, StepCatalog, StepDef, StepPlan, UserStep};

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const SECRET: &str = "hunter2";
/// Keys of secrets, as drivers, agents and callers have them.
const SECRETS: [&str; 10] = [
    "ipmi_password",
    "redfish_Password",
    "snmp_auth_passwd",
    "agent_secret_token",
    "rescue_password",
    "hashed_rescue_password",
    "configdrive",
    "ssl_private_key",
    "adminPass",
    "x_auth_token",
];

fn names() -> InterfaceNames {
    InterfaceNames::try_from_fn(|_| Ok::<_, Error>("fake".to_owned())).unwrap()
}

fn catalog(_: &Node, kind: FlowKind) -> StepCatalog {
    let burn = StepDef::new(I::Deploy, "burn", 10, Replay::Never, Impact::ERASE);
    let burn = burn.arg("password", false).without_ramdisk();
    StepCatalog::new(kind, vec![burn])
}

fn taken(node: &Node, flow: Option<&Flow>, input: &Input) -> Entry {
    let names = names();
    let view = View::new(node, flow, &names, Catalogs::new(&catalog));
    let by = Decider {
        conductor: "cond-a",
        epoch: Some(7),
        purpose: "test",
        request: Some("req-test"),
    };
    *noted(&view, input, &Policy::default(), NOW, by).1.unwrap()
}

fn verb(verb: Verb, steps: Vec<UserStep>) -> Input {
    Input::Verb {
        verb,
        steps,
        disable_ramdisk: false,
        cleaning: CleaningSteps::Priorities,
        user: Some("alice".to_owned()),
    }
}

/// A node full of secrets.
fn node(state: S) -> Node {
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = state;
    let maps = [
        &mut node.driver_info,
        &mut node.driver_internal_info,
        &mut node.properties,
        &mut node.extra,
        &mut node.instance_info,
        &mut node.network_data,
        &mut node.raid_config,
        &mut node.target_raid_config,
    ];
    for map in maps {
        for key in SECRETS {
            map.insert(key.to_owned(), SECRET.into());
        }
        let deep = json!([{"deep": {"password": SECRET, "token": {"value": SECRET}}}]);
        map.insert("list".to_owned(), deep);
    }
    node
}

/// A step with secrets in its arguments, as somebody asks for it.
fn burn() -> UserStep {
    let burn = UserStep::new(I::Deploy, "burn").with_arg("password", SECRET);
    burn.with_priority(5)
}

/// A deployment amid a step.
fn deploying() -> (Node, Flow) {
    let node = node(S::Deploying);
    let mut flow = Flow::new(node.uuid, FlowKind::Deploy, node.generation, NOW);
    flow.asked = vec![burn()];
    flow.cleaning = CleaningSteps::Runbook {
        steps: vec![burn()],
        disable_ramdisk: false,
    };
    let catalog = catalog(&node, FlowKind::Deploy);
    flow.plan = StepPlan::requested(&catalog, &flow.asked, false).unwrap();
    flow.args.insert("token".to_owned(), SECRET.into());
    flow.begin(Effect::RunStep { index: 0 }, Replay::Never, NOW);
    (node, flow)
}

fn came(outcome: Outcome) -> Input {
    Input::Outcome {
        generation: 0,
        seq: 1,
        outcome,
    }
}

fn failed() -> Entry {
    let (node, flow) = deploying();
    let outcome = Outcome::Failed {
        code: "driver".to_owned(),
        message: "the disk\nis \u{1b}[31mgone".to_owned(),
    };
    taken(&node, Some(&flow), &came(outcome))
}

fn entries() -> Vec<Entry> {
    let (node, flow) = deploying();
    let wait = Wait::for_agent("the next step runs");
    vec![
        taken(
            &self::node(S::Available),
            None,
            &verb(Verb::Deploy, vec![burn()]),
        ),
        taken(
            &self::node(S::Manageable),
            None,
            &verb(Verb::Clean, vec![burn()]),
        ),
        taken(&self::node(S::Active), None, &verb(Verb::Provide, vec![])),
        taken(&self::node(S::Active), None, &verb(Verb::Rescue, vec![])),
        taken(&node, Some(&flow), &came(Outcome::Wait(wait))),
        taken(&node, Some(&flow), &came(Outcome::Done)),
        taken(&node, Some(&flow), &Input::Recover),
        taken(&node, Some(&flow), &Input::Due { generation: 5 }),
        failed(),
    ]
}

fn lines(entries: &[Entry]) -> String {
    let lines = entries.iter().map(|e| serde_json::to_string(e).unwrap());
    lines.map(|line| line + "\n").collect()
}

fn read(text: impl AsRef<[u8]>) -> Vec<Result<Entry, super::Gap>> {
    Incident::read(text.as_ref()).collect()
}

#[test]
fn no_secret_gets_into_the_journal_and_none_is_needed_to_decide_again() {
    for entry in entries() {
        let line = serde_json::to_string(&entry).unwrap();
        assert!(!line.contains(SECRET), "{line}");
        assert!(!format!("{entry:?}").contains(SECRET));
        assert!(!entry.details().join("\n").contains(SECRET));
        let back: Entry = serde_json::from_str(&line).unwrap();
        assert_eq!(back, entry);
        assert_eq!(back.redecide(), Redecided::Same, "{}", entry.question());
        for key in SECRETS {
            assert_eq!(back.saw.node.driver_info[key], "***", "{key}");
        }
    }
}

#[test]
fn what_is_decided_otherwise_is_told_by_its_place() {
    let mut line = serde_json::to_value(failed()).unwrap();
    assert_eq!(
        line["verdict"]["changed"]["provision_state"],
        "deploy failed"
    );
    line["verdict"]["changed"]["provision_state"] = json!("active");
    line["verdict"]["flow"]["pending"][0]["attempt"] = json!(2);
    let entry: Entry = serde_json::from_value(line).unwrap();
    let told = entry.redecide().to_string();
    let expected = "decided otherwise now:
  changed.provision_state: then \"active\", now \"deploy failed\"
  flow.pending[0].attempt: then 2, now 1";
    assert_eq!(told, expected);
}

#[test]
fn what_was_cleared_then_and_is_left_alone_now_differs() {
    let mut line = serde_json::to_value(failed()).unwrap();
    assert!(line["verdict"]["changed"].get("description").is_none());
    line["verdict"]["changed"]["description"] = Value::Null;
    let entry: Entry = serde_json::from_value(line).unwrap();
    let told = entry.redecide().to_string();
    let expected = "decided otherwise now:\n  changed.description: then null, now nothing";
    assert_eq!(told, expected);
}

#[test]
fn nothing_that_is_told_is_obeyed_by_a_terminal() {
    let bad = "\u{1b}[2J\u{9b}31m\u{202e}\r\n";
    let mut line = serde_json::to_value(failed()).unwrap();
    line["verdict"]["changed"][bad] = json!(bad);
    let entry: Entry = serde_json::from_value(line).unwrap();
    let differences = entry.redecide();
    let mut told: Vec<_> = differences
        .differences()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let mut asked = taken(&node(S::Active), None, &verb(Verb::Provide, vec![]));
    if let Input::Verb { user, .. } = &mut asked.input {
        *user = Some(bad.to_owned());
    }
    told.push(asked.question());
    told.extend(failed().details());
    let gap = read(format!("{{\"schema\":1,\"saw\":\"{}\"}}", "\u{9b}31m"));
    told.extend(
        gap.into_iter()
            .filter_map(Result::err)
            .map(|gap| gap.to_string()),
    );
    for told in told {
        let obeyed = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!told.contains(obeyed), "{told:?}");
    }
}

#[test]
fn a_catalogue_that_was_not_asked_for_then_is_a_difference() {
    let mut entry = taken(&node(S::Manageable), None, &verb(Verb::Clean, vec![burn()]));
    assert_eq!(entry.saw.steps.len(), 1, "it looks whether the step fits");
    assert!(entry.redecide().is_same());
    entry.saw.steps.clear();
    let told = entry.redecide().to_string();
    assert!(
        told.contains("(the steps of clean were asked for)"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let whole = lines(&entries());
    let first = whole.lines().next().unwrap();
    let newer = first.replacen("\"schema\":1", "\"schema\":2", 1);
    let mut most = failed();
    most.saw.node.generation = u64::MAX;
    let counted = lines(&[most]);
    let counted = counted.trim_end();
    let long = "x".repeat(MAX_LINE + 5);
    let dropped = "{\"schema\":1,\"dropped\":3}";
    let (cut, _) = first.split_at(first.len() / 2);
    let text = format!(
        "{first}\nnot json\n\n{newer}\n{counted}\n{long}\n{dropped}\n{{\"schema\":1}}\n\u{fffd}\n{first}\n{cut}"
    );
    let told: Vec<_> = read(&text)
        .into_iter()
        .map(|entry| {
            entry
                .map(|_| ())
                .map_err(|gap| (gap.is_retryable(), gap.to_string()))
        })
        .collect();
    let starts = [
        None,
        Some("line 2: no entry: expected ident"),
        Some("line 4: of schema 2, and the newest that is known here is 1"),
        Some("line 5: no entry: a number in it is higher than anything counts"),
        Some("line 6: longer than 4194304 bytes"),
        Some("line 7: 3 decisions were not recorded here"),
        Some("line 8: no entry: missing field"),
        Some("line 9: no entry: expected value"),
        None,
        Some("line 11: the entry is cut off"),
    ];
    assert_eq!(told.len(), starts.len(), "{told:?}");
    for (told, start) in told.iter().zip(starts) {
        match (told, start) {
            (Ok(()), None) => {}
            (Err((again, text)), Some(start)) => {
                assert!(text.starts_with(start), "{text}");
                assert_eq!(*again, start.ends_with("cut off"));
            }
            (told, start) => panic!("{told:?} for {start:?}"),
        }
    }
    assert_eq!(
        read(first).len(),
        1,
        "a last line that is whole needs no end"
    );
    let other = Incident::read(text.as_bytes()).of(Uuid::from_u128(2));
    assert!(other.flatten().next().is_none());
}

#[test]
fn a_story_is_told_by_locks_and_without_what_a_terminal_obeys() {
    let (mut late, early) = (failed(), entries().remove(0));
    (late.epoch, late.conductor) = (Some(9), "cond-b".to_owned());
    let story: Story = read(lines(&[late, early]) + "?\n").into_iter().collect();
    let expected = "\
node 00000000-0000-0000-0000-000000000001, fake-hardware, from 2027-01-15T08:00:00.000000+00:00
   0:00:00.000  cond-a  alice asked: deploy (deploy.burn)         available → deploying (towards active)
                      └ next: prepare (#1, may run again)
   0:00:00.000  cond-b  step deploy.burn (1 of 1): failed   deploying → deploy failed
                      ├ error: driver step deploy.burn failed: the disk is  [31mgone
                      └ next: clean up (#2, may run again)
missing: line 3: no entry: expected value at line 1 column 1";
    let plain: Vec<_> = expected.lines().map(squeezed).collect();
    let told = story.to_string();
    assert_eq!(
        told.lines().map(squeezed).collect::<Vec<_>>(),
        plain,
        "{told}"
    );
    assert_eq!(story.gaps().len(), 1);
}

/// The words of a line: how they are lined up is for eyes.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A writer that takes a line whenever it is let, and fails where it is told to.
struct Gate {
    opened: Receiver<bool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Gate {
    fn new() -> (Self, SyncSender<bool>, Arc<Mutex<Vec<u8>>>) {
        let (open, opened) = sync_channel(1000);
        let written = Arc::default();
        let gate = Self {
            opened,
            written: Arc::clone(&written),
        };
        (gate, open, written)
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let works = self.opened.recv().unwrap_or(true);
        let take = if works { bytes.len() } else { 10 };
        self.written.lock().unwrap().extend(bytes.iter().take(take));
        if works {
            Ok(take)
        } else {
            Err(io::Error::other("no space left"))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_slow_writer_holds_nobody_up_and_what_is_dropped_is_told() {
    let (gate, open, written) = Gate::new();
    let journal = JsonLines::with_capacity(gate, 2).unwrap();
    let entry = Box::new(failed());
    // One is with the writer at most, two wait. When the writer takes its one is up to the
    // system: what is dropped until then leaves a gap before the one that finds room after it.
    let mut expected = Vec::new();
    let mut missing = 0;
    for _ in 0..10 {
        let before = journal.dropped();
        journal.record(entry.clone());
        if journal.dropped() > before {
            missing += 1;
            continue;
        }
        expected.extend((missing > 0).then_some(missing));
        expected.push(0);
        missing = 0;
    }
    let dropped = journal.dropped();
    assert!((7..=8).contains(&dropped), "{dropped}");
    // The rest is told after all that found room, and before the one that comes when it is open.
    expected.extend((missing > 0).then_some(missing));
    expected.push(0);
    drop(open);
    journal.flush().await;
    journal.record(entry);
    journal.flush().await;
    assert_eq!(journal.dropped(), dropped);
    let text = written.lock().unwrap().clone();
    let told: Vec<_> = read(text)
        .into_iter()
        .map(|told| match told {
            Ok(_) => 0,
            Err(gap) => match gap.missing {
                Missing::Dropped { entries } => entries,
                other => panic!("{other}"),
            },
        })
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_writer_that_fails_spoils_no_more_than_that_line() {
    let (gate, open, written) = Gate::new();
    let journal = JsonLines::to(gate).unwrap();
    for works in [true, false] {
        open.send(works).unwrap();
        journal.record(Box::new(failed()));
    }
    drop(open);
    journal.flush().await;
    journal.record(Box::new(failed()));
    journal.flush().await;
    assert_eq!(journal.dropped(), 1);
    let text = written.lock().unwrap().clone();
    let told: Vec<_> = read(text)
        .into_iter()
        .map(|told| told.map(|_| ()).map_err(|gap| gap.missing))
        .collect();
    assert!(
        matches!(
            told[..],
            [
                Ok(()),
                Err(Missing::Damaged { .. }),
                Err(Missing::Dropped { entries: 1 }),
                Ok(())
            ]
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_entry_longer_than_a_line_is_dropped() {
    let (gate, open, written) = Gate::new();
    drop(open);
    let journal = JsonLines::to(gate).unwrap();
    let mut entry = failed();
    entry.purpose = "x".repeat(MAX_LINE);
    journal.record(Box::new(entry));
    journal.flush().await;
    journal.flush().await;
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["dropped"], 1, "{text}");
}

#[test]
fn a_refusal_is_told_in_its_words() {
    let entry = taken(&node(S::Active), None, &verb(Verb::Provide, vec![]));
    let Verdict::Refused(error) = &entry.verdict else {
        panic!("{:?}", entry.verdict)
    };
    assert_eq!(error.code, "invalid_state");
    let told = entry.details();
    assert!(
        told[0].starts_with("refused: the requested action \"provide\""),
        "{told:?}"
    );
}

static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let lines = entries().into_iter();
    lines.map(|e| serde_json::to_vec(&e).unwrap()).collect()
});

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let story: Story = Incident::read(&bytes[..]).collect();
        let _ = story.to_string();
    }

    /// An entry with other numbers, strings or less of it is refused, or decided and told.
    #[test]
    fn a_changed_entry_does_no_harm(which in 0_usize..9, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut line = LINES[which].clone();
        for (at, byte) in changes {
            let at = at.index(line.len());
            // Mostly digits for digits and letters for letters, so that it is still read.
            line[at] = match line[at] {
                b'0'..=b'9' => b'0' + byte % 10,
                b'a'..=b'z' => b'a' + byte % 26,
                _ => byte,
            };
        }
        for entry in read(&line).into_iter().flatten() {
            let _ = entry.redecide().to_string();
            let story: Story = [Ok(entry)].into_iter().collect();
            let _ = story.to_string();
        }
    }
}
