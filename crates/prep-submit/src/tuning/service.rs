//! The calls of the tuning service that read and cancel jobs.

use serde_json::Value;

use super::job::TuningJob;
use super::name::ResourceName;
use crate::client::{Client, turn_page};
use crate::endpoints::Endpoints;
use crate::error::CallError;
use crate::http::Request;

/// How many jobs are asked for at once.
const PAGE: usize = 100;

/// The address of something in a location.
pub(crate) fn address(client: &Client, location: &str, path: &str) -> String {
    format!("{}/v1/{path}", client.endpoints().vertex(location))
}

/// Gives the address of the jobs of a project in a location.
#[must_use]
pub fn jobs_url(endpoints: &Endpoints, project: &str, location: &str) -> String {
    let base = endpoints.vertex(location);
    format!("{base}/v1/projects/{project}/locations/{location}/tuningJobs")
}

/// Asks for JSON.
pub(crate) async fn read(client: &Client, request: &Request) -> Result<Value, CallError> {
    client.send(request).await?.json()
}

/// Gets a job.
///
/// # Errors
///
/// When the call fails or its answer is no job.
pub async fn get(client: &Client, name: &ResourceName) -> Result<TuningJob, CallError> {
    const OPERATION: &str = "get a tuning job";
    let url = address(client, &name.location, &name.to_string());
    job_of(
        OPERATION,
        read(client, &Request::get(OPERATION, url)).await?,
    )
}

/// Lists the jobs of a project in a location, as the service orders them, up
/// to `most` of them. Costs a request for each hundred.
///
/// # Errors
///
/// When a call fails or its answer is no list of jobs.
pub async fn list(
    client: &Client,
    project: &str,
    location: &str,
    most: usize,
) -> Result<Vec<TuningJob>, CallError> {
    const OPERATION: &str = "list tuning jobs";
    let url = jobs_url(client.endpoints(), project, location);
    let (mut jobs, mut token) = (Vec::new(), String::new());
    while jobs.len() < most {
        let size = PAGE.min(most - jobs.len());
        let mut request = Request::get(OPERATION, url.clone()).query("pageSize", size.to_string());
        if !token.is_empty() {
            request = request.query("pageToken", token.clone());
        }
        let page = read(client, &request).await?;
        for raw in page["tuningJobs"].as_array().into_iter().flatten() {
            jobs.push(job_of(OPERATION, raw.clone())?);
        }
        if !turn_page(OPERATION, &page, &mut token)? {
            break;
        }
    }
    jobs.truncate(most);
    Ok(jobs)
}

/// Asks the service to cancel a job. It does what it can, and takes its time:
/// the job is cancelled when its state says so.
///
/// # Errors
///
/// When the call fails.
pub async fn cancel(client: &Client, name: &ResourceName) -> Result<(), CallError> {
    let url = address(client, &name.location, &format!("{name}:cancel"));
    // Cancelling twice is cancelling once.
    let request = Request::post("cancel a tuning job", url)
        .json(&serde_json::json!({}))
        .safe();
    client.send(&request).await?;
    Ok(())
}

pub(super) fn job_of(operation: &'static str, raw: Value) -> Result<TuningJob, CallError> {
    TuningJob::new(raw).map_err(|error| CallError::Unreadable {
        operation,
        reason: error.to_string(),
    })
}
