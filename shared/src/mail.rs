//! SES: mails to people. The caller decides what a mail says.

use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use aws_types::SdkConfig;
use maud::{DOCTYPE, html};

use crate::aws::AwsError;
use crate::retry::Verdict;
use crate::tr;

/// Sends mails from one address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    sender: String,
}

/// A mail as text and as HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The subject, in one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same body as HTML.
    pub html: String,
}

/// What a mail has beside what people read.
#[derive(Debug, Clone, Default)]
pub struct MailOptions<'a> {
    /// Headers. A value has no line break.
    pub headers: Vec<(&'static str, String)>,
    /// What SES returns with what it reports about the mail: letters, digits, `_` and `-`.
    pub tags: Vec<(&'static str, String)>,
    /// The configuration set, which says where SES reports.
    pub configuration_set: Option<&'a str>,
}

/// A mail that was not sent, or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailError {
    /// The request failed for a reason that may be temporary.
    #[error("SES failed: {0}")]
    Failed(#[source] AwsError),
    /// SES did not respond, so that the mail may or may not have been sent.
    #[error("SES did not answer: {0}")]
    Unknown(#[source] AwsError),
    /// SES will never send this mail: the address is invalid or on the suppression list.
    #[error("SES refuses the mail: {0}")]
    Refused(#[source] AwsError),
}

impl MailError {
    /// What to do with the work that met this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) | Self::Unknown(_) => Verdict::Retry,
            Self::Refused(_) => Verdict::GiveUp,
        }
    }
}

impl Mail {
    /// A letter with one link, which is a button in the HTML.
    #[must_use]
    pub fn letter(subject: &str, paragraphs: &[String], (label, link): (&str, &str)) -> Self {
        let html = html! {
            (DOCTYPE)
            html lang=(crate::language::current()) {
                head { meta charset="utf-8"; title { (subject) } }
                body style="font:16px/1.5 system-ui,sans-serif;color:#1c1e21;max-width:36em;margin:2em auto;padding:0 1em" {
                    @for paragraph in paragraphs { p { (paragraph) } }
                    p {
                        a href=(link) style="display:inline-block;background:#1b4fd1;color:#fff;padding:.6em 1.2em;border-radius:.4em;text-decoration:none" { (label) }
                    }
                    p style="color:#606770;font-size:14px" { (tr!("If it does not open, use this address: {link}", link = link)) }
                }
            }
        };
        Self {
            // Names are entered by people. A line break in one must not end the subject.
            subject: subject.replace(|c: char| c.is_control(), " "),
            text: format!("{}\n\n{label}: {link}\n", paragraphs.join("\n\n")),
            html: html.into_string(),
        }
    }
}

impl Mailer {
    /// A mailer that sends from `sender`.
    ///
    /// SES has no idempotency key, so the client itself never retries, and the timeout is generous.
    #[must_use]
    pub fn new(aws: &SdkConfig, sender: String) -> Self {
        let config = aws_sdk_sesv2::config::Builder::from(aws)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(15)).build());
        Self { client: Client::from_conf(config.build()), sender }
    }

    /// Sends a mail to one person.
    pub async fn send(&self, to: &str, mail: &Mail) -> Result<(), MailError> {
        self.send_with(to, mail, &MailOptions::default()).await
    }

    /// Like [`Mailer::send`], with what programs read.
    pub async fn send_with(&self, to: &str, mail: &Mail, options: &MailOptions<'_>) -> Result<(), MailError> {
        let content = |text: &str| Content::builder().charset("UTF-8").data(text).build();
        let broken = |error: aws_sdk_sesv2::error::BuildError| MailError::Refused(AwsError::new(error));
        let body = Body::builder().text(content(&mail.text).map_err(broken)?);
        let body = body.html(content(&mail.html).map_err(broken)?).build();
        let mut message = Message::builder().subject(content(&mail.subject).map_err(broken)?).body(body);
        for (name, value) in &options.headers {
            message = message.headers(MessageHeader::builder().name(*name).value(value).build().map_err(broken)?);
        }
        let message = message.build();
        let mut request = self.client.send_email().from_email_address(&self.sender);
        for (name, value) in &options.tags {
            request = request.email_tags(MessageTag::builder().name(*name).value(value).build().map_err(broken)?);
        }
        let request = request.set_configuration_set_name(options.configuration_set.map(str::to_owned));
        let request = request.destination(Destination::builder().to_addresses(to).build());
        request.content(EmailContent::builder().simple(message).build()).send().await.map_err(failure)?;
        Ok(())
    }
}

fn failure(error: SdkError<SendEmailError>) -> MailError {
    let is_unknown = !matches!(error, SdkError::ServiceError(_) | SdkError::ConstructionFailure(_));
    let is_refused = matches!(
        error.as_service_error(),
        Some(SendEmailError::BadRequestException(_) | SendEmailError::MessageRejected(_))
    );
    let error = AwsError::new(error);
    match (is_unknown, is_refused) {
        (true, _) => MailError::Unknown(error),
        (false, true) => MailError::Refused(error),
        (false, false) => MailError::Failed(error),
    }
}
