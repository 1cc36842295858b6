//! Why a post failed, in words for people. Meta often gives only a code and an id; these are folded away, for the one
//! who reports the failure.

use std::borrow::Cow;

use leadwire::model::publishing::failure::PostFailureCode;
use leadwire::publishing::PostOut;
use leadwire::{language, tr};

/// Which of the media failed and why, without addresses and codes. `None` if the post did not fail.
pub(super) fn explain(post: &PostOut) -> Option<String> {
    let said = post.reason_message.as_deref()?;
    let (place, why) = parts(said);
    let why = match post.reason {
        Some(code) if is_technical(why) || !is_told_best(code) => in_words(code),
        _ => language::translate(why),
    };
    Some(match place {
        Some(place) => format!("{}: {why}", medium(place)),
        None => why.into_owned(),
    })
}

/// What Meta said word for word, if [`explain`] does not say it.
pub(super) fn technical_words(post: &PostOut) -> Option<&str> {
    let is_outage = post.reason == Some(PostFailureCode::Unavailable);
    post.reason_message.as_deref().filter(|said| is_outage || is_technical(parts(said).1))
}

/// Splits "Picture 2 of 3 (https://…): too large" into what failed and why.
fn parts(said: &str) -> (Option<&str>, &str) {
    let split = said.split_once(" (").filter(|(place, _)| place.starts_with("Picture") || place.starts_with("Video"));
    match split.and_then(|(place, rest)| Some((place, rest.split_once("): ")?.1))) {
        Some((place, why)) => (Some(place), why),
        None => (None, said),
    }
}

/// The name of a medium, which is stored in English.
fn medium(place: &str) -> Cow<'_, str> {
    match place.split(' ').collect::<Vec<_>>().as_slice() {
        ["Picture"] => tr!("Picture"),
        ["Video"] => tr!("Video"),
        ["Picture", number, "of", total] => tr!("Picture {number} of {total}", number = number, total = total).into(),
        ["Video", number, "of", total] => tr!("Video {number} of {total}", number = number, total = total).into(),
        _ => place.into(),
    }
}

/// Whether these are a code and an id rather than a sentence.
pub(super) fn is_technical(why: &str) -> bool {
    why.ends_with(']') || why.contains("(#")
}

/// Whether the words that are stored with such a failure say more than its code.
fn is_told_best(code: PostFailureCode) -> bool {
    use PostFailureCode as Code;
    !matches!(code, Code::PageNotConnected | Code::LimitReached | Code::Unavailable)
}

/// Whether its content has to change before it can be published.
pub(super) fn needs_change(code: PostFailureCode) -> bool {
    use PostFailureCode as Code;
    matches!(code, Code::MediaRefused | Code::MessageRefused | Code::LinkRefused | Code::Duplicate | Code::Refused)
}

fn in_words(code: PostFailureCode) -> Cow<'static, str> {
    use PostFailureCode as Code;
    match code {
        Code::ConnectionExpired => tr!("The connection to Facebook has ended."),
        Code::PageNotConnected => tr!("The page is not connected any more."),
        Code::MetaNotInPlan => tr!("The plan does not include Meta any more."),
        Code::PermissionMissing => tr!("A permission on the page is missing."),
        Code::NoInstagramAccount => tr!("The page has no professional Instagram account any more."),
        Code::MediaUnreachable => tr!("Meta could not download the file."),
        Code::MediaRefused => tr!("Meta does not accept the file."),
        Code::MediaNotReady => tr!("Meta did not get the file ready in time."),
        Code::MessageRefused => tr!("Meta does not accept the text."),
        Code::LinkRefused => tr!("Meta does not accept the link."),
        Code::Duplicate => tr!("Meta considers the post a duplicate of an earlier one."),
        Code::LimitReached => tr!("Meta's daily limit for posts is reached."),
        Code::Blocked => tr!("Meta blocked it as spam or for violating Meta's standards."),
        Code::ConfirmationNeeded => tr!("Meta asks the connected person for a confirmation first."),
        Code::Refused => tr!("Meta refused it."),
        Code::Unavailable => tr!("Meta was unavailable for too long."),
        Code::Defect => tr!("Something went wrong in Leadwire."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::post;
    use super::*;

    fn explained(said: &str) -> (String, bool) {
        let code = Some(PostFailureCode::MediaRefused);
        let failed = PostOut { reason: code, reason_message: Some(said.to_owned()), ..post() };
        (explain(&failed).unwrap(), technical_words(&failed).is_some())
    }

    #[test]
    fn codes_become_sentences_and_sentences_stay() {
        let check =
            |said: &str, words: &str, is_folded: bool| assert_eq!(explained(said), (words.to_owned(), is_folded));
        let technical = "Picture 1 of 3 (http://cdn.example/1.jpg): 100/1366046: (#100) An error occurred [AmcF1]";
        check(technical, "Picture 1 of 3: Meta does not accept the file.", true);
        check("Picture 2 of 3 (https://x.example/(2)): Too large.", "Picture 2 of 3: Too large.", false);
        check("Video (https://x.example/1.mp4): 352: Odd [A]", "Video: Meta does not accept the file.", true);
        check("The connection (of the page) has ended.", "The connection (of the page) has ended.", false);
        assert_eq!(explain(&post()), None);
        let outage = "Meta was not available for too long: temporary failure (2: m).";
        let late =
            PostOut { reason: Some(PostFailureCode::Unavailable), reason_message: Some(outage.into()), ..post() };
        assert_eq!(explain(&late).as_deref(), Some("Meta was unavailable for too long."));
        assert_eq!(technical_words(&late), Some(outage));
    }
}
