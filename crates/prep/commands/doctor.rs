//! `prep doctor`: what a tuning job needs, and how to mend it.

use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use prep_submit::doctor::{self, Check, Standing, Wanted};
use prep_submit::{Client, ClientOptions, Credentials, Endpoints, Retry};
use serde_json::json;

use crate::Answer;
use crate::args::{DoctorArgs, Shared, TextOrJson};
use crate::cloud;
use crate::failure::{Failure, plain};
use crate::settings::Settings;
use crate::ui;

/// Whoever asks is waiting for the answer: what fails is tried for this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs the command.
pub(crate) fn run(args: &DoctorArgs, shared: &Shared) -> Result<Answer, Failure> {
    let checks = examine(args, shared)?;
    let mut out = anstream::stdout();
    match args.format {
        TextOrJson::Text => print(&checks, &mut out)?,
        TextOrJson::Json => {
            let value = json!({"schema": 1, "checks": checks});
            let text = serde_json::to_string_pretty(&value).map_err(plain)?;
            writeln!(out, "{text}")?;
        }
    }
    let count = |standing| {
        let checks = checks.iter().filter(|check| check.standing == standing);
        checks.count() as u64
    };
    if count(Standing::Bad) > 0 {
        return Ok(Answer::No);
    }
    match count(Standing::Unreachable) {
        0 => Ok(Answer::Yes),
        n => Err(Failure::new(format!(
            "{} of {} could not be made",
            n,
            ui::of(checks.len() as u64, "check")
        ))
        .hint("run it again with a connection to the network")),
    }
}

fn examine(args: &DoctorArgs, shared: &Shared) -> Result<Vec<Check>, Failure> {
    let environment = cloud::environment();
    let settings = Settings::read(shared)?;
    let flags = &args.cloud;
    let project = flags
        .project
        .clone()
        .or_else(|| environment.project.clone());
    let location = flags
        .location
        .clone()
        .or_else(|| environment.location.clone());
    let location = location
        .or(settings.tuning.location)
        .or(settings.validate.location);
    let endpoints = Endpoints::from_environment(&environment).map_err(plain)?;
    let credentials = match Credentials::from_environment(&environment, &endpoints) {
        Ok(credentials) => credentials,
        Err(error) => return Ok(vec![doctor::without_credentials(&error)]),
    };
    let own = credentials.identity().project;
    let bucket = settings.tuning.bucket.as_deref().map(str::parse);
    let bucket = bucket.transpose().map_err(plain)?;
    let wanted = Wanted {
        project: project.or(settings.tuning.project).or(own),
        location,
        bucket: args.bucket.clone().or(bucket),
    };
    let retry = Retry {
        total: PATIENCE,
        ..Retry::default()
    };
    let options = cloud::options(&environment, flags, endpoints, credentials)?;
    let log = options.log.clone();
    let client = Client::new(ClientOptions { retry, ..options }).map_err(plain)?;
    let checks = cloud::runtime()?.block_on(doctor::examine(&client, &wanted));
    cloud::tell_of_log(log.as_ref());
    Ok(checks)
}

const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

fn print(checks: &[Check], out: &mut impl Write) -> Result<(), Failure> {
    let widest = checks.iter().map(|check| check.name.len()).max();
    let width = widest.unwrap_or_default();
    for check in checks {
        let (style, word) = match check.standing {
            Standing::Good => (GREEN, "ok"),
            Standing::Bad => (RED, "no"),
            Standing::Unreachable => (YELLOW, "not asked"),
            Standing::Unknown => (YELLOW, "unknown"),
        };
        let (name, found) = (check.name, ui::visible(&check.found));
        writeln!(out, "{style}{word:<9}{style:#}  {name:<width$}  {found}")?;
        if let Some(mend) = &check.mend {
            let indent = " ".repeat(width + 13);
            writeln!(out, "{indent}{}", ui::visible(mend))?;
        }
    }
    Ok(())
}
