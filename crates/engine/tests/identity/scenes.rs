//! Made records in the shapes that AWS documents: each way in which a session comes about.

use engine::identity::{Graph, Resolution};
use model::EntityKind::{Credential, Person, Session};
use serde_json::{Value, json};

use crate::{at, common, entity, events, graph, says};

const ACCOUNT: &str = "111122223333";

/// A call at a minute of the day, by someone.
fn call(minute: u32, name: &str, by: Value) -> Value {
    json!({
        "eventVersion": "1.10", "eventTime": clock(minute), "eventSource": "sts.amazonaws.com", "eventName": name,
        "eventID": format!("{name}-{minute}-{}", by["arn"].as_str().or(by["principalId"].as_str()).unwrap_or_default()),
        "userIdentity": by, "recipientAccountId": ACCOUNT,
    })
}

fn clock(minute: u32) -> String {
    format!("2026-05-06T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "accountId": ACCOUNT,
        "accessKeyId": format!("AKIA{:0<12}", name.to_uppercase()), "userName": name})
}

fn session_arn(role: &str, name: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}")
}

fn session(role: &str, name: &str, key: &str) -> Value {
    json!({"type": "AssumedRole", "arn": session_arn(role, name), "accessKeyId": key, "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}")}}})
}

/// A call that gives a session of a role for an hour.
fn begins(minute: u32, name: &str, by: Value, role: &str, session: &str, key: &str) -> Value {
    let mut call = call(minute, name, by);
    let ends = format!(
        "May 6, 2026, {}:{:02}:00 {}",
        (minute / 60 + 12) % 12 + 1,
        minute % 60,
        if minute < 660 { "AM" } else { "PM" }
    );
    call["requestParameters"] =
        json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "roleSessionName": session});
    call["responseElements"] = json!({
        "credentials": {"accessKeyId": key, "expiration": ends},
        "assumedRoleUser": {"assumedRoleId": format!("AROAEXAMPLE:{session}"), "arn": session_arn(role, session)},
    });
    call
}

fn learned(records: &[Value]) -> Graph {
    graph(&events(&common::engine(&[]), records))
}

fn of_key(graph: &Graph, key: &str, minute: u32) -> Resolution {
    graph.resolve(&entity(Credential, key), at(&clock(minute)))
}

fn of_session(graph: &Graph, role: &str, name: &str, minute: u32) -> String {
    says(&graph.resolve(&entity(Session, &session_arn(role, name)), at(&clock(minute))))
}

fn alice() -> String {
    format!("known: principal arn:aws:iam::{ACCOUNT}:user/alice")
}

#[test]
fn a_session_name_that_two_used_is_ambiguous_while_both_could_and_their_keys_are_not() {
    let graph = learned(&[
        begins(60, "AssumeRole", user("alice"), "train", "job", "ASIAALICE0001"),
        begins(90, "AssumeRole", user("bob"), "train", "job", "ASIABOB000001"),
    ]);
    let either =
        format!("ambiguous: principal arn:aws:iam::{ACCOUNT}:user/alice or principal arn:aws:iam::{ACCOUNT}:user/bob");
    let answers = [70, 100, 130].map(|minute| of_session(&graph, "train", "job", minute));
    assert_eq!(answers, [alice(), either, alice().replace("alice", "bob")]);
    assert_eq!(says(&of_key(&graph, "ASIAALICE0001", 100)), alice());
    assert_eq!(says(&of_key(&graph, "ASIAALICE0001", 120)), alice(), "its last moment");
    assert_eq!(says(&of_key(&graph, "ASIAALICE0001", 121)), "unknown", "it has ended");
}

#[test]
fn a_chain_of_roles_leads_to_the_first_caller_after_earlier_sessions_ended() {
    let graph = learned(&[
        begins(60, "AssumeRole", user("alice"), "a", "one", "ASIAONE000001"),
        begins(110, "AssumeRole", session("a", "one", "ASIAONE000001"), "b", "two", "ASIATWO000001"),
        begins(160, "AssumeRole", session("b", "two", "ASIATWO000001"), "c", "three", "ASIATHREE0001"),
    ]);
    let resolution = of_key(&graph, "ASIATHREE0001", 215);
    assert_eq!(says(&resolution), alice());
    assert_eq!(resolution.chain.len(), 4, "three roles and the user's key");
}

#[test]
fn a_source_identity_names_the_person_through_three_roles() {
    let declared = |mut record: Value| {
        record["userIdentity"]["sessionContext"]["sourceIdentity"] = "alice@lab.example".into();
        record
    };
    let mut first = begins(60, "AssumeRole", user("shared"), "a", "x", "ASIAONE000001");
    first["requestParameters"]["sourceIdentity"] = "alice@lab.example".into();
    let graph = learned(&[
        first,
        declared(begins(70, "AssumeRole", session("a", "x", "ASIAONE000001"), "b", "x", "ASIATWO000001")),
        declared(begins(80, "AssumeRole", session("b", "x", "ASIATWO000001"), "c", "x", "ASIATHREE0001")),
        declared(call(90, "GetCallerIdentity", session("c", "x", "ASIATHREE0001"))),
    ]);
    for key in ["ASIAONE000001", "ASIATWO000001", "ASIATHREE0001"] {
        assert_eq!(says(&of_key(&graph, key, 90)), "known: person alice@lab.example", "{key}");
    }
    assert_eq!(of_session(&graph, "c", "x", 90), "known: person alice@lab.example");
}

#[test]
fn a_source_identity_that_another_person_set_is_not_believed_over_who_signed_in() {
    let mut first = begins(
        60,
        "AssumeRoleWithSAML",
        json!({"type": "SAMLUser", "userName": "mallory@lab.example"}),
        "a",
        "x",
        "ASIAONE000001",
    );
    first["responseElements"]["sourceIdentity"] = "mallory@lab.example".into();
    let honest = learned(std::slice::from_ref(&first));
    assert_eq!(says(&of_key(&honest, "ASIAONE000001", 70)), "known: person mallory@lab.example");
    first["responseElements"]["sourceIdentity"] = "alice@lab.example".into();
    let either = "ambiguous: person alice@lab.example or person mallory@lab.example";
    assert_eq!(says(&of_key(&learned(&[first]), "ASIAONE000001", 70)), either);
}

#[test]
fn single_sign_on_vouches_for_its_people_and_other_session_names_are_claims() {
    let name = "zoe.young@lab.example";
    let role = "AWSReservedSSO_ResearcherAccess_fb6d3f7781ff8ae3";
    let mut vouched = session(role, name, "ASIASSO000001");
    vouched["sessionContext"]["sessionIssuer"]["arn"] =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{role}").into();
    let graph = learned(&[call(60, "ListBuckets", vouched.clone())]);
    assert_eq!(says(&of_key(&graph, "ASIASSO000001", 60)), format!("known: person {name}"));
    assert_eq!(of_session(&graph, role, name, 60), format!("known: person {name}"));
    // A role of the same name that is not where Identity Center keeps its own.
    let forged = learned(&[call(60, "ListBuckets", session(role, name, "ASIASSO000002"))]);
    assert_eq!(says(&of_key(&forged, "ASIASSO000002", 60)), format!("claimed: person {name}"));
    // Somebody takes the name of another for a session of a role.
    let taken = learned(&[
        begins(50, "AssumeRole", user("alice"), "ops", name, "ASIATAKEN0001"),
        call(60, "ListBuckets", session("ops", name, "ASIATAKEN0001")),
    ]);
    let resolution = of_key(&taken, "ASIATAKEN0001", 60);
    assert_eq!(says(&resolution), alice());
    assert_eq!(resolution.claims.iter().map(|claim| claim.entity.key.as_str()).collect::<Vec<_>>(), [name]);
    // What an Identity Center user does through another service carries the user's id; it is the same person.
    let mut propagated = vouched;
    propagated["onBehalfOf"] =
        json!({"userId": "906b5a1c", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"});
    let graph = learned(&[call(60, "GetDataAccess", propagated)]);
    assert_eq!(says(&of_key(&graph, "ASIASSO000001", 60)), "known: person 906b5a1c");
    assert_eq!(says(&graph.resolve(&entity(Person, name), at(&clock(60)))), "known: person 906b5a1c");
}

fn web(provider: &str, subject: &str) -> Value {
    json!({"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"), "userName": subject,
        "identityProvider": provider})
}

#[test]
fn tokens_of_pods_and_workflows_lead_to_the_service_account_and_the_branch() {
    let eks = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-2.amazonaws.com/id/0123456789ABCDEF");
    let github = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let branch = "repo:lab/train:ref:refs/heads/main";
    let graph = learned(&[
        begins(
            60,
            "AssumeRoleWithWebIdentity",
            web(&eks, "system:serviceaccount:serve:vllm"),
            "irsa",
            "botocore-session-1",
            "ASIAPOD000001",
        ),
        begins(61, "AssumeRoleWithWebIdentity", web(&github, branch), "deploy", "GitHubActions", "ASIACI0000001"),
        begins(
            62,
            "AssumeRoleWithWebIdentity",
            web("accounts.google.com", "10769150350006150715113082367"),
            "web",
            "app",
            "ASIAWEB000001",
        ),
        call(63, "GetObject", session("irsa", "botocore-session-1", "ASIAPOD000001")),
    ]);
    assert_eq!(says(&of_key(&graph, "ASIAPOD000001", 63)), "known: workload serve:vllm");
    assert_eq!(says(&of_key(&graph, "ASIACI0000001", 63)), format!("known: workload {branch}"));
    let google = "known: principal accounts.google.com:sts.amazonaws.com:10769150350006150715113082367";
    assert_eq!(says(&of_key(&graph, "ASIAWEB000001", 63)), google);
    let actors: Vec<String> =
        events(&common::engine(&[]), &[call(60, "AssumeRoleWithWebIdentity", web(&github, branch))])
            .into_iter()
            .filter_map(|seen| Some(seen.actor?.key))
            .collect();
    assert_eq!(actors, [branch]);
}

#[test]
fn only_the_providers_own_tokens_make_a_workflow_or_a_pod() {
    // Subjects that look like those of GitHub and Kubernetes, from somebody else's providers.
    let subjects = ["repo:lab/train:ref:refs/heads/main", "system:serviceaccount:serve:vllm"];
    let hosts = [
        "login.example.com",
        "x.example/oidc.eks.eu-west-2.amazonaws.com/id/1",
        "x.example/token.actions.githubusercontent.com",
    ];
    for (subject, host) in subjects.iter().flat_map(|subject| hosts.map(|host| (*subject, host))) {
        let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{host}");
        let by = web(&provider, subject);
        let mut record = begins(60, "AssumeRoleWithWebIdentity", by, "deploy", "x", "ASIACI0000001");
        record["responseElements"]["subjectFromWebIdentityToken"] = subject.into();
        record["responseElements"]["provider"] = provider.as_str().into();
        let answer = says(&of_key(&learned(&[record]), "ASIACI0000001", 60));
        assert_eq!(answer, format!("known: principal {provider}:sts.amazonaws.com:{subject}"));
    }
}

fn service(name: &str) -> Value {
    json!({"type": "AWSService", "invokedBy": name})
}

#[test]
fn what_runs_on_a_platform_is_named_by_the_platform() {
    let task = "0123456789abcdef0123456789abcdef";
    let mut pod =
        begins(60, "AssumeRole", service("pods.eks.amazonaws.com"), "pods", "eks-lab-vllm-0", "ASIAPOD000001");
    pod["requestParameters"]["tags"] = json!([
        {"key": "eks-cluster-name", "value": "lab"}, {"key": "kubernetes-namespace", "value": "serve"},
        {"key": "kubernetes-service-account", "value": "vllm"}, {"key": "kubernetes-pod-name", "value": "vllm-0"},
    ]);
    let mut agent = begins(
        61,
        "AssumeRoleForPodIdentity",
        session("node", "i-0123456789abcdef0", "ASIANODE00001"),
        "pods",
        "eks-lab-x",
        "ASIAPOD000002",
    );
    agent["responseElements"]["subject"] = json!({"namespace": "evals", "serviceAccount": "runner"});
    let graph = learned(&[
        pod,
        agent,
        begins(62, "AssumeRole", service("ec2.amazonaws.com"), "node", "i-0123456789abcdef0", "ASIANODE00001"),
        begins(63, "AssumeRole", service("ecs-tasks.amazonaws.com"), "task", task, "ASIATASK00001"),
        begins(64, "AssumeRole", service("lambda.amazonaws.com"), "fn", "resize", "ASIALAMBDA001"),
        begins(65, "AssumeRole", service("config.amazonaws.com"), "cfg", "AWSConfig", "ASIACONFIG001"),
    ]);
    let expected = [
        ("ASIAPOD000001", "known: workload serve:vllm".to_owned()),
        ("ASIAPOD000002", "known: workload evals:runner".to_owned()),
        ("ASIANODE00001", "known: host i-0123456789abcdef0".to_owned()),
        ("ASIATASK00001", format!("known: workload ecs-task/{task}")),
        ("ASIALAMBDA001", "known: workload lambda/resize".to_owned()),
        ("ASIACONFIG001", "known: principal config.amazonaws.com".to_owned()),
    ];
    for (key, who) in expected {
        assert_eq!(says(&of_key(&graph, key, 70)), who, "{key}");
    }
}

#[test]
fn an_instance_id_as_session_name_is_a_claim_unless_the_instance_service_delivered_the_role() {
    let mut by = session("node", "i-0123456789abcdef0", "ASIANODE00001");
    let claimed = learned(&[call(60, "GetObject", by.clone())]);
    assert_eq!(says(&of_key(&claimed, "ASIANODE00001", 60)), "claimed: host i-0123456789abcdef0");
    by["sessionContext"]["ec2RoleDelivery"] = "2.0".into();
    let known = learned(&[call(60, "GetObject", by)]);
    assert_eq!(says(&of_key(&known, "ASIANODE00001", 60)), "known: host i-0123456789abcdef0");
}

#[test]
fn tags_of_a_session_cannot_pass_for_fields_of_the_record() {
    let mut forged = begins(60, "AssumeRole", user("alice"), "ops", "x", "ASIAONE000001");
    forged["requestParameters"]["tags"] = json!([
        {"key": "eventName", "value": "CreateAccessKey"}, {"key": "kubernetes-namespace", "value": "serve"},
        {"key": "kubernetes-service-account", "value": "vllm"}, {"key": "userIdentity.invokedBy", "value": "pods.eks.amazonaws.com"},
    ]);
    let graph = learned(&[forged]);
    assert_eq!(says(&of_key(&graph, "ASIAONE000001", 60)), alice());
}

#[test]
fn keys_and_tokens_of_users_lead_to_the_user() {
    let mut created = call(60, "CreateAccessKey", user("mallory"));
    created["responseElements"] = json!({"accessKey": {"accessKeyId": "AKIANEW000001", "userName": "backup"}});
    let mut token = call(61, "GetSessionToken", user("alice"));
    token["responseElements"] = json!({"credentials": {"accessKeyId": "ASIATOKEN0001"}});
    let mut federated = call(62, "GetFederationToken", user("alice"));
    federated["responseElements"] = json!({
        "credentials": {"accessKeyId": "ASIAFED000001"},
        "federatedUser": {"arn": format!("arn:aws:sts::{ACCOUNT}:federated-user/guest")},
    });
    let mut switched = call(63, "SwitchRole", session("ops", "alice", "ASIACONSOLE01"));
    switched["responseElements"] = json!({"SwitchRole": "Success"});
    switched["additionalEventData"] = json!({"SwitchFrom": format!("arn:aws:iam::{ACCOUNT}:user/alice")});
    let graph = learned(&[created, token, federated, switched]);
    let backup = format!("known: principal arn:aws:iam::{ACCOUNT}:user/backup");
    assert_eq!(says(&of_key(&graph, "AKIANEW000001", 60 * 20)), backup);
    assert_eq!(says(&of_key(&graph, "ASIATOKEN0001", 90)), alice());
    assert_eq!(says(&of_key(&graph, "ASIAFED000001", 90)), alice());
    assert_eq!(of_session(&graph, "ops", "alice", 90), alice());
}

#[test]
fn a_user_is_the_same_whatever_path_the_arn_has() {
    let mut by = user("alice");
    let graph = |by: &Value| learned(&[call(60, "ListBuckets", by.clone()), call(61, "ListBuckets", user("alice"))]);
    by["arn"] = format!("arn:aws:iam::{ACCOUNT}:user/research/alignment/alice").into();
    assert_eq!(says(&of_key(&graph(&by), "AKIAALICE0000000", 61)), alice());
}

#[test]
fn the_callers_own_account_is_believed_before_the_id_that_another_account_sees() {
    let there = json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLEALICE", "accountId": ACCOUNT});
    let seen_there = begins(60, "AssumeRole", there, "partner", "x", "ASIACROSS0001");
    let only = learned(std::slice::from_ref(&seen_there));
    assert_eq!(says(&of_key(&only, "ASIACROSS0001", 70)), "known: principal AIDAEXAMPLEALICE");
    let both = learned(&[seen_there, begins(60, "AssumeRole", user("alice"), "partner", "x", "ASIACROSS0001")]);
    assert_eq!(says(&of_key(&both, "ASIACROSS0001", 70)), alice());
}

#[test]
fn a_call_that_was_refused_begins_no_session() {
    let mut refused = begins(60, "AssumeRole", user("mallory"), "train", "job", "ASIAONE000001");
    refused["errorCode"] = "AccessDenied".into();
    refused["responseElements"] = Value::Null;
    assert_eq!(of_session(&learned(&[refused]), "train", "job", 60), "unknown");
}

#[test]
fn an_end_that_cannot_be_read_or_lies_before_the_beginning_is_half_a_day_later() {
    for ends in ["Jan 01, 2019 0:00:00 PM", "Jan 1, 2019, 1:00:00 AM", "HIDDEN_DUE_TO_SECURITY_REASONS"] {
        let mut record = begins(60, "AssumeRole", user("alice"), "train", "job", "ASIAONE000001");
        record["responseElements"]["credentials"]["expiration"] = ends.into();
        let graph = learned(&[record]);
        let answers = [60 + 719, 60 + 721].map(|minute| says(&of_key(&graph, "ASIAONE000001", minute)));
        assert_eq!(answers, [alice(), "unknown".to_owned()], "{ends}");
    }
}
