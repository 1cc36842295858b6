//! Reports as files for spreadsheets. What the rows' objects lie in comes last, so that all other columns stay in their
//! places.

use jiff::civil::Date;

use super::Ads;
use super::outcomes::{OutcomeQuery, OutcomeRow, object_kind};
use super::place::wider;
use super::report::{LoadedReport, ReportQuery, RowOut, row_kind};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::model::ads::outcome::{OUTCOME_DIMENSIONS, OutcomeDimension};
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

    /// What became of leads as a file for spreadsheets.
    pub async fn outcomes_csv(&self, access: &MetaAccess, query: &OutcomeQuery) -> Result<CsvFile, ActError> {
        let report = self.outcomes(access, query).await?;
        let file_name = format!("meta-outcomes-{}-{}.csv", report.since, report.until);
        Ok(CsvFile { file_name, bytes: outcome_table(query.by, &report.items) })
    }
}

/// Renders the report of these days.
fn render(by: &[Dimension], rows: &[RowOut], (since, until): (Date, Date)) -> CsvFile {
    CsvFile { file_name: format!("meta-ads-{since}-{until}.csv"), bytes: table(by, rows) }
}

fn table(by: &[Dimension], rows: &[RowOut]) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    let around = row_kind(by).map_or(&[][..], wider).iter().copied();
    let around: Vec<Dimension> = around.filter(|dimension| !by.contains(dimension)).collect();
    let numbers = std::iter::once("currency").chain(COLUMNS.iter().map(|column| column.name)).map(str::to_owned);
    let of_objects = |by: &[Dimension]| by.iter().copied().flat_map(headings).collect::<Vec<_>>();
    let header: Vec<String> = of_objects(by).into_iter().chain(numbers).chain(of_objects(&around)).collect();
    // Writing to memory does not fail.
    let _ = file.write_record(&header);
    for row in rows {
        let number = |column: &Column| (column.value)(&row.figures).map_or_else(String::new, |value| value.to_string());
        let numbers = std::iter::once(row.figures.currency.clone()).chain(COLUMNS.iter().map(number));
        let of_objects = |by: &[Dimension]| by.iter().flat_map(|by| cells(*by, row)).collect::<Vec<_>>();
        let line: Vec<String> = of_objects(by).into_iter().chain(numbers).chain(of_objects(&around)).collect();
        let _ = file.write_record(&line);
    }
    file.into_inner().unwrap_or_default()
}

fn outcome_table(by: OutcomeDimension, rows: &[OutcomeRow]) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    let word = OUTCOME_DIMENSIONS.iter().find(|(_, known)| *known == by).map_or("", |(name, _)| name);
    let header = [format!("{word}_id"), format!("{word}_name")];
    let counts = ["leads", "repeats", "open", "contacted", "qualified", "won", "lost", "meta_conversions"];
    let amounts =
        ["currency", "spend", "value", "cost_per_lead", "cost_per_qualified", "cost_per_won", "return_on_spend"];
    // Writing to memory does not fail.
    let around = object_kind(by).map_or(&[][..], wider);
    let place: Vec<String> = around.iter().copied().flat_map(headings).collect();
    let numbers = counts.into_iter().chain(amounts);
    let _ = file.write_record(header.iter().map(String::as_str).chain(numbers).chain(place.iter().map(String::as_str)));
    for OutcomeRow { id, name, place, figures: of, .. } in rows {
        let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
        let mut line = vec![text(id), text(name)];
        let counts = [of.leads, of.repeats, of.open, of.contacted, of.qualified, of.won, of.lost, of.meta_conversions];
        line.extend(counts.map(|count| count.to_string()));
        line.push(of.currency.clone().unwrap_or_default());
        let amounts =
            [of.spend, of.value, of.cost_per_lead, of.cost_per_qualified, of.cost_per_won, of.return_on_spend];
        line.extend(amounts.map(|amount| amount.map_or_else(String::new, |amount| amount.to_string())));
        line.extend(around.iter().flat_map(|dimension| place.cells(*dimension)));
        let _ = file.write_record(line);
    }
    file.into_inner().unwrap_or_default()
}

/// The headings of a dimension's columns.
fn headings(dimension: Dimension) -> Vec<String> {
    let name = DIMENSIONS.iter().find(|(_, known)| *known == dimension).map_or("", |(name, _)| name);
    match dimension {
        Dimension::Day => vec![name.to_owned()],
        _ => vec![format!("{name}_id"), format!("{name}_name")],
    }
}

fn cells(dimension: Dimension, row: &RowOut) -> Vec<String> {
    let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
    match dimension {
        Dimension::Client => vec![text(&row.client_id), text(&row.client_name)],
        Dimension::Ad => vec![text(&row.ad_id), text(&row.ad_name)],
        Dimension::Day => vec![text(&row.day)],
        Dimension::Account | Dimension::Campaign | Dimension::Adset => row.place.cells(dimension).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ads::place::{AdObjectState, AdPlace};
    use crate::model::ads::metrics::MainMetrics;
    use crate::model::ads::report::Sums;

    #[test]
    fn a_name_is_text_whatever_it_looks_like() {
        let metrics =
            MainMetrics { impressions: 10, clicks: 1, spend: "0.5".parse().unwrap(), ..MainMetrics::default() };
        let row = RowOut {
            client_id: None,
            client_name: None,
            place: AdPlace {
                account_id: Some("act_1".to_owned()),
                account_name: Some("@Berlin".to_owned()),
                campaign_id: Some("1".to_owned()),
                campaign_name: Some("=1+1, \"quoted\"\nnext".to_owned()),
                ..AdPlace::default()
            },
            ad_id: None,
            ad_name: None,
            day: Some("2026-01-01".to_owned()),
            figures: Sums::single(metrics, None).figures("USD"),
            state: AdObjectState::default(),
        };
        let file = String::from_utf8(table(&[Dimension::Campaign, Dimension::Day], &[row])).unwrap();
        let (head, line) = file.split_once('\n').unwrap();
        assert!(
            head.starts_with("campaign_id,campaign_name,day,currency,impressions,clicks,spend,conversions,"),
            "{head}"
        );
        let expected = "1,\"'=1+1, \"\"quoted\"\"\nnext\",2026-01-01,USD,10,1,0.50,0,10,0.5,50,,,";
        assert!(line.starts_with(expected), "{line}");
        assert!(head.ends_with(",unique_clicks,account_id,account_name"), "{head}");
        assert!(line.ends_with(",act_1,'@Berlin\n"), "{line}");
    }
}
