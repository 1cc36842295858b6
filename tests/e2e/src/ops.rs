//! The operator's program.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::world::world;

/// What the program printed, and its exit code.
pub struct Printed {
    /// The exit code: 1 if something is found that should not be, 2 if the command cannot be carried out.
    pub code: Option<i32>,
    /// The output.
    pub out: String,
    /// What went to standard error.
    pub complaint: String,
}

impl Printed {
    /// The output as JSON.
    ///
    /// # Panics
    /// Panics if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self}"))
    }

    /// The output of a command that has to succeed.
    ///
    /// # Panics
    /// Panics if the command failed.
    #[expect(clippy::must_use_candidate, reason = "that it succeeded can be all")]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.out
    }

    /// What is said of a command line that cannot be carried out.
    ///
    /// # Panics
    /// Panics if the command was carried out.
    #[must_use]
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(2), "{self}");
        self.complaint
    }
}

impl std::fmt::Display for Printed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n{}\n{}", self.code, self.out, self.complaint)
    }
}

/// Runs the program with the key of the account's owner.
///
/// # Panics
/// Panics if the program is not built, or does not end.
pub async fn ops(line: &str) -> Printed {
    let world = world();
    let here = std::env::current_exe().unwrap();
    let program = here.ancestors().map(|folder| folder.join("ops")).find(|path| path.is_file()).expect("a built ops");
    let mut command = Command::new(program);
    command.args(line.split(' ')).env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ENDPOINT_URL", &world.endpoints.aws_endpoint).env("AWS_REGION", &world.endpoints.region);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let output = tokio::time::timeout(Duration::from_secs(180), command.output()).await.expect("an end").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Printed { code: output.status.code(), out: text(output.stdout), complaint: text(output.stderr) }
}
