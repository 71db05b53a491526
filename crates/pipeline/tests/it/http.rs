use serde_json::json;

use crate::support::{HTTP, House, answer, gzip, ndjson, record, records};

#[tokio::test]
async fn records_in_any_layout_are_accepted_and_evaluated() {
    let mut house = House::start(HTTP).await;
    let array = format!("[{}]", records(100, 20).join(","));
    let container = format!("{{\"Records\":[{}]}}", records(200, 20).join(","));
    assert_eq!(house.post("/v1/records", ndjson(0, 20)).await, (200, json!({"accepted": 20})));
    assert_eq!(house.post("/v1/records", array).await, (200, json!({"accepted": 20})));
    assert_eq!(house.post("/v1/records", container).await, (200, json!({"accepted": 20})));
    let packed = house.http.post(house.url("/v1/records")).header("content-encoding", "gzip");
    assert_eq!(answer(packed.body(gzip(ndjson(300, 20).as_bytes()))).await, (200, json!({"accepted": 20})));
    let packed = house.http.post(house.url("/v1/records")).header("content-encoding", "zstd");
    let body = zstd::encode_all(ndjson(400, 20).as_bytes(), 1).unwrap();
    assert_eq!(answer(packed.body(body)).await, (200, json!({"accepted": 20})));
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated, balance.raised), (100, 100, 10));
    assert_eq!(house.alerts().len(), 10);
    house.assert_balance();
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_a_reason_and_nothing_of_it_is_kept() {
    let mut house = House::start(&format!("{HTTP}\n[limits]\nhttp_body_bytes = \"64KiB\"")).await;
    let code = |(status, body): (u16, serde_json::Value)| (status, body["error"]["code"].as_str().unwrap().to_owned());
    let post = |body: Vec<u8>| house.http.post(house.url("/v1/records")).body(body);
    assert_eq!(code(answer(post(vec![b'x'; 65 << 10])).await), (413, "too_large".into()));
    let bomb = post(gzip(&vec![b' '; 10 << 20])).header("content-encoding", "gzip");
    assert_eq!(code(answer(bomb).await), (413, "too_large".into()));
    let broken = post(gzip(ndjson(0, 9).as_bytes())[..60].to_vec()).header("content-encoding", "gzip");
    assert_eq!(code(answer(broken).await), (400, "bad_body".into()));
    let strange = post(b"{}".to_vec()).header("content-encoding", "br");
    assert_eq!(code(answer(strange).await), (415, "bad_encoding".into()));
    assert_eq!(code(answer(post(b"  \n ".to_vec())).await), (400, "no_data".into()));
    house.stop().await;
    assert!(house.ledger().is_empty());
}

#[tokio::test]
async fn tokens_tell_inputs_apart_and_strangers_are_turned_away() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    for name in ["one", "two"] {
        std::fs::write(folder.path().join(name), format!("secret-{name}\n")).unwrap();
    }
    let inputs = "
routes = []
[[inputs]]
name = \"http\"
kind = \"http\"
listen = \"127.0.0.1:0\"
token = { file = \"DIR/one\" }
[[inputs]]
name = \"audit\"
kind = \"http\"
source = \"aws_cloudtrail\"
listen = \"127.0.0.1:0\"
token = { file = \"DIR/two\" }
";
    let mut house = House::start_in(folder, inputs).await;
    assert_eq!(house.address("http"), house.address("audit"), "one server for both");
    let post = |value: &str| {
        let request = house.http.post(house.url("/v1/records")).body(record(1, "DescribeTrails"));
        answer(if value.is_empty() { request } else { request.header("authorization", value) })
    };
    assert_eq!(post("").await.0, 401);
    assert_eq!(post("Digest x").await.0, 401);
    assert_eq!(post("Bearer wrong").await.0, 403);
    assert_eq!(post("Bearer secret-one").await.0, 200);
    assert_eq!(post("Splunk secret-two").await.0, 200);
    assert_eq!(post("Basic eDpzZWNyZXQtdHdv").await.0, 200);
    let key = |key: &str| {
        house.http.post(house.url("/v1/records")).header("x-api-key", key).body(record(1, "DescribeTrails"))
    };
    assert_eq!((answer(key("secret-one")).await.0, answer(key("wrong")).await.0), (200, 403));
    let health = house.http.get(house.url("/healthz")).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok\n");
    house.stop().await;
    let mut inputs: Vec<String> = house.ledger().iter().map(|(entry, _)| entry.input.clone()).collect();
    inputs.dedup();
    assert_eq!(inputs, ["audit", "http"]);
    house.assert_balance();
}

#[tokio::test]
async fn a_full_journal_says_so_and_takes_records_again_later() {
    let limits = "[limits]\njournal_bytes = \"64KiB\"\njournal_segment_bytes = \"8KiB\"";
    let mut house = House::start(&format!("{HTTP}\n{limits}")).await;
    let (mut accepted, mut refused) = (0, 0);
    for n in 0..200 {
        let (status, body) = house.post("/v1/records", ndjson(n * 20, 20)).await;
        match status {
            200 => accepted += 20,
            503 => {
                assert_eq!(body["error"]["code"], "journal_full");
                assert!(body["error"]["message"].as_str().unwrap().contains("send it again"), "{body}");
                refused += 1;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            other => panic!("{other}: {body}"),
        }
    }
    house.stop().await;
    let balance = house.ledger().balance();
    assert_eq!((balance.records_in, balance.evaluated), (accepted, accepted), "{refused} were refused");
    house.assert_balance();
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = crate::support::config(folder.path(), HTTP);
    let content::config::InputKind::Http { listen, .. } = &mut config.inputs[0].kind else { panic!() };
    *listen = "0.0.0.0:0".parse().unwrap();
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let store = store::Store::open(&config.data_dir).unwrap();
    let settings = pipeline::Settings::read(config).unwrap();
    let clock = std::sync::Arc::new(pipeline::SystemClock);
    let Err(error) = pipeline::start(settings, crate::support::engine(), store, clock).await else { panic!() };
    assert_eq!(
        error.to_string(),
        "input `http` would listen on 0.0.0.0:0, which other machines can reach, without a token"
    );
}

#[tokio::test]
async fn a_body_takes_the_room_that_it_needs_and_no_more() {
    // Bodies that do not say their length, and packed ones, side by side: together they need far less than the room.
    let house = House::start(HTTP).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        use tokio::io::AsyncWriteExt;
        let mut stream = tokio::net::TcpStream::connect(house.address("http")).await.unwrap();
        let head = "POST /v1/records HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let packed = house.http.post(house.url("/v1/records")).header("content-encoding", "gzip");
    let body = gzip(ndjson(0, 20).as_bytes());
    assert_eq!(answer(packed.body(body)).await, (200, json!({"accepted": 20})));
}

#[tokio::test]
async fn a_connection_that_says_nothing_makes_room() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = pipeline::http::HttpOptions {
        header_timeout: std::time::Duration::from_millis(300),
        connections_max: 1,
        ..Default::default()
    };
    let router = axum::Router::new().route("/healthz", axum::routing::get(|| async { "ok" }));
    tokio::spawn(pipeline::http::serve(listener, router, options, std::future::pending()));
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost:").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let start = std::time::Instant::now();
    let asking = reqwest::get(format!("http://{address}/healthz"));
    let health =
        tokio::time::timeout(std::time::Duration::from_secs(10), asking).await.expect("there is room").unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");
    assert!(start.elapsed() > std::time::Duration::from_millis(150), "one connection at a time");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the slow one was closed");
}
