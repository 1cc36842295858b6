//! Takes the pictures of the README: starts the whole system, fills it, and photographs its pages.

use std::path::Path;

use e2e::browser::{Browser, DESK, PHONE_DARK, Screen, pictures};
use e2e::fixtures::{furnish, mara};

/// The pages in the README, each with its screen.
const SHOWN: [(&str, Screen); 5] =
    [("integrations", DESK), ("lead", DESK), ("ads", DESK), ("leads", PHONE_DARK), ("delivery", PHONE_DARK)];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/console/pictures");
    std::fs::create_dir_all(&kept)?;
    let made = furnish("northwind", &mara().await, ["700400001", "700400002"]).await;
    for (name, screen) in SHOWN {
        let browser = Browser::open(screen).await;
        browser.open_page("/").await;
        browser.log_in(&made.admin).await;
        let (_, path) = made.pages.iter().find(|(page, _)| *page == name).expect("a page of this name");
        browser.open_page(path).await;
        browser.settled().await;
        browser.picture_of_screen(name).await;
        let file = format!("{name}-{}.png", screen.name);
        std::fs::copy(pictures().join(&file), kept.join(&file))?;
        println!("functions/console/pictures/{file}");
        browser.close().await;
    }
    Ok(())
}
