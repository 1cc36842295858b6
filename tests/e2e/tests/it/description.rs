//! The API is what its description says. Every answer that a story gets is checked against it; Schemathesis asks what no
//! story asks. What it may find is in `tests/e2e/schemathesis`.

use std::path::Path;

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::tenant::Tenant;
use e2e::world::{output_folder, world};
use local::schemathesis;

#[tokio::test]
async fn whatever_is_asked_is_answered_as_described() {
    let ConnectedOrg { tenant, .. } = OrgFixture::new("described").users(&["ann"]).connect().await;
    let superadmin = Tenant::as_superadmin(&tenant.org);
    let mut command = schemathesis::command(&output_folder().join("schemathesis")).await.unwrap();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis");
    command.env("SCHEMATHESIS_HOOKS", settings.join("hooks.py"));
    command.arg("--config-file").arg(settings.join("schemathesis.toml"));
    command.args(["--no-color", "run", "--seed", "1", "--max-examples", "3"]);
    for header in [format!("Authorization: Bearer {}", superadmin.token), format!("orgid: {}", tenant.org)] {
        command.args(["--header", &header]);
    }
    let output = command.arg(format!("{}/openapi.json", world().endpoints.url)).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", world().last_errors("api").await);
    assert!(said.contains("Tested: "), "it asked nothing: {said}");
}
