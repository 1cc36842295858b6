//! The claims of `shared/ARCHITECTURE.md` about where things are.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns every Rust file below a folder of the repository, with its text.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
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

/// Reads a file of the repository.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

pub(crate) fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || name.ends_with("test_support.rs")
}

/// A file without its test module, which is always at its end. `mod tests;` at its beginning is another file.
fn product_code(text: &str) -> &str {
    let tests = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"];
    let end = tests.iter().filter_map(|head| text.find(head)).min();
    &text[..end.unwrap_or(text.len())]
}

/// Returns the files below `folders` that contain `word` outside their own tests.
fn who_says(word: &str, folders: &[&str]) -> Vec<String> {
    let says = |text: &str| product_code(text).contains(word);
    let files = folders.iter().flat_map(|folder| sources(folder));
    files.filter(|(name, text)| !is_test(name) && says(text)).map(|(name, _)| name).collect()
}

const PRODUCT: [&str; 2] = ["shared/src", "functions"];

#[test]
fn each_fact_has_one_place() {
    assert_eq!(who_says("env::var", &PRODUCT), ["shared/src/env.rs"]);
    assert_eq!(who_says("Timestamp::now", &PRODUCT), ["shared/src/clock.rs"]);
    assert_eq!(who_says("#LEAD#", &PRODUCT), ["shared/src/table/keys/mod.rs"]);
    assert_eq!(who_says("field_data", &PRODUCT), ["shared/src/graph/leads.rs"]);
    assert_eq!(who_says("subscribed_apps", &PRODUCT), ["shared/src/graph/subscriptions.rs"]);
    assert_eq!(who_says("signed_request", &PRODUCT).len(), 3, "the Graph fact, its module and the callbacks");
    let makers = who_says("OrgScope::new(", &PRODUCT);
    assert_eq!(
        makers.len(),
        11,
        "a verified token or link, and six kinds of rows and three messages that it wrote: {makers:?}"
    );
}

#[test]
fn the_model_knows_no_edge_and_no_clock() {
    for word in ["aws_", "reqwest", "tokio", "axum", "lambda_", "std::env", "SystemTime"] {
        assert_eq!(who_says(word, &["shared/src/model"]), Vec::<String>::new(), "{word}");
    }
}

/// The package's modules from the ground up. A module uses those of earlier rows only; of one row, none uses another.
const LAYERS: [&[&str]; 23] = [
    &["language"],
    &["ids", "clock", "retry", "env", "trace"],
    &["aws", "secret", "telemetry"],
    &["model"],
    &["metrics"],
    &["jobs"],
    &["graph", "table", "vault", "queue", "bus", "mail", "files", "receiver", "cloudwatch"],
    &["error"],
    &["meta_app", "cursor", "once"],
    &["audit", "tokens"],
    &["directory", "operations"],
    &["leads"],
    &["connections"],
    &["conversions", "exports", "notices"],
    &["deliveries"],
    &["ads"],
    &["publishing"],
    &["campaigns"],
    &["inbox"],
    &["people"],
    &["orgs"],
    &["rooms"],
    &["auth", "http", "worker"],
];

#[test]
fn modules_use_only_what_is_below_them() {
    let layer = |module: &str| LAYERS.iter().position(|row| row.contains(&module));
    for (name, text) in sources("shared/src") {
        let path = name.trim_start_matches("shared/src/").trim_end_matches(".rs");
        let own = path.split('/').next().unwrap();
        if own == "lib" || is_test(&name) {
            continue;
        }
        let own_layer = layer(own).unwrap_or_else(|| panic!("{own} has no layer"));
        let code = product_code(&text);
        let uses =
            code.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
        // The macros of `language` stand at the crate's root.
        let uses =
            uses.map(Option::unwrap).map(|used| if ["tr", "phrase"].contains(&used) { "language" } else { used });
        for used in uses.filter(|used| *used != own && !used.is_empty()) {
            let used_layer = layer(used).unwrap_or_else(|| panic!("{name} uses {used}, which has no layer"));
            // The faces' modules may use each other.
            let is_face = own_layer == LAYERS.len() - 1;
            assert!(used_layer < own_layer || is_face && used_layer == own_layer, "{name} uses crate::{used}");
        }
    }
}

#[test]
fn rooms_know_no_face() {
    let rooms = [
        "leads",
        "connections",
        "ads",
        "publishing",
        "campaigns",
        "inbox",
        "people",
        "orgs",
        "conversions",
        "deliveries",
        "exports",
        "notices",
        "operations",
        "directory",
    ]
    .map(|room| format!("shared/src/{room}"));
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    for word in
        ["axum", "lambda_", "HeaderMap", "StatusCode", "Request<", "Response<", "maud", "sqs::", "cookie", "gateway"]
    {
        assert_eq!(who_says(word, &rooms), Vec::<String>::new(), "{word}");
    }
}

/// What the API offers is said by the API, what the console offers by the console: texts below the faces name neither.
#[test]
fn texts_of_the_product_fit_both_faces() {
    for (name, text) in sources("shared/src") {
        // What is said to Meta has Meta's words.
        if name.starts_with("shared/src/http/") || name.starts_with("shared/src/graph/") || is_test(&name) {
            continue;
        }
        let code = product_code(&text);
        let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        for literal in literals {
            for word in ["GET /", "POST ", "PUT /", "PATCH ", "PATCH it", "click ", "button"] {
                assert!(!literal.contains(word), "{name}: {literal}");
            }
        }
    }
}

#[test]
fn a_type_name_means_one_thing() {
    let mut places: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, text) in sources("shared/src") {
        for line in product_code(&text).lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
            let line = line.strip_prefix("pub ").unwrap_or(line);
            let rest = ["struct ", "enum ", "trait "].iter().find_map(|kind| line.strip_prefix(kind));
            if let Some(rest) = rest {
                let type_name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
                places.entry(type_name).or_default().push(name.clone());
            }
        }
    }
    let doubled: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(doubled.is_empty(), "{doubled:#?}");
}

#[test]
fn arrows_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = |folder: &str| fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
    let functions: Vec<String> = fs::read_dir(root.join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for folder in ["infra/aws-calls", "infra/local", "tests/graph-sim"] {
        assert!(!manifest(folder).contains("leadwire"), "{folder} uses nothing of ours");
    }
    for function in &functions {
        let others = functions.iter().filter(|other| *other != function);
        for other in others {
            let manifest = manifest(&format!("functions/{function}"));
            let is_used = manifest.lines().any(|line| line.starts_with(&format!("{other}.workspace")));
            assert!(!is_used, "{function} uses {other}");
        }
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["shared", "functions", "infra", "tests"] {
        for (name, text) in sources(folder) {
            assert!(text.lines().count() <= 400, "{name} has {} lines", text.lines().count());
        }
    }
}
