//! Who gets a token, and which tokens are taken.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use prep_emulator::Options;
use ring::{rand, rsa, signature};
use serde_json::{Value, json};

use crate::client::{Reply, World};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn key(world: &World) -> Value {
    serde_json::from_slice(&std::fs::read(world.emulator().key_file()).unwrap()).unwrap()
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn jwt(key: &Value, header: &Value, claims: &Value) -> String {
    let pem = key["private_key"].as_str().unwrap();
    let der: String = pem
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect();
    let pair = rsa::KeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).unwrap()).unwrap();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut tag = vec![0; pair.public().modulus_len()];
    let random = rand::SystemRandom::new();
    pair.sign(
        &signature::RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut tag,
    )
    .unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

fn ask(world: &World, form: &str) -> Reply {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    world.send(
        "POST",
        "/token",
        &[kind, ("authorization", "")],
        form.as_bytes(),
    )
}

fn bearer(world: &World, assertion: &str) -> Reply {
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    ask(world, &format!("grant_type={grant}&assertion={assertion}"))
}

fn status_with(world: &World, token: &str) -> u16 {
    let header = format!("Bearer {token}");
    world
        .send(
            "GET",
            "/storage/v1/b/prep-rehearsal",
            &[("authorization", &header)],
            b"",
        )
        .status
}

#[test]
fn a_signed_claim_gets_a_token_and_others_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::with(Options::new(dir.path()));
    let key = key(&world);
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]});
    let good = json!({"iss": key["client_email"], "aud": key["token_uri"], "scope": SCOPE,
        "iat": now() - 10, "exp": now() + 3_500});
    let reply = bearer(&world, &jwt(&key, &header, &good));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3_599))
    );
    assert_eq!(
        status_with(&world, body["access_token"].as_str().unwrap()),
        200
    );

    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let cases = [
        ("iss", json!("someone@else"), "invalid_grant"),
        ("aud", json!("https://example.org"), "invalid_grant"),
        ("scope", json!("mail"), "invalid_scope"),
        ("scope", json!(""), "invalid_scope"),
        ("iat", json!(now() + 4_000), "invalid_grant"),
        ("exp", json!(now() - 1), "invalid_grant"),
        ("exp", json!(now() + 7_300), "invalid_grant"),
        ("exp", json!("soon"), "invalid_grant"),
    ];
    for (name, value, expected) in cases {
        let reply = bearer(&world, &jwt(&key, &header, &with(name, value.clone())));
        assert_eq!(reply.status, 400, "{name} {value}");
        assert_eq!(reply.json()["error"], expected, "{name} {value}");
    }
    let mut forged = jwt(&key, &header, &good);
    forged.replace_range(forged.len() - 9..forged.len() - 1, "AAAAAAAA");
    assert_eq!(bearer(&world, &forged).json()["error"], "invalid_grant");
    let weak = json!({"alg": "none", "typ": "JWT"});
    assert_eq!(bearer(&world, &jwt(&key, &weak, &good)).status, 400);
    assert_eq!(
        ask(&world, "grant_type=password").json()["error"],
        "unsupported_grant_type"
    );
}

#[test]
fn a_users_token_needs_a_quota_project() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let user = std::fs::read(world.emulator().user_file()).unwrap();
    let user: Value = serde_json::from_slice(&user).unwrap();
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        text("client_id"),
        text("client_secret"),
        text("refresh_token").replace('/', "%2F")
    );
    let token = ask(&world, &form).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let header = format!("Bearer {token}");
    let jobs = "/v1/projects/prep-rehearsal/locations/us-central1/tuningJobs";
    let list = |quota: &str| {
        let headers = [("authorization", &*header), ("x-goog-user-project", quota)];
        world.send("GET", jobs, &headers, b"").status
    };
    assert_eq!(
        (list(""), list("prep-rehearsal"), list("other")),
        (403, 200, 403)
    );
    let wrong = form.replace("rehearsal-refresh", "old");
    assert_eq!(ask(&world, &wrong).json()["error"], "invalid_grant");
}

#[test]
fn a_token_is_needed_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.token_lifetime = Duration::from_secs(60);
    let world = World::with(options);
    let none = world.send(
        "GET",
        "/storage/v1/b/prep-rehearsal",
        &[("authorization", "")],
        b"",
    );
    assert_eq!(none.status, 401);
    assert_eq!(none.json()["error"]["errors"][0]["reason"], "authError");
    let job = "/v1/projects/prep-rehearsal/locations/us-central1/tuningJobs/1";
    let none = world.send("GET", job, &[("authorization", "Bearer x")], b"");
    assert_eq!(none.json()["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(status_with(&world, &world.token), 200);
    let forged = format!("{}A", world.token);
    assert_eq!(status_with(&world, &forged), 401);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(status_with(&world, &world.token), 401);
}

#[test]
fn an_account_can_be_impersonated() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), vec![]);
    let email = key(&world)["client_email"].as_str().unwrap().to_owned();
    let path = format!("/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
    let reply = world.post(&path, &json!({"scope": [SCOPE], "lifetime": "600s"}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let token = reply.json()["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(status_with(&world, &token), 200);
    let narrow = json!({"scope": ["https://www.googleapis.com/auth/gmail.readonly"]});
    let narrow = world.post(&path, &narrow).json()["accessToken"].clone();
    assert_eq!(status_with(&world, narrow.as_str().unwrap()), 403);
    assert_eq!(
        world
            .post(&path, &json!({"scope": [SCOPE], "lifetime": "9999s"}))
            .status,
        400
    );
}
