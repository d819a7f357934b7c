//! The `prep` command.
//!
//! Flags are declared in [`args`], one struct for what several commands share;
//! [`commands`] has one file for each command; [`project`] is what `prep run`
//! goes by; [`target`] is where they
//! write; [`ui`] is all that is seen on a terminal. The exit status is decided here and nowhere else: 0 is yes, 1 is
//! no, 2 is "could not tell".

mod args;
#[cfg(feature = "cloud")]
mod cloud;
mod commands;
mod counting;
mod failure;
mod interrupt;
mod pricing;
mod project;
#[cfg(feature = "cloud")]
mod rehearsal;
mod report;
mod settings;
mod target;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;

/// What a command found, when it could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// All is well.
    Yes,
    /// It is not.
    No,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    quiet_contained_panics();
    cli.shared.color.apply();
    let outcome = interrupt::watch().and_then(|()| run(&cli));
    match outcome {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            interrupt::pass_on();
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<Answer, Failure> {
    let shared = &cli.shared;
    match &cli.command {
        Command::Convert(args) => commands::convert::run(args, shared),
        Command::Validate(args) => commands::validate::run(args, shared),
        Command::Fix(args) => commands::fix::run(args, shared),
        #[cfg(feature = "cloud")]
        Command::Jobs(args) => commands::jobs::run(args, shared),
        #[cfg(feature = "cloud")]
        Command::Doctor(args) => commands::doctor::run(args, shared),
        Command::Eval(args) => commands::eval::run(args, shared),
        #[cfg(feature = "cloud")]
        Command::Predict(args) => commands::predict::run(args, shared),
        #[cfg(feature = "cloud")]
        Command::Submit(args) => commands::submit::run(args, shared),
        #[cfg(feature = "cloud")]
        Command::Emulate(args) => commands::emulate::run(args, shared),
        Command::Explain(args) => commands::explain::run(args),
        Command::Dedupe(args) => commands::dedupe::run(args, shared),
        Command::Tokens(args) => commands::tokens::run(args, shared),
        Command::Cost(args) => commands::cost::run(args, shared),
        Command::Filter(args) => commands::filter::run(args, shared),
        Command::Split(args) => commands::split::run(args, shared),
        Command::Mix(args) => commands::mix::run(args, shared),
        Command::Run(args) => commands::run::run(args, shared),
        Command::Init(args) => commands::init::run(args, shared),
        Command::Verify(args) => commands::verify::run(args, shared),
        Command::Schema => commands::shell::schema(),
        Command::Stats(args) => commands::stats::run(args, shared),
        Command::Trace(args) => commands::trace::run(args),
        Command::Models(args) => commands::models::run(args),
        Command::Completions(args) => commands::shell::completions(args),
        Command::Man => commands::shell::man(),
    }
}

/// Keeps panics that become errors from being printed as well: the Parquet
/// reader's own, at some damaged files.
fn quiet_contained_panics() {
    #[cfg(feature = "parquet")]
    {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !prep_data::source::panic_is_contained() {
                print(panic);
            }
        }));
    }
}
