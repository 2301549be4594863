//! What the rules say, and how a file overrides them.

use super::super::{Authorizer, Identity, Target};
use super::Policies;
use super::parse::parse;
use super::rules::DEFAULTS;

fn who(roles: &[&str], project: Option<&str>) -> Identity {
    let mut who = Identity::anonymous();
    who.roles = roles.iter().map(|role| (*role).to_owned()).collect();
    who.project_id = project.map(str::to_owned);
    who
}

fn of_system(roles: &[&str]) -> Identity {
    let mut who = who(roles, None);
    who.system_scope = Some("all".to_owned());
    who
}

const MINE: Target<'_> = Target::node(Some("mine"), None);

#[test]
fn every_default_can_be_read() {
    for rule in DEFAULTS {
        parse(rule.check).unwrap_or_else(|error| panic!("{}: {error}", rule.name));
        assert!(
            rule.was
                .is_none_or(|was| DEFAULTS.iter().any(|rule| rule.name == was))
        );
    }
    let policies = Policies::default();
    assert_eq!(policies.rules().count(), DEFAULTS.len());
    for rule in DEFAULTS {
        policies.check_references(rule.name).unwrap();
    }
}

#[test]
fn defaults_look_at_roles_scopes_and_owners() {
    let policies = Policies::default();
    let get =
        |who: &Identity, target: &Target<'_>| policies.allows("baremetal:node:get", who, target);
    let reader = who(&["Reader"], Some("mine"));
    assert!(get(&reader, &MINE));
    assert!(get(&reader, &Target::node(None, Some("mine"))));
    assert!(!get(&reader, &Target::node(Some("other"), None)));
    assert!(!get(&reader, &Target::node(None, None)));
    assert!(!get(&reader, &Target::allocation(Some("mine"))));
    assert!(
        !get(&who(&["admin"], Some("mine")), &MINE),
        "admin does not imply reader here"
    );
    assert!(get(&of_system(&["reader"]), &Target::node(None, None)));
    assert!(!get(&Identity::anonymous(), &Target::node(None, None)));
    assert!(
        !get(&Identity::trusted(), &MINE),
        "trust is not the rules' business"
    );
}

#[test]
fn scopes_hold() {
    let policies = Policies::default();
    let chassis =
        |who: &Identity| policies.allows("baremetal:chassis:get", who, &Target::nothing());
    assert!(chassis(&of_system(&["reader"])));
    let mut elevated = who(&["service"], Some("p"));
    elevated.project_name = Some("service".to_owned());
    let services = Policies::default().with_elevated_services_of("service");
    let nodes = "baremetal:node:list_all";
    assert!(services.allows(nodes, &elevated, &Target::nothing()));
    assert!(!policies.allows(nodes, &elevated, &Target::nothing()));
    let rule = "baremetal:chassis:get";
    assert!(
        !services.allows(rule, &elevated, &Target::nothing()),
        "not in this scope"
    );
    let mut of_domain = who(&["admin", "reader"], None);
    of_domain.domain_id = Some("d".to_owned());
    let list = "baremetal:node:list";
    assert!(!policies.allows(list, &of_domain, &Target::nothing()));
}

#[test]
fn nobody_owns_what_nobody_owns() {
    let policies = Policies::parse("is_node_owner: project_id:%(node.owner)s").unwrap();
    let nobody = Identity::anonymous();
    assert!(!policies.allows("is_node_owner", &nobody, &Target::node(None, None)));
    // Written out, it is what an unset value is called.
    let policies = Policies::parse("is_node_owner: project_id:None").unwrap();
    assert!(policies.allows("is_node_owner", &nobody, &Target::node(None, None)));
}

#[test]
fn a_file_overrides_rules() {
    let text = "\"baremetal:node:get\": \"rule:ours\"\nours: role:guest or @ and not role:bad\n";
    let policies = Policies::parse(text).unwrap();
    let get = |roles: &[&str]| policies.allows("baremetal:node:get", &who(roles, None), &MINE);
    assert!(get(&["guest", "bad"]));
    assert!(get(&[]));
    assert!(!get(&["bad"]));
}

#[test]
fn an_old_name_stands_for_the_newer_ones() {
    let policies = Policies::parse("baremetal:node:update: role:helper").unwrap();
    let helper = who(&["helper"], None);
    let may = |policies: &Policies, rule: &str| policies.allows(rule, &helper, &MINE);
    assert!(may(&policies, "baremetal:node:update"));
    assert!(may(&policies, "baremetal:node:update:driver_info"));
    assert!(!may(&policies, "baremetal:node:update:shard"));
    let text = "baremetal:node:update: role:helper\nbaremetal:node:update:driver_info: '!'\n";
    let policies = Policies::parse(text).unwrap();
    assert!(!may(&policies, "baremetal:node:update:driver_info"));
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_line_and_rule() {
    for (text, told) in [
        ("a: b\n", "line 1: the rule \"a\" is wrong: `b` is no check"),
        (
            "\nbaremetal:node:gett: '@'\n",
            "line 2: the rule \"baremetal:node:gett\" is wrong: there is no rule of this name, \
             and no other refers to it; did you mean \"baremetal:node:get\"?",
        ),
        (
            "is_admin: rule:is_admn\n",
            "rule:is_admn is nowhere; did you mean rule:is_admin?",
        ),
        (
            "is_admin: rule:is_admin\n",
            "it refers to itself: is_admin to is_admin",
        ),
        (
            "is_admin: rule:x\nx: rule:y\ny: rule:x\n",
            "it refers to itself",
        ),
        (
            "is_admin: '@'\nis_admin: '!'\n",
            "line 2: the rule \"is_admin\" is wrong: it is in line 1",
        ),
        (
            "is_admin\n",
            "policies, line 1: a rule's name must be followed",
        ),
    ] {
        let wrong = Policies::parse(text).unwrap_err().to_string();
        assert!(wrong.contains(told), "{text:?}: {wrong}");
    }
    let mut chain = String::from("is_admin: rule:r0\n");
    for at in 0..40 {
        chain += &format!("r{at}: rule:r{}\n", at + 1);
    }
    chain += "r40: '@'\n";
    let wrong = Policies::parse(&chain).unwrap_err().to_string();
    assert!(wrong.contains("in a row"), "{wrong}");
    let mut many = String::from("is_admin: rule:r0\n");
    for at in 0..20 {
        many += &format!("r{at}: rule:r{0} and rule:r{0}\n", at + 1);
    }
    many += "r20: '@'\n";
    let wrong = Policies::parse(&many).unwrap_err().to_string();
    assert!(wrong.contains("more than 4096 checks"), "{wrong}");
}

#[test]
fn steps_may_have_rules_of_their_own() {
    let rule = "baremetal:step:execute:raid.delete_configuration";
    let policies = Policies::parse(&format!("{rule}: '!'")).unwrap();
    assert!(policies.governs(rule));
    assert!(!Policies::default().governs(rule));
}

#[test]
fn why_is_told() {
    let policies = Policies::default();
    let rule = "baremetal:node:set_power_state";
    let why = |who: &Identity| policies.explain(rule, who, &MINE).unwrap();
    let yes = why(&who(&["member"], Some("mine")));
    assert!(yes.allowed);
    assert_eq!(
        yes.because,
        ["role:member holds", "project_id:%(node.owner)s holds"]
    );
    let no = why(&who(&["member"], Some("other")));
    assert!(!no.allowed);
    assert!(
        no.because
            .contains(&"project_id:%(node.owner)s does not hold".to_owned())
    );
    let scope = policies.explain("baremetal:chassis:get", &who(&["reader"], None), &MINE);
    assert_eq!(scope.unwrap().because, ["it is for system scope alone"]);
    assert!(policies.explain("nosuch", &who(&[], None), &MINE).is_none());
}
