//! The tuned models and endpoints that jobs leave.

use std::sync::Arc;

use serde_json::{Value, json};

use super::jobs::Job;
use super::{id_of, page, parent};
use crate::clock::rfc3339;
use crate::cloud::{Ask, Cloud, PROJECT_NUMBER};
use crate::error::{Answer, Refusal, json_reply};
use crate::strict::{self, Api};

/// Finds the job of a model by the model's name, with the project's number or
/// id, without a version.
pub(crate) fn by_name(cloud: &Cloud, name: &str) -> Option<Arc<Job>> {
    let rest = name.strip_prefix("projects/")?;
    let (project, rest) = rest.split_once('/')?;
    let rest = rest.strip_prefix("locations/")?;
    let (location, id) = rest.split_once("/models/")?;
    if !cloud.is_project(project) {
        return None;
    }
    let mut jobs = cloud.jobs.starting_with("").into_iter();
    jobs.find(|job| job.model_id() == id && job.serving() == location)
}

/// The job of the model of a request, and the version that is asked for.
fn asked(cloud: &Cloud, ask: &Ask) -> Result<Arc<Job>, Refusal> {
    let given = ask.parts.get("model");
    let (id, version) = match given.split_once('@') {
        Some((id, version)) => (id, Some(version)),
        None => (given, None),
    };
    let location = ask.parts.get("location");
    let name = format!("{}/models/{id}", parent(location));
    let job = by_name(cloud, &name).filter(|job| {
        matches!(version, None | Some("1" | "default")) && job.at(cloud.clock.now()).has_model
    });
    job.ok_or_else(|| {
        Refusal::not_found(format!(
            "The Model \"projects/{PROJECT_NUMBER}/locations/{location}/models/{given}\" does not exist."
        ))
    })
}

impl Job {
    fn model_resource(&self, now: u64) -> Value {
        let moment = self.at(now);
        let created = self.training().1;
        let updated = self.model_updated.unwrap_or(created);
        let mut model = json!({
            "name": self.model(),
            "displayName": self.display_name(),
            "versionId": "1",
            "versionAliases": ["default"],
            "createTime": rfc3339(created),
            "updateTime": rfc3339(updated),
            "versionCreateTime": rfc3339(created),
            "versionUpdateTime": rfc3339(updated),
            "modelSourceInfo": {"sourceType": "GENIE"},
            "baseModelSource": {"genieSource": {"baseModelUri": ""}},
            "supportedDeploymentResourcesTypes": ["SHARED_RESOURCES"],
            "etag": id_of(&self.id, &updated.to_string()),
        });
        if let Some(labels) = self.request.get("labels") {
            model["labels"] = labels.clone();
        }
        if moment.has_endpoint {
            let default = self.default_checkpoint();
            model["deployedModels"] = json!([{
                "endpoint": self.endpoint(default),
                "deployedModelId": id_of(&self.id, "deployed"),
            }]);
            model["defaultCheckpointId"] = json!(default.to_string());
            model["checkpoints"] = self.checkpoint_list().into();
        }
        model
    }

    fn checkpoint_list(&self) -> Vec<Value> {
        let checkpoints = self.checkpoints();
        let entry = |checkpoint: &super::jobs::Checkpoint| {
            json!({
                "checkpointId": checkpoint.id.to_string(),
                "epoch": checkpoint.epoch.to_string(),
                "step": checkpoint.step.to_string(),
            })
        };
        checkpoints.iter().map(entry).collect()
    }
}

/// `models.get`.
pub(crate) fn model_get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let job = asked(cloud, ask)?;
    Ok(json_reply(200, &job.model_resource(cloud.clock.now())))
}

/// `models.listCheckpoints`.
pub(crate) fn model_checkpoints(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let job = asked(cloud, ask)?;
    let page = page(job.checkpoint_list(), "checkpoints", &ask.query, 100)?;
    Ok(json_reply(200, &page))
}

/// `models.patch`, of the default checkpoint only.
pub(crate) fn model_patch(cloud: &Arc<Cloud>, ask: &Ask, api: Api, body: &[u8]) -> Answer {
    let job = asked(cloud, ask)?;
    let mask = ask.query.get("updateMask").unwrap_or_default();
    let mask = mask.split(',').map(|field| strict::snake(field.trim()));
    let mask: Vec<_> = mask.filter(|field| !field.is_empty()).collect();
    let model = strict::message(api, "Model", body)?;
    if mask.is_empty() {
        return Err(Refusal::invalid("The field update_mask is required."));
    }
    if mask != ["default_checkpoint_id"] {
        return Err(Refusal::unsupported(format!(
            "the update mask `{}`",
            mask.join(",")
        )));
    }
    let id = model["defaultCheckpointId"].as_str().unwrap_or_default();
    let is_there = job
        .checkpoints()
        .iter()
        .any(|checkpoint| checkpoint.id.to_string() == id);
    if !is_there {
        return Err(Refusal::invalid(format!(
            "The checkpoint {id:?} is not a checkpoint of the model."
        )));
    }
    let now = cloud.clock.now();
    let changed = cloud.jobs.change(&job.id, |job| {
        job.default_checkpoint = Some(id.to_owned());
        job.model_updated = Some(now);
    })?;
    let job = changed.unwrap_or(job);
    Ok(json_reply(200, &job.model_resource(now)))
}

/// The job that an endpoint of a location serves.
pub(crate) fn of_endpoint(cloud: &Cloud, location: &str, id: &str) -> Result<Arc<Job>, Refusal> {
    let now = cloud.clock.now();
    let jobs = cloud.jobs.starting_with("");
    let job = jobs.into_iter().find(|job| {
        job.serving() == location
            && job.is_served(now)
            && job
                .checkpoints()
                .iter()
                .any(|checkpoint| job.endpoint_id(checkpoint.id) == id)
    });
    job.ok_or_else(|| {
        Refusal::not_found(format!(
            "Endpoint `projects/{PROJECT_NUMBER}/locations/{location}/endpoints/{id}` not found."
        ))
    })
}

/// `endpoints.get`.
pub(crate) fn endpoint_get(cloud: &Arc<Cloud>, ask: &Ask) -> Answer {
    let (location, id) = (ask.parts.get("location"), ask.parts.get("endpoint"));
    let job = of_endpoint(cloud, location, id)?;
    let created = rfc3339(job.training().1);
    let endpoint = json!({
        "name": format!("{}/endpoints/{id}", parent(location)),
        "displayName": job.display_name(),
        "deployedModels": [{
            "id": id_of(&job.id, "deployed"),
            "model": job.model(),
            "modelVersionId": "1",
            "displayName": job.display_name(),
            "createTime": created,
        }],
        "createTime": created,
        "updateTime": created,
    });
    Ok(json_reply(200, &endpoint))
}
