//! `cargo dev`: the system with a person in front of it.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::place;
use crate::system::{Options, System};

/// Where it leaves `endpoints.json`: a fixed place, wherever cargo builds to.
#[must_use]
pub fn folder() -> PathBuf {
    place::root().join("target/local")
}

/// Starts a system, says where it is, and stays until a part of it stops.
///
/// # Errors
/// If it cannot be started, or when a part stops.
pub async fn run(options: Options) -> Result<()> {
    let mut system = System::start(options).await?;
    if let Some((lead, time)) = system.lead() {
        println!("\nA lead, {:.1} s after its form was sent:\n{lead:#}\n", time.as_secs_f32());
    }
    let endpoints = system.endpoints();
    println!("logins      {}/_local/", endpoints.url);
    println!("Meta        {}", endpoints.graph_sim);
    println!("AWS         {}", endpoints.aws_endpoint);
    println!("addresses, logins and tokens are in {}", system.endpoints_file().display());
    println!("Ctrl-C ends all of it.\n");
    println!("ready {}", endpoints.url);
    bail!(system.death().await?)
}
