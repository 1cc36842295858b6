//! Every address of the console with every kind of visitor. The addresses are those of the console's source, so that a new
//! one is in here from its first day.

use e2e::console::{Guest, Page, Route, routes};
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use futures_util::future::join_all;
use reqwest::Method;

/// For people without a login, too.
const PUBLIC: [&str; 6] =
    ["/login", "/login/callback", "/unsubscribe/{token}", "/language/{tag}", "/assets/{file}", "/_styleguide"];
/// Where everyone with a login is sent on, and where one ends.
const OWN: [&str; 2] = ["/", "/logout"];
/// What those see who handle leads and nothing else.
const OF_LEADS: [&str; 9] = [
    "GET /leads",
    "GET /leads/count",
    "GET /leads/find",
    "GET /leads/{id}",
    "GET /leads/{id}/arrival",
    "POST /leads/views",
    "POST /leads/views/delete",
    "GET /account",
    "POST /account/mails",
];
/// What admins do besides, whose org has no Meta in its plan.
const WITHOUT_META: [&str; 5] = [
    "POST /leads/{id}/assign",
    "POST /leads/{id}/status",
    "POST /leads/{id}/notes",
    "POST /leads/bulk",
    "POST /leads/bulk/{id}/undo",
];
/// What belongs to no org, but to superadmins: to select one, and to see how the system runs.
const OF_SUPERADMINS: [&str; 3] = ["/orgs", "/operations", "/operations/figures"];

enum Visitor {
    /// Without a session, or with one that does not stand.
    Unknown,
    /// Handles leads and nothing else.
    Colleague,
    /// Has no access to anything, any more or yet.
    Outsider,
    /// An admin of an org without Meta in its plan.
    Planless,
}

/// What is wrong with an answer.
fn mistake(route: &Route, visitor: &Visitor, page: &Page) -> Option<String> {
    let name = format!("{} {}", route.method, route.path);
    let is_allowed = match visitor {
        Visitor::Unknown | Visitor::Outsider => false,
        Visitor::Colleague => OF_LEADS.contains(&&*name),
        Visitor::Planless => [&OF_LEADS[..], &WITHOUT_META].concat().contains(&&*name),
    };
    let expect = match visitor {
        _ if is_allowed => {
            return [401, 402, 403].contains(&page.status.as_u16()).then(|| format!("{name}: is refused"));
        }
        Visitor::Unknown => {
            let is_sent = page.status == 303 && page.location.starts_with("/login?");
            return (!is_sent).then(|| format!("{name}: {} {}", page.status, page.location));
        }
        Visitor::Planless if !OF_SUPERADMINS.contains(&&*route.path) => 402,
        _ => 403,
    };
    (page.status != expect).then(|| format!("{name}: {}, not {expect}", page.status))
}

/// Asks for everything, with a proof that the forms are of this session.
async fn ask(what: &str, mut guest: Guest, proof: &str, visitor: Visitor) -> Vec<String> {
    let mut wrong = Vec::new();
    for route in routes().iter().filter(|route| ![&PUBLIC[..], &OWN].concat().contains(&&*route.path)) {
        let segments = route.path.split('/').map(|segment| match segment {
            "{id}" if route.path.starts_with("/ads/") => "act_1",
            id if id.starts_with('{') => "1",
            other => other,
        });
        let path =
            segments.collect::<Vec<_>>().join("/") + if route.path.starts_with("/forms/") { "?page_id=1" } else { "" };
        let fields = [("form_key", proof), ("org", "1")];
        let fields = if route.method == Method::POST { &fields[..] } else { &[] };
        let page = guest.request(route.method.clone(), &path, fields, &[]).await;
        wrong.extend(mistake(route, &visitor, &page).map(|mistake| format!("{what}: {mistake}")));
    }
    wrong
}

#[tokio::test]
async fn every_address_refuses_whoever_may_not() {
    assert!(routes().len() > 100, "{} addresses", routes().len());
    let ConnectedOrg { tenant, .. } = OrgFixture::new("pages").connect().await;
    let log_in = async |name: &str, role: &str| {
        tenant.put_user(&name.to_lowercase(), name, true).await;
        let mut guest = Guest::log_in(&tenant.create_login(name, role).await).await;
        let proof = guest.csrf_token().await;
        (guest, proof)
    };
    let (colleague, of_colleague) = log_in("Cora", "sales").await;
    let (outsider, of_outsider) = log_in("Ina", "sales").await;
    tenant.put_user("ina", "Ina", false).await;
    let (mut ended, of_ended) = log_in("Enda", "admin").await;
    let stolen = ended.copy();
    ended.post("/logout", &[]).await;
    let mut planless = Guest::log_in("admin@basic.example").await;
    let of_planless = planless.csrf_token().await;
    let wrong = join_all([
        ask("without a session", Guest::default(), "", Visitor::Unknown),
        ask("with an ended session", stolen, &of_ended, Visitor::Unknown),
        ask("a colleague", colleague, &of_colleague, Visitor::Colleague),
        ask("who has left", outsider, &of_outsider, Visitor::Outsider),
        ask("without a plan", planless, &of_planless, Visitor::Planless),
    ]);
    let wrong = wrong.await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
