//! Real Windows events as forwarders write them: every record is recognised, dated and routed.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::collections::BTreeMap;
use std::io::Read as _;

use common::{data, engine, evaluate, given};
use engine::{Event, Reject, Sink};
use model::{Finding, SourceId};

/// Records of all files together.
const RECORDS: usize = 31_847;

/// Looks at each event, and counts them by channel.
#[derive(Default)]
struct Channels {
    events: usize,
    by_channel: BTreeMap<String, usize>,
    rejects: Vec<Reject>,
}

impl Sink for Channels {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejects.push(reason);
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.events += 1;
        assert_eq!(event.source().id.as_str(), "windows_event", "{}", event.raw());
        assert!(!event.is_time_of_receipt(), "a time of its own: {}", event.raw());
        let columns = event.columns();
        for name in ["metadata.product.name", "metadata.event_code", "device.hostname"] {
            assert!(columns.contains_key(name), "{name}: {}", event.raw());
        }
        *self.by_channel.entry(columns["unmapped.channel"].to_lowercase()).or_default() += 1;
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

#[test]
fn every_record_of_the_security_datasets_becomes_an_event() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let mut worker = engine.worker();
    let read = std::fs::read_dir(data.join("windows_otrf")).expect("the data set");
    let mut files: Vec<_> = read.map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    let mut seen = Channels::default();
    for file in &files {
        let before = seen.events;
        let mut text = String::new();
        let packed = std::fs::File::open(file).expect("a file");
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("gzip of UTF-8");
        text.lines().for_each(|line| engine.evaluate(&mut worker, line.as_bytes(), &given(None), &mut seen));
        assert_eq!(seen.rejects, [], "{}", file.display());
        assert_eq!(seen.events - before, text.lines().count(), "{}", file.display());
    }
    assert_eq!((files.len(), seen.events), (28, RECORDS));
    let expected = [
        ("microsoft-windows-powershell/operational", 585),
        ("microsoft-windows-sysmon/operational", 21_093),
        ("microsoft-windows-taskscheduler/operational", 13),
        ("microsoft-windows-wmi-activity/operational", 54),
        ("security", 9_327),
        ("system", 62),
        ("windows powershell", 713),
    ];
    assert_eq!(seen.by_channel.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(), expected);
}

fn rule(logsource: &str, detection: &str) -> String {
    format!(
        "title: R\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nlogsource: {{{logsource}}}\ndetection:\n    s: {detection}\n    condition: s\n"
    )
}

/// Does a rule of this log source fire on the event?
fn fires(logsource: &str, detection: &str, event: &str) -> bool {
    let memory = evaluate(&engine(&[&rule(logsource, detection)]), event.as_bytes(), None);
    assert_eq!((memory.rejects, memory.events.len()), (vec![], 1), "{event}");
    !memory.findings.is_empty()
}

const CREATED: &str = r#"{"Channel":"Security","EventID":4688,"SourceName":"Microsoft-Windows-Security-Auditing",
    "NewProcessName":"C:\\x\\net.exe","ParentProcessName":"C:\\x\\cmd.exe","CommandLine":"net user","@timestamp":"2026-11-22T10:00:00Z"}"#;

#[test]
fn processes_that_windows_audits_meet_the_rules_about_processes() {
    let process = "product: windows, category: process_creation";
    assert!(fires(
        process,
        "{Image|endswith: '\\net.exe', ParentImage|endswith: '\\cmd.exe', CommandLine: net user}",
        CREATED
    ));
    assert!(fires("product: windows, service: security", "{NewProcessName|endswith: '\\net.exe'}", CREATED));
    assert!(!fires(process, "{Image|endswith: '\\net.exe'}", &CREATED.replace("4688", "4689")));
    assert!(!fires("product: windows, category: file_event", "{Image|endswith: '\\net.exe'}", CREATED));
    assert!(fires("product: windows", "{Provider_Name: Microsoft-Windows-Security-Auditing}", CREATED));
}

#[test]
fn a_name_that_the_record_has_is_not_replaced() {
    let own = CREATED.replace(r#""CommandLine""#, r#""Image":"C:\\own.exe","CommandLine""#);
    let process = "product: windows, category: process_creation";
    assert!(fires(process, "{Image: 'C:\\own.exe'}", &own));
    assert!(!fires(process, "{Image|endswith: '\\net.exe'}", &own));
}

#[test]
fn an_element_with_attributes_is_its_text() {
    let event = r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"Channel":"System",
        "EventID":{"#attributes":{"Qualifiers":16384},"#text":7045},"TimeCreated":{"#attributes":{"SystemTime":"2026-11-22T10:00:00.1234567Z"}}},
        "EventData":{"Data":{"#text":["first","second"]},"ServiceName":"x"}}}"##;
    assert!(fires(
        "product: windows, service: system",
        "{EventID: 7045, Provider_Name: Service Control Manager}",
        event
    ));
    assert!(
        !fires("product: windows, service: system", "{EventID|contains: 16384}", event),
        "its attributes are not its text"
    );
    assert!(fires("product: windows, service: system", "{Data: second}", event));
}

#[test]
fn pairs_with_escapes_and_without_values_are_read() {
    let event = r##"{"System":{"Channel":"Security","EventID":"4624"},"EventData":{"Data":[{"@Name":"Empty"},
        {"@Name":"Logon Type","#text":3},{"@Name":"Path","#text":"C:\\a\u0041"},{"x":1},"bare",{"@Name":"Unread","#text":"x"}]}}"##;
    let security = "product: windows, service: security";
    assert!(fires(security, "{LogonType: 3, Path: 'C:\\aA'}", event));
    assert!(fires(security, "{LogonType|lt: 4}", event), "a number stays one");
    assert!(fires(security, "{Empty: null}", event));
    assert!(fires(security, "{Data: bare}", event));
}

#[test]
fn the_antivirus_rules_see_what_defender_says() {
    let event = r#"{"Channel":"Microsoft-Windows-Windows Defender/Operational","EventID":1116,"Threat Name":"Trojan:Win32/Mimikatz","Path":"file:_C:\\x"}"#;
    assert!(fires("category: antivirus", "{Signature|contains: Mimikatz, Filename|endswith: x}", event));
    assert!(fires("product: windows, service: windefend", "{ThreatName|contains: Mimikatz}", event));
}
