use proptest::prelude::*;

use super::*;
use crate::script::Value;

fn origin() -> Location {
    Location::Http("http://192.0.2.1/boot.ipxe".parse().unwrap())
}

fn session(script: &str) -> IpxeSession {
    let mut settings = Settings::default();
    for name in ["mac", "net0/mac"] {
        let mac = Value::Bytes(vec![0x52, 0x54, 0, 0, 0, 1]);
        settings.set(name, mac).unwrap();
    }
    IpxeSession::new(format!("#!ipxe\n{script}").as_bytes(), origin(), settings).unwrap()
}

fn fetch(path: &str, kind: FetchKind) -> Step {
    Step::Fetch {
        location: origin().join(path).unwrap(),
        kind,
        timeout: None,
    }
}

#[test]
fn cards_are_counted_until_one_has_a_configuration() {
    let mut ipxe = session(
        "set card:int32 -1\n:next\ninc card || goto old\nisset ${net${card}/mac} || goto none\n\
         chain cfg/${net${card}/mac:hexhyp} || goto next\nexit 0\n:none\nreboot\n",
    );
    let wanted = fetch("cfg/52-54-00-00-00-01", FetchKind::Script);
    assert_eq!(ipxe.step(Answer::Done), Ok(wanted));
    // Without a configuration the cards run out.
    let last = ipxe.step(Answer::Failed);
    assert_eq!(last, Ok(Step::Finish(Ending::Reboot)));
}

#[test]
fn a_chained_script_boots_relative_to_itself() {
    let mut ipxe = session("chain u/config || reboot\n");
    ipxe.step(Answer::Done).unwrap();
    let script = "#!ipxe\ngoto deploy\n:deploy\nimgfree\n\
        kernel --timeout 5000 k a=1 BOOTIF=${mac} || goto no\ninitrd r || goto no\nboot\n:no\nexit 1\n";
    let step = ipxe.step(Answer::Script(script.into()));
    let kernel = Step::Fetch {
        location: origin().join("u/k").unwrap(),
        kind: FetchKind::Kernel,
        timeout: Some(Duration::from_secs(5)),
    };
    assert_eq!(step, Ok(kernel));
    let step = ipxe.step(Answer::Done);
    assert_eq!(step, Ok(fetch("u/r", FetchKind::Initrd)));
    let linux = Ending::Linux {
        command_line: "a=1 BOOTIF=52:54:00:00:00:01".to_owned(),
        ramdisks: 1,
    };
    assert_eq!(ipxe.step(Answer::Done), Ok(Step::Finish(linux)));
}

#[test]
fn connectors_follow_the_latest_command_that_ran() {
    for (script, ending) in [
        ("iseq a b && poweroff || reboot", Ending::Reboot),
        ("iseq a a && poweroff || reboot", Ending::PowerOff),
        ("iseq a b || iseq a a && reboot", Ending::Reboot),
        ("iseq a b && reboot ||\npoweroff", Ending::PowerOff),
        (
            "isset ${nothing} || goto end\npoweroff\n:end\nreboot",
            Ending::Reboot,
        ),
        ("exit 0\nreboot", Ending::NextDevice),
        ("echo nothing to boot", Ending::NextDevice),
    ] {
        let step = session(script).step(Answer::Done);
        assert_eq!(step, Ok(Step::Finish(ending)), "{script}");
    }
    for script in [
        "iseq a b\nreboot",
        "exit 1",
        "goto nowhere",
        "boot",
        "unheard-of",
    ] {
        let step = session(script).step(Answer::Done);
        assert!(
            matches!(step, Err(ScriptError::Failed(_))),
            "{script}: {step:?}"
        );
    }
}

#[test]
fn downloads_that_fail_are_tried_again_after_a_pause() {
    let mut ipxe = session(
        "set most:int32 2\nset n:int32 0\n:try\nkernel k || goto again\nboot\n:again\ninc n\n\
         iseq ${n} ${most} && goto up ||\nsleep ${n} && goto try\n:up\npoweroff\n",
    );
    let kernel = || fetch("k", FetchKind::Kernel);
    assert_eq!(ipxe.step(Answer::Done), Ok(kernel()));
    let pause = ipxe.step(Answer::Failed);
    assert_eq!(pause, Ok(Step::Pause(Duration::from_secs(1))));
    assert_eq!(ipxe.step(Answer::Done), Ok(kernel()));
    assert_eq!(
        ipxe.step(Answer::Failed),
        Ok(Step::Finish(Ending::PowerOff))
    );
}

#[test]
fn a_disk_that_does_not_boot_is_a_failed_command() {
    let script = "sanboot --no-describe || exit 0";
    assert_eq!(session(script).step(Answer::Done), Ok(Step::BootDisk));
    let mut ipxe = session(script);
    ipxe.step(Answer::Done).unwrap();
    let step = ipxe.step(Answer::Failed);
    assert_eq!(step, Ok(Step::Finish(Ending::NextDevice)));
    let remote = session("sanboot iscsi:192.0.2.1::::iqn").step(Answer::Done);
    assert!(matches!(remote, Err(ScriptError::Failed(_))), "{remote:?}");
}

#[test]
fn a_key_that_nobody_presses() {
    let mut ipxe = session("prompt --timeout 180000 ||\nreboot\n");
    let pause = ipxe.step(Answer::Done);
    assert_eq!(pause, Ok(Step::Pause(Duration::from_secs(180))));
    assert_eq!(ipxe.step(Answer::Done), Ok(Step::Finish(Ending::Reboot)));
}

#[test]
fn hostile_scripts_end() {
    let error = session(":a\ngoto a\n").step(Answer::Done).unwrap_err();
    assert!(matches!(error, ScriptError::Endless { .. }), "{error}");
    let labels_only = session(":a\n:b\n").step(Answer::Done);
    assert_eq!(labels_only, Ok(Step::Finish(Ending::NextDevice)));
    for script in ["chain a\n", ":a\nchain a || goto a\n"] {
        let mut ipxe = session(script);
        ipxe.step(Answer::Done).unwrap();
        let error = loop {
            let content = format!("#!ipxe\n{script}").into_bytes();
            match ipxe.step(Answer::Script(content)) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error, ScriptError::TooLong("the chain of scripts"));
    }
    let mut ipxe = session(":a\nchain a || goto a\n");
    ipxe.step(Answer::Done).unwrap();
    let error = loop {
        if let Err(error) = ipxe.step(Answer::Failed) {
            break error;
        }
    };
    assert!(matches!(error, ScriptError::Endless { .. }), "{error}");
}

proptest! {
    #[test]
    fn any_script_ends(
        script in "((set|inc|goto|chain|kernel|initrd|boot|exit|sleep|iseq|:a)? ?(a|1|[ -~]{0,8}) ?(&&|\\|\\|)? ?(goto a|boot)?\n){0,10}",
        fails in any::<bool>(),
    ) {
        let content = format!("#!ipxe\n{script}").into_bytes();
        if let Ok(mut ipxe) = IpxeSession::new(&content, origin(), Settings::default()) {
            let mut answer = Answer::Done;
            loop {
                answer = match ipxe.step(answer) {
                    Err(_) | Ok(Step::Finish(_)) => break,
                    Ok(_) if fails => Answer::Failed,
                    Ok(Step::Fetch { kind: FetchKind::Script, .. }) => Answer::Script(content.clone()),
                    Ok(_) => Answer::Done,
                };
            }
        }
    }
}
