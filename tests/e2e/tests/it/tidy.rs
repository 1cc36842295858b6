//! The README's claims about where things are.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns every Rust file below a folder of the repository, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut open: Vec<PathBuf> = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Returns the files below `folders` that contain `word` outside their own tests.
fn who_says(word: &str, folders: &[&str]) -> Vec<String> {
    let says = |text: &str| text.split("#[cfg(test)]").next().is_some_and(|code| code.contains(word));
    let files = folders.iter().flat_map(|folder| sources(folder));
    files.filter(|(name, text)| !name.ends_with("tests.rs") && says(text)).map(|(name, _)| name).collect()
}

const PRODUCT: [&str; 2] = ["shared/src", "functions"];

#[test]
fn each_fact_has_one_place() {
    assert_eq!(who_says("env::var", &PRODUCT), ["shared/src/env.rs"]);
    assert_eq!(who_says("Timestamp::now", &PRODUCT), ["shared/src/clock.rs"]);
    assert_eq!(who_says("#LEAD#", &PRODUCT), ["shared/src/table/keys.rs"]);
    assert_eq!(who_says("field_data", &PRODUCT), ["shared/src/graph/leads.rs"]);
    assert_eq!(who_says("subscribed_apps", &PRODUCT), ["shared/src/graph/subscriptions.rs"]);
    assert_eq!(who_says("signed_request", &PRODUCT).len(), 3, "the Graph fact, its module and the callbacks");
    let makers = who_says("OrgScope::of(", &PRODUCT);
    assert_eq!(makers.len(), 6, "a verified token, and five kinds of rows that one wrote: {makers:?}");
}

#[test]
fn the_model_knows_no_edge_and_no_clock() {
    for word in
        ["aws_", "reqwest", "tokio", "axum", "lambda_", "std::env", "SystemTime", "crate::table", "crate::graph"]
    {
        assert_eq!(who_says(word, &["shared/src/model"]), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn what_an_admin_does_knows_no_face() {
    for word in ["axum", "lambda_", "http::header", "HeaderMap", "Request<", "Response", "maud"] {
        assert_eq!(who_says(word, &["shared/src/admin"]), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn arrows_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = |folder: &str| fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
    let functions: Vec<String> = fs::read_dir(root.join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for folder in ["infra/local", "tests/graph-sim"] {
        assert!(!manifest(folder).contains("leadwire"), "{folder} uses nothing of ours");
    }
    for function in &functions {
        let others = functions.iter().filter(|other| *other != function);
        for other in others {
            assert!(
                !manifest(&format!("functions/{function}")).contains(&format!("{other}.workspace")),
                "{function} uses {other}"
            );
        }
    }
}

#[test]
fn no_file_holds_two_ideas() {
    for folder in ["shared", "functions", "infra", "tests"] {
        for (name, text) in sources(folder) {
            assert!(text.lines().count() <= 400, "{name} has {} lines", text.lines().count());
        }
    }
}
