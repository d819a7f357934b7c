//! Google Cloud as the commands see it: a client, a project, a location.
//!
//! What is missing is told all at once, with every place where it can be set.

use std::io;

use prep_submit::tuning::ResourceName;
use prep_submit::{
    CallError, Client, ClientOptions, Clock, Credentials, Endpoints, Environment, RequestLog,
    ServiceError,
};
use tokio::runtime::{self, Runtime};

use crate::args::{CloudArgs, Shared};
use crate::failure::{Failure, plain};
use crate::interrupt;
use crate::rehearsal::Rehearsal;
use crate::settings::Settings;
use crate::ui;

/// Whose services are called: Google's, or those that a rehearsal plays until
/// this is dropped.
#[derive(Debug)]
pub(crate) struct Services<'a> {
    args: &'a CloudArgs,
    shared: &'a Shared,
    played: Option<Rehearsal>,
}

impl<'a> Services<'a> {
    /// Chooses Google's, or begins a rehearsal.
    pub(crate) fn new(
        args: &'a CloudArgs,
        shared: &'a Shared,
        is_rehearsal: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            args,
            shared,
            played: is_rehearsal.then(Rehearsal::start).transpose()?,
        })
    }

    /// Whether they are played.
    pub(crate) fn are_played(&self) -> bool {
        self.played.is_some()
    }

    /// Opens the project and location that flags, environment and settings
    /// name. Nothing is sent.
    pub(crate) fn open(&self) -> Result<Cloud, Failure> {
        let (environment, settings) = (environment(), Settings::read(self.shared)?);
        let own = self.args.location.clone();
        let location = own
            .or(environment.location)
            .or(settings.tuning.location)
            .or(settings.validate.location);
        if self.are_played() {
            // A rehearsal has one project; nothing of a real one is in it.
            let location = location.unwrap_or_else(|| Rehearsal::LOCATION.into());
            return self.connect(Rehearsal::PROJECT.into(), segment("location", location)?);
        }
        let own = self.args.project.clone();
        let project = own.or(environment.project).or(settings.tuning.project);
        match (project, location) {
            (Some(project), Some(location)) => {
                self.connect(segment("project", project)?, segment("location", location)?)
            }
            (project, location) => Err(missing(&[
                (
                    project.is_none(),
                    "project",
                    "--project",
                    "GOOGLE_CLOUD_PROJECT",
                ),
                (
                    location.is_none(),
                    "location",
                    "--location",
                    "GOOGLE_CLOUD_LOCATION",
                ),
            ])),
        }
    }

    /// Opens the project and location of something that has a name. Nothing is
    /// sent.
    pub(crate) fn open_at(&self, name: &ResourceName) -> Result<Cloud, Failure> {
        self.connect(name.project.clone(), name.location.clone())
    }

    /// Opens a project and a location. Nothing is sent.
    pub(crate) fn connect(&self, project: String, location: String) -> Result<Cloud, Failure> {
        let played = self.played.as_ref();
        let environment = played.map_or_else(environment, Rehearsal::environment);
        let mut cloud = Cloud::connect(&environment, self.args, project, location)?;
        cloud.is_rehearsal = self.are_played();
        Ok(cloud)
    }
}

/// A way to call Google Cloud.
#[derive(Debug)]
pub(crate) struct Cloud {
    /// What calls run on: [`Cloud::wait`].
    pub(crate) runtime: Runtime,
    /// What sends requests. Ctrl-C ends all its waiting.
    pub(crate) client: Client,
    /// The project, by its id or number.
    pub(crate) project: String,
    /// The location of tuning jobs.
    pub(crate) location: String,
    /// Everything is played in this process: no link leads there, and no other
    /// command does.
    pub(crate) is_rehearsal: bool,
    log: Option<RequestLog>,
}

impl Cloud {
    /// Opens a project and a location with what the environment, or something
    /// that is given for it, says about credentials and addresses.
    fn connect(
        environment: &Environment,
        args: &CloudArgs,
        project: String,
        location: String,
    ) -> Result<Self, Failure> {
        let endpoints = Endpoints::from_environment(environment).map_err(plain)?;
        let credentials = Credentials::from_environment(environment, &endpoints);
        let credentials = credentials
            .map_err(|error| failed("cannot get an access token", CallError::Credentials(error)))?;
        let options = options(environment, args, endpoints, credentials)?;
        let log = options.log.clone();
        Ok(Self {
            runtime: runtime()?,
            client: Client::new(options).map_err(plain)?,
            project,
            location,
            is_rehearsal: false,
            log,
        })
    }

    /// Waits for a call. Ctrl-C ends it.
    pub(crate) fn wait<F: Future>(&self, call: F) -> F::Output {
        self.runtime.block_on(call)
    }
}

impl Drop for Cloud {
    /// Tells, once, if the log could not be written.
    fn drop(&mut self) {
        tell_of_log(self.log.as_ref());
    }
}

/// Tells if the log could not be written.
pub(crate) fn tell_of_log(log: Option<&RequestLog>) {
    let problem: Option<io::Error> = log.and_then(RequestLog::problem);
    if let Some(problem) = problem {
        ui::remark("warning", &format!("the log is not complete: {problem}"));
    }
}

/// What calls run on.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

/// What a client is made of, as flags and environment say.
pub(crate) fn options(
    environment: &Environment,
    args: &CloudArgs,
    endpoints: Endpoints,
    credentials: Credentials,
) -> Result<ClientOptions, Failure> {
    let log = args.log.as_deref().map(|path| {
        RequestLog::append(path).map_err(|error| {
            let cannot = format!("cannot write the log `{}`", path.display());
            Failure::from(anyhow::Error::new(error).context(cannot))
        })
    });
    let is_google = endpoints.is_overridden() != (true, true);
    let mut options = ClientOptions::new(endpoints, credentials);
    options.quota_project.clone_from(&environment.quota_project);
    options.log = log.transpose()?;
    options.stop = interrupt::stop().into();
    if let Some(times) = args.hurry {
        // Google counts how often it is asked.
        if is_google {
            return Err(Failure::new("`--hurry` is for stand-ins").hint(
                "set `GOOGLE_VERTEX_BASE_URL` and `STORAGE_EMULATOR_HOST`, or leave it out",
            ));
        }
        options.clock = Clock::hurried(times);
    }
    Ok(options)
}

pub(crate) fn environment() -> Environment {
    Environment::from_lookup(|name| std::env::var_os(name))
}

/// Refuses what cannot be part of a name.
fn segment(what: &str, text: String) -> Result<String, Failure> {
    let name = format!("projects/{text}/locations/{text}/x/1");
    match name.parse::<ResourceName>() {
        Ok(_) => Ok(text),
        Err(_) => Err(Failure::new(format!("`{text}` is no name of a {what}"))),
    }
}

/// What is missing, with each place where it can be set. The rows are: whether
/// it is missing, the key in `prep.yaml`, the flag, the variable.
fn missing(rows: &[(bool, &str, &str, &str)]) -> Failure {
    let rows: Vec<_> = rows.iter().filter(|(is_missing, ..)| *is_missing).collect();
    let names: Vec<_> = rows
        .iter()
        .map(|(_, key, ..)| format!("no {key}"))
        .collect();
    let mut failure = Failure::new(format!("there is {} to work in", names.join(" and ")));
    for (_, key, flag, variable) in rows {
        failure = failure.note(format!(
            "the {key} is set with `{flag}`, `{variable}`, or `{key}:` in prep.yaml"
        ));
    }
    failure
}

/// A call that failed, with what to do about it.
pub(crate) fn failed(cannot: impl Into<String>, error: CallError) -> Failure {
    let hint = hint(&error);
    let failure = Failure::from(anyhow::Error::new(error).context(cannot.into()));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn hint(error: &CallError) -> Option<String> {
    match error {
        CallError::Service(error) => service_hint(error),
        CallError::Credentials(error) => Some(error.way_out().into()),
        CallError::Transport { .. } | CallError::Unreadable { .. } | CallError::Stopped { .. } => {
            None
        }
    }
}

const LOG_IN: &str = "run `gcloud auth application-default login`, or set `PREP_ACCESS_TOKEN` to what \
                      `gcloud auth print-access-token` prints";

fn service_hint(error: &ServiceError) -> Option<String> {
    let told = |key: &str| {
        let mut metadata = error.metadata.iter();
        metadata.find_map(|(name, value)| (name == key).then(|| value.clone()))
    };
    Some(match (error.http, error.reason.as_deref()) {
        (401, _) => format!("the access token was refused; {LOG_IN}"),
        (403, Some("SERVICE_DISABLED")) => {
            let service = told("service").unwrap_or_else(|| "aiplatform.googleapis.com".into());
            format!("run `gcloud services enable {service}`, and wait a few minutes")
        }
        (403, _) => match told("permission") {
            Some(permission) => format!(
                "the permission `{permission}` is missing; the role `roles/aiplatform.user` has it"
            ),
            None => "tuning needs the role `roles/aiplatform.user` on the project".into(),
        },
        (404, _) => "check the project and the location".into(),
        _ => return None,
    })
}
