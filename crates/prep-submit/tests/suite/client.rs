//! What is sent again, how often and after which wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prep_submit::{
    CallError, Client, ClientOptions, Effect, Endpoints, Method, Request, Retry, Stop,
};
use serde_json::{Value, json};

use crate::server::{Fault, Nobody, Server, TOKEN};

const JOB: &str = "/v1/projects/p/locations/us-central1/tuningJobs";

fn job(server: &Server) -> String {
    server
        .lock()
        .answers
        .insert(format!("GET {JOB}"), (200, json!({"tuningJobs": []})));
    server
        .lock()
        .answers
        .insert(format!("POST {JOB}"), (200, json!({"name": "job"})));
    format!("{}{JOB}", server.base)
}

fn request(url: &str, repeat: &str) -> Request {
    match repeat {
        "safe" => Request::get("list the tuning jobs", url),
        _ => Request::post("start a tuning job", url).json(&json!({"baseModel": "m"})),
    }
}

/// A request with one failure at its first attempt: how often it is sent, and
/// how it ends.
async fn ends(repeat: &str, fault: Fault) -> (usize, String) {
    let server = Server::with_faults(&[("vertex", 1, fault)]);
    let url = job(&server);
    let answer = server.client().send(&request(&url, repeat)).await;
    let end = match answer {
        Ok(reply) => format!("{}", reply.status),
        Err(error) => format!("{:?} {}", error.effect(), error.http().unwrap_or_default()),
    };
    (server.count("vertex"), end)
}

#[tokio::test]
async fn only_what_is_safe_is_sent_again() {
    let table = [
        ("safe", Fault::Status(400), 1, "None 400"),
        ("safe", Fault::Status(403), 1, "None 403"),
        ("safe", Fault::Status(409), 1, "None 409"),
        ("safe", Fault::Status(412), 1, "None 412"),
        ("safe", Fault::Status(408), 2, "200"),
        ("safe", Fault::Status(429), 2, "200"),
        ("safe", Fault::Status(500), 2, "200"),
        ("safe", Fault::Status(503), 2, "200"),
        ("safe", Fault::Later(7), 2, "200"),
        ("safe", Fault::Reset, 2, "200"),
        ("safe", Fault::LostAnswer, 2, "200"),
        ("safe", Fault::HalfAnswer, 2, "200"),
        ("never", Fault::Status(400), 1, "None 400"),
        ("never", Fault::Status(429), 1, "None 429"),
        ("never", Fault::Status(500), 1, "Unknown 500"),
        ("never", Fault::Status(503), 1, "Unknown 503"),
        ("never", Fault::DoneBut(504), 1, "Unknown 504"),
        ("never", Fault::Reset, 1, "Unknown 0"),
        ("never", Fault::LostAnswer, 1, "Unknown 0"),
        ("never", Fault::HalfAnswer, 1, "Unknown 0"),
    ];
    for (repeat, fault, sent, end) in table {
        let found = ends(repeat, fault).await;
        assert_eq!(found, (sent, end.to_owned()), "{repeat} {fault:?}");
    }
}

#[tokio::test]
async fn waits_grow_within_bounds_and_end() {
    let faults: Vec<_> = (1..100)
        .map(|n| ("vertex", n, Fault::Status(503)))
        .collect();
    let server = Server::with_faults(&faults);
    let url = job(&server);
    let client = server.client();
    let error = client.send(&request(&url, "safe")).await.unwrap_err();
    let slept = client.clock().slept();
    let mut bound = Duration::from_secs(1);
    for wait in &slept {
        assert!(*wait <= bound, "{slept:?}");
        bound = (bound * 2).min(Duration::from_secs(60));
    }
    assert!(slept.iter().sum::<Duration>() <= Retry::default().total);
    assert_eq!(server.count("vertex"), slept.len() + 1);
    let text = error.to_string();
    let expected = format!("the service answered 503 to {} attempts", slept.len() + 1);
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.ends_with(": Scripted: scripted"), "{text}");
}

#[tokio::test]
async fn the_service_says_how_long_to_wait() {
    let server = Server::with_faults(&[("vertex", 1, Fault::Later(33))]);
    let url = job(&server);
    let client = server.client();
    client.send(&request(&url, "safe")).await.unwrap();
    assert_eq!(client.clock().slept(), [Duration::from_secs(33)]);
    // A wait that would pass the limit is not begun.
    let server = Server::with_faults(&[("vertex", 1, Fault::Later(u64::MAX))]);
    let url = job(&server);
    let client = server.client();
    let error = client.send(&request(&url, "safe")).await.unwrap_err();
    assert_eq!((error.http(), client.clock().slept()), (Some(429), vec![]));
}

#[tokio::test]
async fn nobody_there_has_no_effect() {
    let nobody = Nobody::new();
    let free = nobody.address();
    let server = Server::start();
    let options = ClientOptions {
        endpoints: Endpoints::stand_in(format!("http://{free}")),
        ..server.options()
    };
    let client = Client::new(options).unwrap();
    let url = format!("http://{free}{JOB}");
    let error = client.send(&request(&url, "never")).await.unwrap_err();
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(
        error.to_string(),
        format!("no answer from `{free}` to 1 attempt")
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("refused") && !cause.contains("http"),
        "{cause}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/x", silent.local_addr().unwrap());
    let client = Server::start().client();
    let slow = Request::post("start a tuning job", url).timeout(Duration::from_millis(30));
    let error = client.send(&slow).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it took longer than 1 s");
}

#[tokio::test]
async fn a_raised_flag_ends_the_waiting() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/x", silent.local_addr().unwrap());
    let flag = Arc::new(AtomicBool::new(false));
    let options = ClientOptions {
        stop: Stop::from(Arc::clone(&flag)),
        ..Server::start().options()
    };
    let client = Client::new(options).unwrap();
    let launch = Request::post("start a tuning job", url);
    let raise = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        flag.store(true, Ordering::Relaxed);
    };
    let (answer, ()) = tokio::join!(client.send(&launch), raise);
    // It was on its way: nobody knows whether it arrived.
    let error = answer.unwrap_err();
    assert!(
        error.is_stopped() && error.effect() == Effect::Unknown,
        "{error:?}"
    );
    let error = client.send(&launch).await.unwrap_err();
    assert!(
        error.is_stopped() && error.effect() == Effect::None,
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stream_comes_in_pieces_and_a_break_in_it_is_an_error() {
    let server = Server::with_faults(&[("vertex", 2, Fault::HalfAnswer)]);
    let url = job(&server);
    let client = server.client();
    let mut stream = client.stream(&request(&url, "safe")).await.unwrap();
    let mut text = Vec::new();
    while let Some(bytes) = stream.chunk().await.unwrap() {
        text.extend(bytes);
    }
    assert_eq!(
        serde_json::from_slice::<Value>(&text).unwrap(),
        json!({"tuningJobs": []})
    );
    let mut stream = client.stream(&request(&url, "safe")).await.unwrap();
    let broken = loop {
        match stream.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("half of it looks whole"),
            Err(error) => break error,
        }
    };
    assert!(matches!(broken, CallError::Transport { .. }), "{broken:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::with_faults(&[("vertex", 1, Fault::Status(302))]);
    let url = job(&server);
    let error = server
        .client()
        .send(&request(&url, "safe"))
        .await
        .unwrap_err();
    assert_eq!((error.http(), server.count("vertex")), (Some(302), 1));
}

#[tokio::test]
async fn a_line_is_written_for_each_attempt() {
    let server = Server::with_faults(&[("vertex", 1, Fault::Status(503))]);
    let url = job(&server);
    let (client, lines) = server.logged_client();
    let get = request(&url, "safe").query("pageToken", "a b");
    client.send(&get).await.unwrap();
    let refused = Request::new(Method::POST, "x", url.replace("tuningJobs", "nothing"))
        .json(&json!({"a": 1}));
    client.send(&refused).await.unwrap_err();
    let text = lines.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown = |n: usize| {
        let line = &lines[n];
        format!(
            "{} {} {} {} {}",
            line["method"], line["path"], line["status"], line["attempt"], line["sent_bytes"]
        )
    };
    assert_eq!(
        shown(0),
        format!(r#""GET" "{JOB}?pageToken=a%20b" 503 1 0"#)
    );
    assert_eq!(
        shown(1),
        format!(r#""GET" "{JOB}?pageToken=a%20b" 200 2 0"#)
    );
    assert_eq!(
        shown(2),
        r#""POST" "/v1/projects/p/locations/us-central1/nothing" 404 1 7"#
    );
    assert_eq!(lines[1]["received_bytes"], json!(17));
    assert!(
        lines[0]["time"]
            .as_str()
            .unwrap()
            .starts_with("2027-01-15T08:00:00")
    );
    assert!(!text.contains(TOKEN));
}
