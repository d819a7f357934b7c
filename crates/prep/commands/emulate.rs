//! `prep emulate`: Cloud Storage and Vertex AI, played on this machine.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prep_emulator::{Emulator, Faults, Options};

use crate::Answer;
use crate::args::{EmulateArgs, Shared};
use crate::failure::{Failure, plain};
use crate::interrupt;

/// How often the command looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the command.
pub(crate) fn run(args: &EmulateArgs, shared: &Shared) -> Result<Answer, Failure> {
    let mut options = Options::new(&args.dir);
    options.port = args.port;
    options.project.clone_from(&args.project);
    options.bucket = Some(args.bucket.clone());
    options.pace = Duration::from_secs(args.job_seconds);
    options.faults = faults(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let emulator = Emulator::start(options).await.map_err(plain)?;
        if !shared.quiet {
            print(args, &emulator);
        }
        while !interrupt::stop().load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
        emulator.stop().await;
        Ok::<_, Failure>(())
    })?;
    interrupt::pass_on();
    Ok(Answer::Yes)
}

fn faults(args: &EmulateArgs) -> Result<Faults, Failure> {
    let Some(path) = &args.faults else {
        return Ok(Faults::default());
    };
    let name = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::because(format!("cannot read `{name}`"), error))?;
    Faults::parse(&text)
        .map_err(plain)
        .map_err(|failure| failure.at(name.to_string()))
}

/// Prints what to export, ready to be copied into a shell.
fn print(args: &EmulateArgs, emulator: &Emulator) {
    let base_url = emulator.base_url();
    let key = emulator.key_file();
    let key = std::path::absolute(key).unwrap_or_else(|_| key.to_owned());
    anstream::eprintln!("Cloud Storage and Vertex AI are played at {base_url}; Ctrl-C stops.\n");
    let exports = [
        ("STORAGE_EMULATOR_HOST", base_url.clone()),
        ("GOOGLE_VERTEX_BASE_URL", base_url),
        ("GOOGLE_APPLICATION_CREDENTIALS", key.display().to_string()),
        ("GOOGLE_CLOUD_PROJECT", emulator.project().to_owned()),
        ("GOOGLE_CLOUD_LOCATION", "us-central1".to_owned()),
    ];
    for (name, value) in exports {
        anstream::eprintln!("export {name}='{value}'");
    }
    anstream::eprintln!("\nThe bucket is gs://{}.", args.bucket);
}
