//! A report as a file for spreadsheets.

use jiff::civil::Date;

use super::Ads;
use super::report::{LoadedReport, ReportQuery, RowOut};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::model::ads::report::{COLUMNS, Column, DIMENSIONS, Dimension};
use crate::model::spreadsheet::harmless;
use crate::tr;

/// A file for spreadsheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFile {
    /// The suggested file name.
    pub file_name: String,
    /// CSV in UTF-8.
    pub bytes: Vec<u8>,
}

/// Rows of a file, which are smaller than JSON rows.
const MAX_CSV_ROWS: usize = 20_000;

impl Ads {
    /// A report as a file for spreadsheets, with all its rows.
    pub async fn report_csv(
        &self,
        access: &MetaAccess,
        query: &ReportQuery,
        after: Option<&str>,
    ) -> Result<CsvFile, ActError> {
        let LoadedReport { accounts, days, rows, .. } = self.load_report(access, query, after).await?;
        if rows.len() > MAX_CSV_ROWS {
            let detail = tr!("More than 20,000 rows: choose fewer days, one account, or a broader grouping.");
            return Err(ActError::invalid("group_by", ErrorCode::TooManyRows, detail));
        }
        let items = self.name_rows(access, query, &accounts, rows.into_iter().collect()).await?;
        Ok(render(&query.by, &items, days))
    }
}

/// Renders the report of these days.
fn render(by: &[Dimension], rows: &[RowOut], (since, until): (Date, Date)) -> CsvFile {
    CsvFile { file_name: format!("meta-ads-{since}-{until}.csv"), bytes: table(by, rows) }
}

fn table(by: &[Dimension], rows: &[RowOut]) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    let dimension = |by: &Dimension| DIMENSIONS.iter().find(|(_, known)| known == by).map_or("", |(name, _)| name);
    let columns = by.iter().flat_map(|by| match by {
        Dimension::Day => vec!["day".to_owned()],
        other => vec![format!("{}_id", dimension(other)), format!("{}_name", dimension(other))],
    });
    let numbers = std::iter::once("currency").chain(COLUMNS.iter().map(|column| column.name)).map(str::to_owned);
    let header: Vec<String> = columns.chain(numbers).collect();
    // Writing to memory does not fail.
    let _ = file.write_record(&header);
    for row in rows {
        let _ = file.write_record(line(by, row));
    }
    file.into_inner().unwrap_or_default()
}

fn line(by: &[Dimension], row: &RowOut) -> Vec<String> {
    let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
    let mut line: Vec<String> = Vec::new();
    for dimension in by {
        let (id, name) = match dimension {
            Dimension::Client => (&row.client_id, &row.client_name),
            Dimension::Account => (&row.account_id, &row.account_name),
            Dimension::Campaign => (&row.campaign_id, &row.campaign_name),
            Dimension::Adset => (&row.adset_id, &row.adset_name),
            Dimension::Ad => (&row.ad_id, &row.ad_name),
            Dimension::Day => {
                line.push(text(&row.day));
                continue;
            }
        };
        line.extend([text(id), text(name)]);
    }
    line.push(row.figures.currency.clone());
    let text = |column: &Column| (column.value)(&row.figures).map_or_else(String::new, |value| value.to_string());
    line.extend(COLUMNS.iter().map(text));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ads::metrics::MainMetrics;
    use crate::model::ads::report::Sums;

    #[test]
    fn a_name_is_text_whatever_it_looks_like() {
        let metrics =
            MainMetrics { impressions: 10, clicks: 1, spend: "0.5".parse().unwrap(), ..MainMetrics::default() };
        let row = RowOut {
            client_id: None,
            client_name: None,
            account_id: None,
            account_name: None,
            campaign_id: Some("1".to_owned()),
            campaign_name: Some("=1+1, \"quoted\"\nnext".to_owned()),
            adset_id: None,
            adset_name: None,
            ad_id: None,
            ad_name: None,
            day: Some("2026-01-01".to_owned()),
            figures: Sums::single(metrics, None).figures("USD"),
        };
        let file = String::from_utf8(table(&[Dimension::Campaign, Dimension::Day], &[row])).unwrap();
        let (head, line) = file.split_once('\n').unwrap();
        assert!(
            head.starts_with("campaign_id,campaign_name,day,currency,impressions,clicks,spend,conversions,"),
            "{head}"
        );
        let expected = "1,\"'=1+1, \"\"quoted\"\"\nnext\",2026-01-01,USD,10,1,0.50,0,10,0.5,50,,,";
        assert!(line.starts_with(expected), "{line}");
    }
}
