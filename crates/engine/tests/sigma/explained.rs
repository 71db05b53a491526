//! What a person is told: matched terms, explanations, and the texts of both.

use engine::sigma::{self, Document, Filter, Inventory};

use crate::data::{Bench, rules};

const RULE: &str = "
title: Weights Read From Outside
id: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11
logsource: {product: aws, service: cloudtrail}
detection:
    selection:
        eventSource: s3.amazonaws.com
        eventName: [GetObject, SelectObjectContent]
    weights:
        - requestParameters.key|endswith: ['.safetensors', '.bin']
        - requestParameters.bucketName|expand: '%custody_buckets%'
    approved: {vpcEndpointId|expand: '%custody_endpoints%'}
    condition: selection and weights and not approved
level: critical
";

const EVENT: &str = r#"{"eventSource":"s3.amazonaws.com","eventName":"getobject","requestParameters":{"bucketName":"lab-weights-7","key":"m/model.BIN"},"vpcEndpointId":"vpce-other"}"#;

fn bench(filters: &[Filter]) -> Bench {
    let lists = [
        ("custody_buckets".to_owned(), vec!["lab-weights-*".to_owned()]),
        ("custody_endpoints".to_owned(), vec!["vpce-1".to_owned(), "vpce-2".to_owned()]),
    ];
    let (bench, diagnostics) = Bench::new(&rules(RULE), filters, &lists.into_iter().collect::<Inventory>());
    assert_eq!(diagnostics, []);
    bench
}

#[test]
fn matched_terms_stand_beside_the_values_that_made_them_hold() {
    let mut bench = bench(&[]);
    let hit = bench.hits(EVENT)[0];
    let terms = bench.with(EVENT, |program, record| program.matched_terms(hit, record, &engine::sigma::as_it_is));
    let shown: Vec<String> =
        terms.iter().map(|term| format!("{}: {} {} <- {}", term.search, term.field, term.test, term.value)).collect();
    assert_eq!(
        shown,
        [
            r#"selection: eventSource equals "s3.amazonaws.com" <- s3.amazonaws.com"#,
            r#"selection: eventName equals "GetObject" <- getobject"#,
            r#"weights: requestParameters.key ends with ".bin" <- m/model.BIN"#,
            r#"weights: requestParameters.bucketName equals "%custody_buckets%" <- lab-weights-7"#,
        ]
    );
}

#[test]
fn an_explanation_shows_each_term_with_what_was_there() {
    let mut bench = bench(&[]);
    let hit = bench.program.indexes().next().expect("one rule");
    let text = bench.with(EVENT, |program, record| program.explain(hit, record).render());
    insta::assert_snapshot!(text, @r#"
    Weights Read From Outside: holds
      + all of these
        + search `selection`
          + all of these
            + eventSource equals "s3.amazonaws.com"
                the record has "s3.amazonaws.com"
            + eventName equals any of "GetObject", "SelectObjectContent"
                the record has "getobject"
        + search `weights`
          + any of these
            + requestParameters.key ends with any of ".safetensors", ".bin"
                the record has "m/model.BIN"
            + requestParameters.bucketName equals "%custody_buckets%"
                the record has "lab-weights-7"
        + not
          - search `approved`
            - vpcEndpointId equals "%custody_endpoints%"
                the record has "vpce-other", which does not fit
    "#);
    let other = r#"{"eventSource":"s3.amazonaws.com","vpcEndpointId":"vpce-2"}"#;
    let text = bench.with(other, |program, record| program.explain(hit, record).render());
    insta::assert_snapshot!(text, @r#"
    Weights Read From Outside: does not hold
      - all of these
        - search `selection`
          - all of these
            + eventSource equals "s3.amazonaws.com"
                the record has "s3.amazonaws.com"
            - eventName equals any of "GetObject", "SelectObjectContent"
                the record does not have the field
        - search `weights`
          - any of these
            - requestParameters.key ends with any of ".safetensors", ".bin"
                the record does not have the field
            - requestParameters.bucketName equals "%custody_buckets%"
                the record does not have the field
        - not
          + search `approved`
            + vpcEndpointId equals "%custody_endpoints%"
                the record has "vpce-2"
    "#);
}

#[test]
fn explanations_and_terms_cover_every_way_of_comparing() {
    let text = "
title: Every way
id: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a12
logsource: {product: aws}
detection:
    sel:
        a|contains|all: [x, y]
        b|re|i: '^q+$'
        c|cidr: [10.0.0.0/8, 11.0.0.0/8]
        d|gte: 5
        e|exists: true
        f: null
        g|neq: [1, 2]
        h|fieldref|startswith: a
        t|hour|lt: 5
        w|windash: '-x'
        z|cased: 'Q'
    keys:
        '|all': [needle, hay]
    condition: sel and keys
";
    let event = r#"{"a":"xy","b":"QQ","c":"11.1.1.1","d":7,"e":null,"g":3,"h":"xyz","t":"2024-01-02T03:04:05Z","w":"/x","z":"Q","k":["a needle","in hay"]}"#;
    let mut bench = Bench::of(text);
    let hit = bench.hits(event)[0];
    let terms = bench.with(event, |program, record| program.matched_terms(hit, record, &engine::sigma::as_it_is));
    let shown: Vec<String> =
        terms.iter().map(|term| format!("{} {} <- {}", term.field, term.test, term.value)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a contains "x" <- xy
    a contains "y" <- xy
    b matches /^q+$/ <- QQ
    c is in 11.0.0.0/8 <- 11.1.1.1
    d is at least 5 <- 7
    e exists <- null
    f absent or null <- (absent)
    g is not any of 1, 2 <- 3
    h starts with the field a <- xyz
    t hour is less than 5 <- 2024-01-02T03:04:05Z
    w equals with any dash "-x" <- /x
    z equals in this case "Q" <- Q
     contains "needle" <- a needle
     contains "hay" <- in hay
    "#);
    let held = bench.with(event, |program, record| program.explain(hit, record).held);
    assert!(held);
}

#[test]
fn filters_stand_in_the_explanation_and_in_the_revision() {
    let filter = "title: Backups\nlogsource: {product: aws, service: cloudtrail}\nfilter:\n    rules: any\n    \
        backup: {vpcEndpointId: vpce-other}\n    condition: not backup\n";
    let (documents, diagnostics) = sigma::parse(filter);
    assert_eq!(diagnostics, []);
    let Some(Document::Filter(filter)) = documents.into_iter().next() else { panic!("a filter") };
    let mut plain = bench(&[]);
    let mut narrowed = bench(&[filter]);
    assert_eq!((plain.hits(EVENT).len(), narrowed.hits(EVENT).len()), (1, 0));
    let hit = narrowed.program.indexes().next().expect("one rule");
    let explanation = narrowed.with(EVENT, |program, record| program.explain(hit, record));
    assert!(!explanation.held && explanation.render().contains("- filter `Backups`"), "{}", explanation.render());
    assert_ne!(plain.program.rule(hit).revision, narrowed.program.rule(hit).revision);
    assert_eq!(narrowed.program.rule(hit).filters.len(), 1);
}

#[test]
fn applicable_rules_are_those_whose_log_source_the_source_carries() {
    let rule = |n: u32, logsource: &str| {
        format!(
            "title: R{n}\nid: 5b7c2e9e-3d0a-4f0c-9c0a-00000000000{n}\nlogsource: {{{logsource}}}\ndetection:\n    s: {{a: {n}}}\n    condition: s\n---\n"
        )
    };
    let text: String = [
        rule(1, "product: aws, service: cloudtrail"),
        rule(2, "product: AWS"),
        rule(3, "product: aws, service: guardduty"),
        rule(4, "category: application, product: kubernetes, service: audit"),
        rule(5, "category: application"),
    ]
    .concat();
    let (bench, _) = Bench::new(&rules(&text), &[], &Inventory::new());
    let logsource = |product: &str, category: Option<&str>, service: Option<&str>| sigma::LogSource {
        product: Some(product.to_owned()),
        category: category.map(str::to_owned),
        service: service.map(str::to_owned),
        definition: None,
    };
    let numbers = |logsources: &[sigma::LogSource]| -> Vec<usize> {
        bench.program.applicable(logsources).iter().map(|rule| rule.index() + 1).collect()
    };
    assert_eq!(numbers(&[logsource("aws", None, Some("cloudtrail"))]), [1, 2]);
    assert_eq!(
        numbers(&[logsource("kubernetes", Some("application"), Some("audit")), logsource("aws", None, None)]),
        [2, 4, 5]
    );
    assert_eq!(numbers(&[logsource("kubernetes", None, Some("audit"))]), Vec::<usize>::new());
    assert_eq!(numbers(&[]), Vec::<usize>::new());
}

#[test]
fn equal_tests_of_many_rules_are_one() {
    let rule = |n: u32| {
        format!(
            "title: R{n}\nid: 5b7c2e9e-3d0a-4f0c-9c0a-{n:012}\nlogsource: {{product: aws}}\ndetection:\n    s: {{a: [x, y], b: {n}}}\n    t: {{c|contains: q, a: [y, x]}}\n    condition: s and t\n---\n"
        )
    };
    let text: String = (0..50).map(rule).collect();
    let (bench, diagnostics) = Bench::new(&rules(&text), &[], &Inventory::new());
    assert_eq!(diagnostics, []);
    assert_eq!(bench.program.size().0, 52, "one for `a`, one for `c`, and one each for `b`");
}
