//! Every page of the console on every screen: nothing overflows, no serious accessibility rule is violated, nothing is
//! blocked. The pictures are in `target/e2e/pictures`.

use e2e::browser::{Browser, DESK, DESK_DARK, PHONE, PHONE_DARK, Screen, WIDE, ZOOMED, picture_folder};
use e2e::fixtures::{DemoOrg, create_demo_org};
use e2e::looks::{STYLEGUIDE_SCREENS, difference, kept_styleguide};
use e2e::slow_network::open_slow_network;
use e2e::world::world;
use tokio::sync::OnceCell;

async fn demo_org() -> &'static DemoOrg {
    static DEMO_ORG: OnceCell<DemoOrg> = OnceCell::const_new();
    let make = || async {
        create_demo_org("console-looks", &world().create_person(3).await, ["700300001", "700300002"]).await
    };
    DEMO_ORG.get_or_init(make).await
}

async fn all_pages_are_in_order(screen: Screen) {
    let made = demo_org().await;
    let browser = Browser::open(screen).await;
    browser.open_page("/").await;
    browser.log_in(&made.admin).await;
    for (name, path) in &made.pages {
        browser.open_page(path).await;
        browser.wait_until_loaded().await;
        let (shift, moved) = browser.layout_shift().await;
        assert!(shift < 0.02, "{name} on {}: things move while it loads ({shift}): {moved:#}", screen.name);
        if screen.still {
            assert_eq!(browser.animations().await, 0, "{name} moves for someone who asked for less motion");
        }
        browser.check_page(&format!("all-{name}")).await;
    }
    browser.close().await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_phone() {
    all_pages_are_in_order(PHONE).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_phone_at_night() {
    all_pages_are_in_order(PHONE_DARK).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_desk_at_night() {
    all_pages_are_in_order(DESK_DARK).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_large_screen() {
    all_pages_are_in_order(WIDE).await;
}

#[tokio::test]
async fn every_page_is_in_order_at_double_size_and_without_motion() {
    all_pages_are_in_order(ZOOMED).await;
}

/// The rest of a page does not move what people already read.
#[tokio::test]
async fn nothing_moves_while_a_page_arrives_in_pieces() {
    let made = demo_org().await;
    let slow = open_slow_network().await;
    let browser = Browser::open(WIDE).await;
    browser.open_page("/").await;
    browser.log_in(&made.admin).await;
    let mut moved = Vec::new();
    for (name, path) in &made.pages {
        browser.client.goto(&format!("{slow}{path}")).await.unwrap();
        browser.wait_until_loaded().await;
        let (shift, things) = browser.layout_shift().await;
        if shift >= 0.02 {
            moved.push((name, shift, things));
        }
    }
    browser.close().await;
    assert!(moved.is_empty(), "{moved:#?}");
}

#[tokio::test]
async fn all_components_look_as_the_kept_pictures_show_them() {
    for screen in STYLEGUIDE_SCREENS {
        let browser = Browser::open(screen).await;
        browser.open_styleguide().await;
        browser.check_page("styleguide").await;
        browser.close().await;
        let taken = picture_folder().join(format!("styleguide-{}.png", screen.name));
        let differs = difference(&taken, &kept_styleguide(screen));
        assert!(
            differs < 0.02,
            "{:.1} % of the components look otherwise on {}: see {}; if that is meant, run cargo pictures",
            differs * 100.0,
            screen.name,
            taken.display()
        );
    }
}

#[tokio::test]
async fn nothing_turns_for_someone_who_asked_for_less_motion() {
    for (screen, turns) in [(DESK, true), (ZOOMED, false)] {
        let browser = Browser::open(screen).await;
        browser.open_styleguide().await;
        browser.wait_for_text("Asking Meta…").await;
        assert_eq!(browser.animations().await > 0, turns, "{}", screen.name);
        browser.close().await;
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_order_too() {
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in("admin@basic.example").await;
    browser.wait_for_text("Upgrade to connect Meta").await;
    // No log check here: the browser logs the status of every failed page.
    browser.save_picture("upgrade").await;
    browser.open_page("/leads").await;
    browser.wait_for_text("No leads yet").await;
    browser.open_page("/nowhere").await;
    browser.wait_for_text("There is nothing at this address.").await;
    browser.save_picture("not-found").await;
    browser.close().await;
}

#[tokio::test]
async fn pages_work_without_script() {
    let made = demo_org().await;
    let mut guest = e2e::console::Guest::log_in(&made.admin).await;
    let page = guest.get("/integrations?confirm=disconnect").await;
    assert!(page.text.contains("<dialog id=\"disconnect\" open"), "the dialog stands in the page");
    let (_, integration) = &made.pages[2];
    let page = guest.get(integration).await;
    assert!(
        page.text.contains(&format!("<noscript><p><a class=\"button\" href=\"{integration}/health\"")),
        "a link leads to what takes a while"
    );
    let health = guest.get(&format!("{integration}/health")).await;
    assert!(
        health.text.contains("<!DOCTYPE html>") && health.text.contains("Webhook subscription"),
        "as a page of its own"
    );
    assert!(health.text.contains(&format!("href=\"{integration}\" aria-current=\"page\"")), "below the tabs");
    let part = guest.request(reqwest::Method::GET, &format!("{integration}/health"), &[], &[("x-part", "1")]).await;
    assert!(!part.text.contains("<!DOCTYPE html>"), "{}", part.text);
}
