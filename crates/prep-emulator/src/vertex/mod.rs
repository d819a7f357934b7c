//! Vertex AI: tuning jobs, what becomes of them, prediction and evaluation.

mod answers;
mod base;
mod batch;
mod dataset;
mod evaluate;
mod generate;
mod jobs;
mod metrics;
mod models;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) use self::answers::Answers;
pub(crate) use self::batch::{
    Batch, create as batch_create, get as batch_get, list as batch_list, stop as batch_cancel,
};
pub(crate) use self::evaluate::evaluate;
pub(crate) use self::generate::{count, generate, stream};
pub(crate) use self::jobs::{
    Job, cancel as job_cancel, create as job_create, get as job_get, list as job_list,
};
pub(crate) use self::metrics::{
    context_get, context_list, series_batch_read, series_list, series_read,
};
pub(crate) use self::models::{endpoint_get, model_checkpoints, model_get, model_patch};
use crate::auth::Form;
use crate::cloud::{Cloud, PROJECT_NUMBER};
use crate::error::{Refusal, Violation};
use crate::strict::Api;

/// The description that a version of the API goes by.
pub(crate) fn api_of(version: &str) -> Api {
    match version {
        "v1beta1" => Api::V1Beta1,
        _ => Api::V1,
    }
}

/// Goes on with what was under way.
pub(crate) fn resume(cloud: &Arc<Cloud>) {
    jobs::resume(cloud);
    batch::resume(cloud);
}

/// `projects/{number}/locations/{location}`, as names begin.
fn parent(location: &str) -> String {
    format!("projects/{PROJECT_NUMBER}/locations/{location}")
}

/// A number that belongs to a thing of a job, the same whenever it is asked
/// for: FNV-1a, stirred by the finaliser of SplitMix64.
fn mixed(job: &str, thing: &str) -> u64 {
    let bytes = job.bytes().chain([b'/']).chain(thing.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// An id of nineteen digits, as the service gives them.
fn id_of(job: &str, thing: &str) -> String {
    (1_000_000_000_000_000_000 + mixed(job, thing) % 8_000_000_000_000_000_000).to_string()
}

/// A new id.
fn new_id(cloud: &Cloud) -> Result<String, Refusal> {
    let random = cloud.random()?;
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(id_of(&text, "id"))
}

/// Takes one page of a list, and the token of the next.
fn page(items: Vec<Value>, name: &str, query: &Form, most: usize) -> Result<Value, Refusal> {
    let field = |field: &str, description: String| {
        Refusal::invalid("Request contains an invalid argument.").with_violations(vec![Violation {
            field: field.to_owned(),
            description,
        }])
    };
    let size = match query.get("pageSize") {
        None => most,
        Some(text) => match text.parse::<usize>() {
            Ok(0) => most,
            Ok(size) => size.min(most),
            Err(_) => {
                return Err(field(
                    "page_size",
                    format!("Invalid value (TYPE_INT32), \"{text}\""),
                ));
            }
        },
    };
    let from = match query.get("pageToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            let decoded = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            let from = decoded.and_then(|text| text.strip_prefix("page:")?.parse::<usize>().ok());
            from.ok_or_else(|| field("page_token", "The page token is invalid.".into()))?
        }
    };
    let has_more = items.len() > from.saturating_add(size);
    let items: Vec<_> = items.into_iter().skip(from).take(size).collect();
    let mut out = json!({});
    if !items.is_empty() {
        out[name] = Value::Array(items);
    }
    if has_more {
        let token = format!("page:{}", from + size);
        out["nextPageToken"] = json!(BASE64_URL_SAFE_NO_PAD.encode(token));
    }
    Ok(out)
}
