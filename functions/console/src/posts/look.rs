//! How a draft looks on each network, what that network still allows, and what it refuses.

use leadwire::model::publishing::PostKind;
use leadwire::model::publishing::composition::{Composition, LimitUsage};
use leadwire::model::publishing::upload::MediaAddress;
use leadwire::tr;
use maud::{Markup, html};
use url::Url;

use super::draft::{Draft, account_value, page_value};
use super::upload::picture_source;
use super::{Places, network};
use crate::components::{Tone, alert, count};

/// The look of a draft on the networks of its targets; on both, before a target is ticked.
pub(super) fn render_looks(draft: &Draft, places: &Places) -> Markup {
    let composition = draft.composition();
    let pages: Vec<&str> =
        places.0.iter().filter(|target| draft.has(&page_value(target))).map(|target| target.name.as_str()).collect();
    let unnamed = tr!("Instagram account");
    let accounts: Vec<&str> = places
        .0
        .iter()
        .filter_map(|target| target.instagram.as_ref())
        .filter(|account| draft.has(&account_value(&account.id)))
        .map(|account| account.username.as_deref().unwrap_or(&unnamed))
        .collect();
    let shows_both = pages.is_empty() && accounts.is_empty();
    html! {
        @if draft.is_empty() { p.quiet { (tr!("Write something to see how it will look.")) } }
        @else {
            @if shows_both || !pages.is_empty() { (on_network(PostKind::Page, &composition, &pages)) }
            @if shows_both || !accounts.is_empty() { (on_network(PostKind::Instagram, &composition, &accounts)) }
        }
    }
}

fn on_network(kind: PostKind, composition: &Composition, names: &[&str]) -> Markup {
    html! {
        section.look {
            h3 {
                (network(kind))
                @if names.len() > 1 { " " span.quiet { (tr!([names.len()] "{n} post" | "{n} posts")) } }
            }
            @if let Err(mistake) = composition.content(kind) { (alert(Tone::Bad, html! { p { (mistake.message) } })) }
            ul.limits { @for usage in composition.usage(kind) { (limit(usage)) } }
            @match kind {
                PostKind::Page => (facebook(composition, names.first().copied().unwrap_or(&tr!("Your page")))),
                PostKind::Instagram => (instagram(composition, names.first().copied().unwrap_or(&tr!("your_account")))),
            }
        }
    }
}

/// How much is left of a limit.
fn limit(LimitUsage { noun, used, limit }: LimitUsage) -> Markup {
    let is_over = used > limit;
    let rest = count(used.abs_diff(limit));
    let text = match noun {
        "characters" if is_over => tr!("Characters over the limit: {count}", count = rest),
        "characters" => tr!("Characters left: {count}", count = rest),
        "pictures" if is_over => tr!("Pictures over the limit: {count}", count = rest),
        "pictures" => tr!("{used} of {limit} pictures", used = used, limit = limit),
        "hashtags" if is_over => tr!("Hashtags over the limit: {count}", count = rest),
        "hashtags" => tr!("{used} of {limit} hashtags", used = used, limit = limit),
        _ if is_over => tr!("Mentions over the limit: {count}", count = rest),
        _ => tr!("{used} of {limit} mentions", used = used, limit = limit),
    };
    html! { li.wrong[is_over] { (text) } }
}

fn facebook(composition: &Composition, name: &str) -> Markup {
    let has_media = !composition.images.is_empty() || composition.video.is_some();
    html! {
        div.mock {
            p { b { (name) } }
            p.text { (composition.text(PostKind::Page)) }
            (media(composition))
            @if let Some(link) = composition.link.as_deref().filter(|_| !has_media) {
                p.preview { span.quiet { (host(link)) } br; (link) }
            }
        }
    }
}

fn instagram(composition: &Composition, name: &str) -> Markup {
    /// Instagram hides the rest of a caption behind "more".
    const VISIBLE_CHARS: usize = 125;
    let text = composition.text(PostKind::Instagram);
    let (visible, rest): (String, String) =
        (text.chars().take(VISIBLE_CHARS).collect(), text.chars().skip(VISIBLE_CHARS).collect());
    html! {
        div.mock {
            p { b { (name) } }
            (media(composition))
            p.text { b { (name) } " " (visible) @if !rest.is_empty() { span.quiet { (tr!("… more:")) " " } (rest) } }
        }
    }
}

/// Pictures from where Meta will download them, so that a wrong address is seen here already.
fn media(composition: &Composition) -> Markup {
    html! {
        @if !composition.images.is_empty() {
            div.pictures {
                @for (position, address) in composition.images.iter().enumerate() {
                    @let name = tr!("Picture {number}", number = position + 1);
                    // Browsers load no picture without TLS into this page.
                    @match picture_source(address) {
                        Some(source) => img src=(source) alt=(name) referrerpolicy="no-referrer";,
                        None => span.quiet { (name) },
                    }
                }
            }
        }
        @if let Some(video) = &composition.video { p.preview { "▶ " @if MediaAddress::is_one(video) { (tr!("Your video")) } @else { (video) } } }
    }
}

fn host(link: &str) -> String {
    Url::parse(link.trim()).ok().and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;
    use crate::zone::Zone;

    fn draft(targets: &[&str], message: &str, images: &str) -> Draft {
        Draft {
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            message: message.to_owned(),
            images: images.to_owned(),
            ..Draft::new(Zone::parse("UTC"), None)
        }
    }

    fn shown(targets: &[&str], message: &str, images: &str) -> String {
        render_looks(&draft(targets, message, images), &places()).into_string()
    }

    #[test]
    fn each_network_shows_its_own_look_and_limits() {
        let page = shown(&["page:7", "page:8", "instagram:178"], "Sale #now", "https://cdn.example/1.jpg");
        for words in [
            "Facebook",
            "2 posts",
            "Northwind",
            "Characters left: 63,197",
            "Characters left: 2,191",
            "1 of 30 hashtags",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("alert"), "{page}");
        let page = shown(&["page:7"], "Sale", "");
        assert!(page.contains("Facebook") && !page.contains("Instagram"), "{page}");
    }

    #[test]
    fn what_a_network_refuses_is_said_for_that_network() {
        let page = shown(&[], "Sale", "");
        let (facebook, instagram) = page.split_once("Instagram").unwrap();
        assert!(!facebook.contains("alert") && instagram.contains("A picture or a video."), "{page}");
        let page = shown(&["instagram:178"], &"x".repeat(2_210), "https://cdn.example/1.jpg");
        assert!(page.contains("<li class=\"wrong\">Characters over the limit: 10"), "{page}");
    }

    #[test]
    fn only_public_pictures_are_loaded() {
        let page = shown(
            &["page:7"],
            "Sale",
            "https://cdn.example/1.jpg\nhttp://cdn.example/2.jpg\nhttps://10.0.0.1/3.jpg\nx",
        );
        assert_eq!(page.matches("<img").count(), 1, "{page}");
        assert!(page.contains("Picture 4"), "{page}");
    }

    #[test]
    fn an_empty_draft_is_no_mistake() {
        let page = shown(&["page:7", "instagram:178"], " \n", "");
        assert!(page.contains("Write something") && !page.contains("alert"), "{page}");
    }
}
