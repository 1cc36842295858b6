//! Takes the pictures of the README, and those of all components with which a story compares: starts the whole system,
//! fills it, and photographs its pages.

use std::path::Path;

use e2e::browser::{Browser, DESK, PHONE, PHONE_DARK, Screen, picture_folder};
use e2e::fixtures::{create_demo_org, mara_for_pictures};
use e2e::looks::{STYLEGUIDE_SCREENS, kept_styleguide};

/// The pages in the README, each with its screen.
const README_PAGES: [(&str, Screen); 14] = [
    ("home", DESK),
    ("lead", DESK),
    ("ads-results", DESK),
    ("post-copy", DESK),
    ("campaign-ad", DESK),
    ("inbox-thread", DESK),
    ("inbox-person", DESK),
    ("inbox", PHONE),
    ("inbox-thread", PHONE_DARK),
    ("inbox-person", PHONE),
    ("leads", PHONE_DARK),
    ("delivery", PHONE_DARK),
    ("post-failed", PHONE_DARK),
    ("campaign", PHONE_DARK),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/console/pictures");
    std::fs::create_dir_all(&kept)?;
    let made = create_demo_org("northwind", &mara_for_pictures().await, ["700400001", "700400002"]).await;
    for (name, screen) in README_PAGES {
        let browser = Browser::open(screen).await;
        browser.open_page("/").await;
        browser.log_in(&made.admin).await;
        let (_, path) = made.pages.iter().find(|(page, _)| *page == name).expect("a page of this name");
        browser.open_page(path).await;
        browser.wait_until_loaded().await;
        browser.save_screen_picture(name).await;
        let file = format!("{name}-{}.png", screen.name);
        std::fs::copy(picture_folder().join(&file), kept.join(&file))?;
        println!("functions/console/pictures/{file}");
        browser.close().await;
    }
    for screen in STYLEGUIDE_SCREENS {
        let browser = Browser::open(screen).await;
        browser.open_styleguide().await;
        browser.wait_until_loaded().await;
        browser.save_picture("styleguide").await;
        let kept = kept_styleguide(screen);
        std::fs::create_dir_all(kept.parent().unwrap_or(&kept))?;
        std::fs::copy(picture_folder().join(format!("styleguide-{}.png", screen.name)), &kept)?;
        browser.close().await;
    }
    Ok(())
}
