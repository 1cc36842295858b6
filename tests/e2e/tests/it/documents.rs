//! `README.md`, `shared/ARCHITECTURE.md` and `infra/runbook.md` agree with this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::json::Json;
use e2e::world::world;
use leadwire::graph::subscriptions::app_fields;

const README: &str = "README.md";
const ARCHITECTURE: &str = "shared/ARCHITECTURE.md";
const TOP_FOLDERS: [&str; 6] = ["functions", "shared", "infra", "tests", ".cargo", ".ci"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// Returns every file and folder below the top folders.
fn paths() -> BTreeSet<String> {
    let mut open: Vec<PathBuf> = TOP_FOLDERS.iter().map(|folder| root().join(folder)).collect();
    let mut found = BTreeSet::new();
    while let Some(path) = open.pop() {
        found.insert(path.strip_prefix(root()).unwrap().display().to_string());
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found
}

/// Returns the fenced lines of a document, and its spans in backticks.
fn code(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut fenced, mut spans, mut is_fenced) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            fenced.push(line.trim());
        } else {
            assert_eq!(line.matches('`').count() % 2, 0, "a span does not end on its line: {line}");
            spans.extend(line.split('`').skip(1).step_by(2));
        }
    }
    (fenced, spans)
}

/// Returns the text under a heading of the architecture.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, after) = text.split_once(&format!("\n## {heading}\n")).expect(heading);
    after.split("\n## ").next().unwrap()
}

fn is_path(span: &str) -> bool {
    let is_plain = span.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c));
    let is_outside = span.starts_with('/') || span.starts_with("target/");
    let is_in_top_folder = TOP_FOLDERS.iter().any(|folder| span.starts_with(&format!("{folder}/")));
    let has_extension = span.rsplit('/').next().unwrap().contains('.');
    let looks_like_one = span.ends_with(".rs") || span.contains('/') && (has_extension || span.ends_with('/'));
    is_plain && !is_outside && (is_in_top_folder || looks_like_one)
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let readme = read(README);
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    assert!(readme.contains(&format!("]({ARCHITECTURE})")));
    for link in readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(root().join(link).exists(), "{link}");
    }
}

/// The folders that a path begins with may be left out, as in `table/row.rs`.
#[test]
fn every_path_exists() {
    let paths = paths();
    for document in [README, ARCHITECTURE] {
        let text = read(document);
        let named: Vec<&str> = code(&text).1.into_iter().filter(|span| is_path(span)).collect();
        assert!(!named.is_empty(), "{document}");
        for named in named {
            let (path, ending) = (named.trim_end_matches('/'), format!("/{}", named.trim_end_matches('/')));
            assert!(paths.iter().any(|known| known == path || known.ends_with(&ending)), "{document}: {named}");
        }
    }
}

/// Outputs, parameters and properties that the deployment steps name, such as `WebhookUrl` or `AlarmEmail=…`.
#[test]
fn the_deployment_names_what_the_template_has() {
    let (deploy, template) = (read("infra/DEPLOY.md"), read("infra/template.yaml"));
    let (fenced, spans) = code(&deploy);
    let settings = fenced.iter().chain(&spans).flat_map(|text| text.split([' ', ',']));
    let names = settings.filter_map(|word| word.split_once('=')).map(|(name, _)| name).chain(spans.iter().copied());
    let has_humps = |name: &&str| {
        let upper = name.chars().filter(char::is_ascii_uppercase).count();
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphabetic())
            && upper > 1
            && upper < name.len()
    };
    let names: BTreeSet<&str> = names.filter(has_humps).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(template.lines().any(|line| line.trim_start().starts_with(&format!("{name}:"))), "{name}");
    }
}

#[test]
fn every_invariant_and_every_threat_has_a_test() {
    let text = read(ARCHITECTURE);
    let rows = |heading: &str| {
        let rows: Vec<&str> = section(&text, heading).lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        assert!(rows.len() > 15, "{heading}: {}", rows.len());
        rows
    };
    for row in [rows("Invariants"), rows("Threats")].concat() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [.., file, tests] = cells[..] else { panic!("no test: {row}") };
        let source = read(file.trim_matches('`'));
        for test in tests.split(", ").map(|test| test.trim_matches('`')) {
            let before = source.split_once(&format!("fn {test}(")).unwrap_or_else(|| panic!("no {test} in {file}")).0;
            let attribute = before.trim_end().trim_end_matches("async").trim_end().lines().next_back().unwrap().trim();
            assert!(attribute.starts_with("#[") && attribute.contains("test"), "{test} in {file} is no test");
        }
    }
}

/// A function is written as `name()`; a name with many underscores is a test's.
#[test]
fn every_function_exists() {
    let text = read(ARCHITECTURE);
    let sources: String = paths().iter().filter(|path| path.ends_with(".rs")).map(|path| read(path)).collect();
    let is_test = |span: &str| span.matches('_').count() > 3 && span.chars().all(|c| c == '_' || c.is_alphanumeric());
    let names = code(&text).1.into_iter().filter_map(|span| span.strip_suffix("()").or(is_test(span).then_some(span)));
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 50, "{}", names.len());
    for name in names {
        assert!(["(", "<"].iter().any(|next| sources.contains(&format!("fn {name}{next}"))), "{name}");
    }
}

#[test]
fn the_code_map_names_every_folder() {
    let text = read(ARCHITECTURE);
    let named: Vec<&str> = section(&text, "Code map").split('`').skip(1).step_by(2).collect();
    for path in paths() {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if ["shared/src", "functions", "tests"].contains(&parent) {
            let is_named = named.iter().any(|named| named.trim_end_matches('/') == path);
            assert!(is_named, "the code map does not name {path}");
        }
    }
}

#[test]
fn every_cargo_command_exists() {
    let config = read(".cargo/config.toml");
    let aliases = config.split("[alias]").nth(1).unwrap().split("\n[").next().unwrap().lines();
    let aliases: Vec<&str> = aliases.filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    for document in [README, ARCHITECTURE] {
        let text = read(document);
        let (fenced, spans) = code(&text);
        let commands: Vec<&str> = fenced.iter().chain(&spans).flat_map(|code| code.split("cargo ").skip(1)).collect();
        assert!(!commands.is_empty(), "{document}");
        for name in commands.iter().map(|command| command.split_whitespace().next().unwrap()) {
            assert!(["test", "run"].contains(&name) || aliases.contains(&name), "{document}: cargo {name}");
        }
    }
}

#[tokio::test]
async fn the_guide_subscribes_the_app_to_every_field_that_pages_and_this_system_are_subscribed_to() {
    let guide = read("infra/DEPLOY.md");
    let listed = |object: &str| -> BTreeSet<String> {
        let row = guide.lines().find(|line| line.starts_with(&format!("| *{object}* |"))).unwrap();
        row.split('`').nth(1).unwrap().split(' ').map(ToOwned::to_owned).collect()
    };
    let state = world().sim_state().await;
    for ((object, fields), name) in app_fields().into_iter().zip(["Page", "Instagram", "WhatsApp Business Account"]) {
        assert_eq!(listed(name), fields.iter().map(|field| (*field).to_owned()).collect(), "{object}");
        let here: BTreeSet<String> =
            serde_json::from_value(state.find("subscriptions", "object", object)["fields"].clone()).unwrap();
        assert_eq!(listed(name), here, "{object}");
    }
}

/// Entries of the runbook that no alarm leads to, each with the story that does what it says.
const DECIDED: [(&str, &str, &str); 6] = [
    ("Roll back", "drills/decided.rs", "a_function_is_rolled_back_to_the_version_before"),
    ("Log level and traces", "ops.rs", "the_level_of_a_log_is_changed_and_put_back"),
    ("Restore an org", "ops.rs", "an_org_is_shown_copied_removed_and_brought_back"),
    (
        "Restore the whole table",
        "drills/decided.rs",
        "a_table_is_restored_from_a_backup_and_the_doctor_says_what_it_lacks",
    ),
    ("Remove an org", "ops.rs", "a_removed_org_that_is_pushed_again_begins_empty"),
    ("Check the account", "ops.rs", "the_doctor_says_ok_only_of_what_it_has_seen"),
];

#[test]
fn every_entry_of_the_runbook_is_carried_out_by_a_story() {
    let story = |file: &str| read(&format!("tests/e2e/tests/it/{file}"));
    let drills: String =
        paths().iter().filter(|path| path.starts_with("tests/e2e/tests/it/drills/")).map(|path| read(path)).collect();
    let runbook = read("infra/runbook.md");
    let entries: Vec<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).skip(1).collect();
    assert!(entries.len() > 30, "{entries:?}");
    for entry in entries {
        let is_drilled = drills.contains(&format!("is_raised(\"{entry}\")"));
        let decided = DECIDED.iter().find(|(decided, ..)| *decided == entry);
        let is_decided = decided.is_some_and(|(_, file, name)| story(file).contains(&format!("async fn {name}()")));
        assert!(is_drilled || is_decided, "no story does what the entry {entry:?} says");
    }
}
