//! What is examined, and the command that mends it.

use prep_submit::doctor::{Check, Standing, Wanted, examine};
use prep_submit::{Client, ClientOptions, Endpoints};
use serde_json::{Value, json};

use crate::server::{Nobody, Server, TOKEN};

const PROJECT: &str = "GET /v1/projects/acme";
const VERTEX: &str = "GET /v1/projects/acme/services/aiplatform.googleapis.com";
const STORAGE: &str = "GET /v1/projects/acme/services/storage.googleapis.com";
const RIGHTS: &str = "POST /v1/projects/acme:testIamPermissions";
const JOBS: &str = "GET /v1/projects/acme/locations/us-central1/tuningJobs";
const BUCKET: &str = "GET /storage/v1/b/acme-mt";
const UPLOADS: &str = "GET /storage/v1/b/acme-mt/iam/testPermissions";

fn all_is_well() -> Server {
    let server = Server::start();
    let rights = json!({"permissions": [
        "aiplatform.tuningJobs.create", "aiplatform.tuningJobs.get", "aiplatform.tuningJobs.list",
        "aiplatform.tuningJobs.cancel", "aiplatform.endpoints.predict",
    ]});
    let uploads = json!({"permissions": [
        "storage.objects.create", "storage.objects.get", "storage.objects.delete", "storage.objects.list",
    ]});
    let answers = [
        (
            PROJECT,
            json!({"projectId": "acme", "projectNumber": "12", "lifecycleState": "ACTIVE"}),
        ),
        (VERTEX, json!({"state": "ENABLED"})),
        (STORAGE, json!({"state": "ENABLED"})),
        (RIGHTS, rights),
        (JOBS, json!({})),
        (
            BUCKET,
            json!({"name": "acme-mt", "location": "US-CENTRAL1"}),
        ),
        (UPLOADS, uploads),
    ];
    for (of, value) in answers {
        server.lock().answers.insert(of.to_owned(), (200, value));
    }
    server
}

fn wanted() -> Wanted {
    Wanted {
        project: Some("acme".into()),
        location: Some("us-central1".into()),
        bucket: Some("gs://acme-mt/x".parse().unwrap()),
    }
}

async fn check(server: &Server, name: &str) -> Check {
    let checks = examine(&server.client(), &wanted()).await;
    let text = format!("{checks:?}");
    assert!(!text.contains(TOKEN), "{text}");
    let bad = checks
        .iter()
        .find(|check| check.name == name && check.standing != Standing::Good);
    bad.unwrap_or_else(|| panic!("{checks:?}")).clone()
}

#[tokio::test]
async fn when_all_is_well() {
    let checks = examine(&all_is_well().client(), &wanted()).await;
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.name, check.standing))
        .collect();
    use Standing::{Good, Unknown};
    assert_eq!(
        told,
        [
            ("addresses", Good),
            ("credentials", Good),
            ("project", Good),
            ("service", Good),
            ("service", Good),
            ("permissions", Good),
            ("tuning jobs", Good),
            ("bucket", Good),
            ("uploads", Good),
            ("quota", Unknown),
        ]
    );
}

#[tokio::test]
async fn what_is_missing_is_told_with_what_mends_it() {
    let disabled = json!({"error": {"code": 403, "message": "It has not been used.", "status": "PERMISSION_DENIED", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]}});
    let denied = json!({"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED"}});
    let table: [(&str, u16, Value, &str, Standing, &str); 9] = [
        (
            PROJECT,
            403,
            denied.clone(),
            "project",
            Standing::Bad,
            "gcloud projects list",
        ),
        (
            PROJECT,
            403,
            disabled.clone(),
            "project",
            Standing::Unknown,
            "gcloud services enable cloudresourcemanager.googleapis.com --project acme",
        ),
        (
            VERTEX,
            200,
            json!({"state": "DISABLED"}),
            "service",
            Standing::Bad,
            "gcloud services enable aiplatform.googleapis.com --project acme",
        ),
        (
            VERTEX,
            403,
            denied.clone(),
            "service",
            Standing::Unknown,
            "",
        ),
        (
            RIGHTS,
            200,
            json!({}),
            "permissions",
            Standing::Bad,
            "gcloud projects add-iam-policy-binding acme --member=user:YOUR-ADDRESS --role=roles/aiplatform.user",
        ),
        (
            JOBS,
            403,
            disabled,
            "tuning jobs",
            Standing::Bad,
            "gcloud services enable aiplatform.googleapis.com --project acme",
        ),
        (
            BUCKET,
            404,
            denied.clone(),
            "bucket",
            Standing::Bad,
            "gcloud storage buckets create gs://acme-mt --project=acme --location=us-central1 --uniform-bucket-level-access --public-access-prevention",
        ),
        (BUCKET, 403, denied, "bucket", Standing::Unknown, ""),
        (
            UPLOADS,
            200,
            json!({"permissions": ["storage.objects.get"]}),
            "uploads",
            Standing::Bad,
            "gcloud storage buckets add-iam-policy-binding gs://acme-mt --member=user:YOUR-ADDRESS --role=roles/storage.objectAdmin",
        ),
    ];
    for (of, status, value, name, standing, mend) in table {
        let server = all_is_well();
        server.lock().answers.insert(of.to_owned(), (status, value));
        let check = check(&server, name).await;
        assert_eq!(check.standing, standing, "{check:?}");
        assert_eq!(check.mend.unwrap_or_default(), mend);
    }
}

#[tokio::test]
async fn without_a_connection_it_says_what_it_could_not_ask() {
    let nobody = Nobody::new();
    let free = nobody.address();
    let server = Server::start();
    let options = ClientOptions {
        endpoints: Endpoints::stand_in(format!("http://{free}")),
        retry: prep_submit::Retry {
            total: std::time::Duration::ZERO,
            ..Default::default()
        },
        ..server.options()
    };
    let checks = examine(&Client::new(options).unwrap(), &wanted()).await;
    let unreachable = checks
        .iter()
        .filter(|check| check.standing == Standing::Unreachable);
    assert_eq!(unreachable.count(), 6, "{checks:?}");
    assert!(
        checks.iter().all(|check| check.standing != Standing::Bad),
        "{checks:?}"
    );
}
