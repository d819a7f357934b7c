//! What goes wrong when it is told to.

use prep_emulator::{Effect, Fault, Faults, operations};
use serde_json::json;

use crate::client::World;
use crate::storage::{begin, piece, put};

const BUCKET: &str = "/storage/v1/b/prep-rehearsal";

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: Some(7),
        message: None,
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let names = operations();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(names.len(), once.len());
    assert!(names.len() > 35);
    for name in names {
        let table = Faults::new(vec![Fault::on(name, Effect::ResetBefore)]);
        assert_eq!(table.unwrap().len(), 1);
    }
}

#[test]
fn every_operation_is_documented() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator.md");
    let page = std::fs::read_to_string(page).unwrap();
    for name in operations() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn an_answer_can_be_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let faults = vec![
        Fault::on("storage.buckets.get", status(503)),
        Fault::on("aiplatform.tuningJobs.list", status(429)),
        Fault::on(
            "storage.objects.insert.media",
            Effect::StatusAfter { code: 500 },
        ),
    ];
    let world = World::new(dir.path(), faults);
    let reply = world.get(BUCKET);
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("7"))
    );
    assert_eq!(reply.json()["error"]["errors"][0]["reason"], "backendError");
    assert_eq!(world.get(BUCKET).status, 200);
    let jobs = "/v1/projects/prep-rehearsal/locations/us-central1/tuningJobs";
    assert_eq!(
        world.get(jobs).json()["error"]["status"],
        "RESOURCE_EXHAUSTED"
    );
    assert_eq!(put(&world, "a", b"x").status, 500);
    assert_eq!(world.get(&format!("{BUCKET}/o/a")).status, 200);
    let log = world.emulator().requests();
    let struck: Vec<_> = log.iter().map(|request| request.is_struck).collect();
    assert_eq!(struck, [true, false, true, true, false]);
    assert_eq!(log[0].status, Some(503));
    assert!(log.iter().all(|request| {
        request
            .headers
            .iter()
            .all(|(name, _)| name != "authorization")
    }));
    assert_eq!(
        world.get("/_emulator/requests").json()["requests"][3]["operation"],
        "storage.objects.insert.media"
    );
}

#[test]
fn a_connection_can_be_reset_before_or_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut after = Fault::on("storage.objects.insert.media", Effect::ResetAfter);
    after.nth = 2;
    let faults = vec![
        Fault::on("storage.objects.insert.media", Effect::ResetBefore),
        after,
    ];
    let world = World::new(dir.path(), faults);
    let send = |name: &str| {
        let path = format!("/upload/storage/v1/b/prep-rehearsal/o?uploadType=media&name={name}");
        world.try_send("POST", &path, &[], b"x", 1)
    };
    assert!(send("before").is_err());
    assert!(send("after").is_err());
    assert_eq!(world.get(&format!("{BUCKET}/o/before")).status, 404);
    assert_eq!(world.get(&format!("{BUCKET}/o/after")).status, 200);
    let log = world.emulator().requests();
    assert_eq!((log[0].status, log[1].status), (None, None));
}

#[test]
fn bodies_can_be_slow_short_or_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    put(&world, "a", b"hello world");
    let path = format!("{BUCKET}/o/a?alt=media");
    let set = |effect| {
        let faults = Faults::new(vec![Fault::on("storage.objects.get", effect)]);
        world.emulator().set_faults(faults.unwrap());
    };
    set(Effect::Slow {
        delay_ms: 20,
        piece: 4,
    });
    let begun = std::time::Instant::now();
    assert_eq!(world.get(&path).text(), "hello world");
    assert!(begun.elapsed().as_millis() >= 60);
    set(Effect::Truncate { after: 5 });
    assert!(world.try_send("GET", &path, &[], b"", 0).is_err());
    set(Effect::WrongCrc);
    assert_eq!(
        world.get(&path).header("x-goog-hash"),
        Some("crc32c=/////w==")
    );
    set(Effect::WrongCrc);
    assert_eq!(
        world.get(&format!("{BUCKET}/o/a")).json()["crc32c"],
        "/////w=="
    );
    set(Effect::ExpireToken);
    assert_eq!(world.get(&path).status, 401);
    assert_eq!(world.get(&path).status, 401);
}

#[test]
fn uploads_can_be_stored_in_part_or_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut lose = Fault::on("storage.upload.chunk", Effect::LoseSession);
    lose.nth = 2;
    let faults = vec![
        Fault::on("storage.upload.chunk", Effect::StoreLess { bytes: 300_000 }),
        lose,
    ];
    let world = World::new(dir.path(), faults);
    let session = begin(&world, "&name=u", &[], "{}")
        .header("location")
        .unwrap()
        .to_owned();
    let bytes = vec![1; 2 * 262_144];
    let reply = piece(&world, &session, "bytes 0-524287/524288", &bytes);
    assert_eq!(
        (reply.status, reply.header("range")),
        (308, Some("bytes=0-262143"))
    );
    let rest = |session: &str| {
        piece(
            &world,
            session,
            "bytes 262144-524287/524288",
            &bytes[262_144..],
        )
    };
    assert_eq!(rest(&session).status, 410);
    assert_eq!(rest(&session).status, 410);
    assert_eq!(world.get(&format!("{BUCKET}/o/u")).status, 404);
}

#[test]
fn an_answer_can_be_cut_short_by_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let finish = Effect::Finish {
        reason: "SPII".into(),
    };
    let world = World::new(
        dir.path(),
        vec![Fault::on(
            "aiplatform.publishers.models.generateContent",
            finish,
        )],
    );
    let path = "/v1/projects/prep-rehearsal/locations/us/publishers/google/models/gemini-3.5-flash:generateContent";
    let body = json!({"contents": [{"parts": [{"text": "a"}]}]});
    assert_eq!(
        world.post(path, &body).json()["candidates"][0]["finishReason"],
        "SPII"
    );
    assert_eq!(
        world.post(path, &body).json()["candidates"][0]["finishReason"],
        "STOP"
    );
    assert_eq!(
        world
            .post(path, &json!({"contents": [], "contentz": 1}))
            .status,
        400
    );
}
