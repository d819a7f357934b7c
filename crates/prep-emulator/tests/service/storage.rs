//! Buckets, objects and uploads.

use serde_json::json;

use crate::client::{Reply, World};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json; charset=UTF-8");
const QUANTUM: usize = 262_144;

/// Stores an object in one request.
pub(crate) fn put(world: &World, name: &str, bytes: &[u8]) -> Reply {
    let path = format!("/upload/storage/v1/b/prep-rehearsal/o?uploadType=media&name={name}");
    world.send(
        "POST",
        &path,
        &[("content-type", "application/jsonl")],
        bytes,
    )
}

/// Begins a session and gives its address.
pub(crate) fn begin(world: &World, query: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let path = format!("/upload/storage/v1/b/prep-rehearsal/o?uploadType=resumable{query}");
    let mut all = vec![JSON];
    all.extend_from_slice(headers);
    world.send("POST", &path, &all, body.as_bytes())
}

fn session(world: &World, name: &str) -> String {
    let reply = begin(world, &format!("&name={name}"), &[], "{}");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

/// Sends a piece without a token, as the session's address is enough.
pub(crate) fn piece(world: &World, session: &str, range: &str, bytes: &[u8]) -> Reply {
    world.send(
        "PUT",
        session,
        &[("authorization", ""), ("content-range", range)],
        bytes,
    )
}

fn sample(n: usize) -> Vec<u8> {
    (0..n)
        .map(|n| u8::try_from(n * 31 % 251).unwrap())
        .collect()
}

fn crc(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(crc32c::crc32c(bytes).to_be_bytes())
}

#[test]
fn buckets_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let path = "/storage/v1/b?project=prep-rehearsal";
    let body = json!({"name": "acme-mt", "location": "europe-west4", "storageClass": "STANDARD",
        "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": true}}});
    let made = world.post(path, &body).json();
    assert_eq!(
        (&made["location"], &made["locationType"]),
        (&json!("EUROPE-WEST4"), &json!("region"))
    );
    assert_eq!(world.get("/storage/v1/b/acme-mt").json(), made);
    assert_eq!(
        made["iamConfiguration"]["publicAccessPrevention"],
        "enforced"
    );
    let again = world.post(path, &body);
    assert_eq!(
        (again.status, &again.json()["error"]["errors"][0]["reason"]),
        (409, &json!("conflict"))
    );
    let absent = world.get("/storage/v1/b/absent");
    assert_eq!(
        (absent.status, &*absent.message()),
        (404, "The specified bucket does not exist.")
    );
    assert_eq!(absent.json()["error"]["errors"][0]["reason"], "notFound");
    let cases = [
        (path, json!({"name": "A"}), 400),
        (path, json!({"name": "abc", "colour": 1}), 400),
        (
            path,
            json!({"name": "abc", "iamConfiguration": {"publicAccessPrevention": "on"}}),
            400,
        ),
        ("/storage/v1/b", json!({"name": "abc"}), 400),
        ("/storage/v1/b?project=other", json!({"name": "abc"}), 403),
    ];
    for (path, body, status) in cases {
        assert_eq!(world.post(path, &body).status, status, "{path} {body}");
    }
    let test = "/storage/v1/b/acme-mt/iam/testPermissions?permissions=storage.objects.create&permissions=storage.objects.get";
    let held = world.get(test).json();
    assert_eq!(
        held["permissions"],
        json!(["storage.objects.create", "storage.objects.get"])
    );
}

#[test]
fn an_object_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let made = put(&world, "run%2F7%2Ftrain.jsonl", b"hello world").json();
    assert_eq!(
        (&made["name"], &made["size"]),
        (&json!("run/7/train.jsonl"), &json!("11"))
    );
    assert_eq!(
        (&made["crc32c"], &made["md5Hash"]),
        (&json!("yZRlqg=="), &json!("XrY7u+Ae7tCTyyK7j1rNww=="))
    );
    assert!(made["generation"].is_string() && made["updated"].is_string());
    let path = "/storage/v1/b/prep-rehearsal/o/run%2F7%2Ftrain.jsonl";
    assert_eq!(world.get(path).json(), made);
    let read = world.get(&format!("{path}?alt=media"));
    assert_eq!(read.text(), "hello world");
    assert_eq!(
        read.header("x-goog-hash"),
        Some("crc32c=yZRlqg==,md5=XrY7u+Ae7tCTyyK7j1rNww==")
    );
    assert_eq!(
        read.header("x-goog-generation"),
        made["generation"].as_str()
    );
    let part = world.send(
        "GET",
        &format!("{path}?alt=media"),
        &[("range", "bytes=6-8")],
        b"",
    );
    assert_eq!((part.status, &*part.text()), (206, "wor"));
    assert_eq!(part.header("content-range"), Some("bytes 6-8/11"));
    let beyond = world.send(
        "GET",
        &format!("{path}?alt=media"),
        &[("range", "bytes=11-")],
        b"",
    );
    assert_eq!(beyond.status, 416);

    let generation = made["generation"].as_str().unwrap();
    let wrong = format!("{path}?ifGenerationMatch=1");
    let refused = world.send("DELETE", &wrong, &[], b"");
    assert_eq!(
        (
            refused.status,
            &refused.json()["error"]["errors"][0]["reason"]
        ),
        (412, &json!("conditionNotMet"))
    );
    let right = format!("{path}?ifGenerationMatch={generation}");
    assert_eq!(world.send("DELETE", &right, &[], b"").status, 204);
    assert_eq!(world.get(path).status, 404);
    assert_eq!(world.send("DELETE", &right, &[], b"").status, 404);
    assert_eq!(world.get(&format!("{path}?colour=1")).status, 400);
}

#[test]
fn objects_are_listed_in_pages_and_folders() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    for name in ["a", "b%2F1", "b%2F2", "c", "d%2F1", "e"] {
        assert_eq!(put(&world, name, b"x").status, 200);
    }
    let list = |query: &str| {
        world
            .get(&format!("/storage/v1/b/prep-rehearsal/o?{query}"))
            .json()
    };
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().into_iter().flatten();
        let names = items.map(|item| item["name"].as_str().unwrap().to_owned());
        let prefixes = list["prefixes"].as_array().into_iter().flatten();
        names
            .chain(prefixes.map(|prefix| prefix.as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(names(&list("")), ["a", "b/1", "b/2", "c", "d/1", "e"]);
    assert_eq!(names(&list("prefix=b/")), ["b/1", "b/2"]);
    assert_eq!(names(&list("delimiter=/")), ["a", "c", "e", "b/", "d/"]);
    assert_eq!(names(&list("prefix=nothing")).len(), 0);
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(&format!("delimiter=/&maxResults=2&pageToken={token}"));
        assert!(names(&page).len() <= 2);
        all.extend(names(&page));
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    all.sort();
    assert_eq!(all, ["a", "b/", "c", "d/", "e"]);
}

#[test]
fn a_multipart_upload_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let send = |metadata: &str, bytes: &[u8], query: &str| {
        let mut body = format!("--B\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n--B\r\ncontent-type: application/jsonl\r\n\r\n").into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--B--\r\n");
        let path = format!("/upload/storage/v1/b/prep-rehearsal/o?uploadType=multipart{query}");
        world.send(
            "POST",
            &path,
            &[("content-type", "multipart/related; boundary=\"B\"")],
            &body,
        )
    };
    let bytes = sample(700_000);
    let crc = crc(&bytes);
    let metadata = json!({"name": "m", "crc32c": crc, "metadata": {"k": "v"}, "contentType": "application/jsonl"});
    let made = send(&metadata.to_string(), &bytes, "&ifGenerationMatch=0");
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["metadata"]["k"], &made["size"]),
        (&json!("v"), &json!("700000"))
    );
    assert_eq!(
        world.get("/storage/v1/b/prep-rehearsal/o/m?alt=media").body,
        bytes
    );
    assert_eq!(
        send(&metadata.to_string(), &bytes, "&ifGenerationMatch=0").status,
        412
    );
    let cases = [
        (
            json!({"name": "x", "crc32c": "AAAAAA=="}),
            400,
            "doesn't match calculated CRC32C",
        ),
        (
            json!({"name": "x", "md5Hash": "AAAAAA=="}),
            400,
            "doesn't match calculated MD5",
        ),
        (
            json!({"name": "x", "colour": 1}),
            400,
            "Unknown name \"colour\"",
        ),
        (
            json!({"name": "x", "contentType": "text/plain"}),
            400,
            "does not match Content-Type",
        ),
        (json!({}), 400, "Required parameter: name"),
        (
            json!({"name": "x", "acl": []}),
            501,
            "does not support `acl`",
        ),
    ];
    for (metadata, status, message) in cases {
        let reply = send(&metadata.to_string(), b"bytes", "");
        assert_eq!(reply.status, status, "{metadata}");
        assert!(reply.message().contains(message), "{}", reply.text());
        assert_eq!(world.get("/storage/v1/b/prep-rehearsal/o/x").status, 404);
    }
    let cut = b"--B\r\ncontent-type: application/json\r\n\r\n{\"name\":\"x\"}\r\n--B\r\n\r\nbytes";
    let path = "/upload/storage/v1/b/prep-rehearsal/o?uploadType=multipart";
    let cut = world.send(
        "POST",
        path,
        &[("content-type", "multipart/related; boundary=B")],
        cut,
    );
    assert_eq!(cut.status, 400);
}

#[test]
fn a_resumable_upload_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let bytes = sample(2 * QUANTUM + 100);
    let total = bytes.len();
    let headers = [
        ("x-upload-content-length", &*total.to_string()),
        ("x-upload-content-type", "application/jsonl"),
    ];
    let begun = begin(&world, "&name=r&ifGenerationMatch=0", &headers, "{}");
    let session = begun.header("location").unwrap().to_owned();
    let query = || piece(&world, &session, &format!("bytes */{total}"), b"");
    let empty = query();
    assert_eq!((empty.status, empty.header("range")), (308, None));

    let first = piece(
        &world,
        &session,
        &format!("bytes 0-{}/{total}", QUANTUM - 1),
        &bytes[..QUANTUM],
    );
    assert_eq!(
        (first.status, first.header("range")),
        (308, Some("bytes=0-262143"))
    );
    // A piece that breaks off leaves whole multiples of 256 KiB.
    let range = format!("bytes {QUANTUM}-{}/{total}", total - 1);
    let broken = world.try_send(
        "PUT",
        &session,
        &[("content-range", &range)],
        &bytes[QUANTUM..],
        QUANTUM + 50,
    );
    assert!(broken.is_err());
    let stored = query();
    assert_eq!(
        (stored.status, stored.header("range")),
        (308, Some("bytes=0-524287"))
    );
    // What is stored may be sent again.
    let done = piece(&world, &session, &range, &bytes[QUANTUM..]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["crc32c"], crc(&bytes).as_str());
    assert_eq!(query().json(), done.json());
    assert_eq!(
        world.get("/storage/v1/b/prep-rehearsal/o/r?alt=media").body,
        bytes
    );
}

#[test]
fn pieces_that_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let bytes = sample(QUANTUM + 1);
    let address = session(&world, "p");
    let cases: [(&str, usize); 6] = [
        ("bytes 0-99/*", 100),
        ("bytes 0-99/300000", 100),
        ("bytes 0-98/99", 100),
        ("bytes 262144-262243/262244", 100),
        ("bytes=0-99/100", 100),
        ("bytes 5-4/100", 100),
    ];
    for (range, n) in cases {
        assert_eq!(
            piece(&world, &address, range, &bytes[..n]).status,
            400,
            "{range}"
        );
    }
    assert_eq!(piece(&world, &address, "bytes */*", b"").status, 308);
    let wrong = [
        ("authorization", ""),
        ("content-range", "bytes 0-99/100"),
        ("x-goog-hash", "crc32c=AAAAAA=="),
    ];
    assert_eq!(
        world.send("PUT", &address, &wrong, &bytes[..100]).status,
        400
    );
    assert_eq!(world.get("/storage/v1/b/prep-rehearsal/o/p").status, 404);

    let whole = session(&world, "w");
    let one = world.send("PUT", &whole, &[("authorization", "")], &bytes);
    assert_eq!((one.status, &one.json()["size"]), (200, &json!("262145")));
    let nothing = session(&world, "n");
    let nothing = piece(&world, &nothing, "bytes */0", b"");
    assert_eq!(
        (nothing.status, &nothing.json()["crc32c"]),
        (200, &json!("AAAAAA=="))
    );

    let cancelled = session(&world, "c");
    assert_eq!(world.send("DELETE", &cancelled, &[], b"").status, 499);
    assert_eq!(piece(&world, &cancelled, "bytes */*", b"").status, 410);
    let unknown = cancelled.replace("upload_id=", "upload_id=x");
    assert_eq!(piece(&world, &unknown, "bytes */*", b"").status, 404);
    let old = session(&world, "o");
    world
        .clock
        .advance(std::time::Duration::from_secs(8 * 24 * 3_600));
    assert_eq!(piece(&world, &old, "bytes */*", b"").status, 410);
}

#[test]
fn what_is_stored_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = sample(QUANTUM + 7);
    let total = bytes.len();
    let world = World::new(dir.path(), vec![]);
    let kept = put(&world, "kept", b"kept").json();
    let address = session(&world, "s");
    piece(
        &world,
        &address,
        &format!("bytes 0-{}/{total}", QUANTUM - 1),
        &bytes[..QUANTUM],
    );
    let token = world.token.clone();
    world.stop();

    let mut world = World::new(dir.path(), vec![]);
    world.token = token;
    let again = world.get("/storage/v1/b/prep-rehearsal/o/kept").json();
    assert_eq!(again["generation"], kept["generation"]);
    let path = &address[address.find("/upload").unwrap()..];
    let stored = piece(&world, path, "bytes */*", b"");
    assert_eq!(
        (stored.status, stored.header("range")),
        (308, Some("bytes=0-262143"))
    );
    let rest = piece(
        &world,
        path,
        &format!("bytes {QUANTUM}-{}/{total}", total - 1),
        &bytes[QUANTUM..],
    );
    assert_eq!(
        (rest.status, &rest.json()["crc32c"]),
        (200, &json!(crc(&bytes)))
    );
}

#[test]
fn objects_are_composed() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    put(&world, "one", b"hello ");
    put(&world, "two", b"world");
    let path = "/storage/v1/b/prep-rehearsal/o/both/compose";
    let made = world
        .post(
            path,
            &json!({"sourceObjects": [{"name": "one"}, {"name": "two"}]}),
        )
        .json();
    assert_eq!(
        (&made["crc32c"], &made["componentCount"]),
        (&json!("yZRlqg=="), &json!(2))
    );
    assert!(made.get("md5Hash").is_none());
    assert_eq!(world.post(path, &json!({"sourceObjects": []})).status, 400);
}
