//! Asks before something is deleted.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;

use crate::UnusableLine;

/// Asks for a word to be typed, unless the command line has confirmed it.
///
/// # Errors
/// If another word is typed, or no one is there to ask.
pub(crate) fn confirm(question: &str, word: &str, confirmed: bool) -> Result<()> {
    if confirmed {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(UnusableLine(format!("{question} Confirm it with --yes")).into());
    }
    eprint!("{question} Type {word} to go on: ");
    std::io::stderr().flush()?;
    let mut typed = String::new();
    input.lock().read_line(&mut typed)?;
    if typed.trim() == word { Ok(()) } else { Err(UnusableLine(format!("not confirmed: {word} was not typed")).into()) }
}
