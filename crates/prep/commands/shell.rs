//! `prep completions`, `prep man` and `prep schema`: made from flags and settings
//! themselves.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::Answer;
use crate::args::{Cli, CompletionsArgs};
use crate::failure::Failure;

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "prep", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Answer::Yes)
}

/// Prints the man page, the commands' own pages behind it.
pub(crate) fn man() -> Result<Answer, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        clap_mangen::Man::new(subcommand.clone()).render(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(Answer::Yes)
}

/// Prints the JSON Schema of `prep.yaml`.
pub(crate) fn schema() -> Result<Answer, Failure> {
    let schema = crate::settings::Settings::schema();
    let mut text = serde_json::to_string_pretty(&schema).map_err(crate::failure::plain)?;
    text.push('\n');
    io::stdout().write_all(text.as_bytes())?;
    Ok(Answer::Yes)
}
