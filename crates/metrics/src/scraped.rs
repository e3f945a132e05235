//! Reads what a scrape says, as strictly as the standard has it: for tests and for tools.
//!
//! In: text of the type `CONTENT_TYPE`. Out: its samples, or the line that is wrong. Source: OpenMetrics 1.0.

use std::collections::BTreeMap;

/// What a scrape says.
#[derive(Debug, Default)]
pub struct Scraped {
    samples: BTreeMap<Sample, f64>,
    kinds: BTreeMap<String, String>,
}

/// A line that is not what the standard has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
}

/// The family whose lines are read.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    /// It has a sample: from here on there is nothing more to describe.
    sampled: bool,
    /// The buckets of one histogram: its labels but `le`, the last end and the count up to it.
    buckets: Option<(BTreeMap<String, String>, f64, f64)>,
}

impl Scraped {
    /// Reads a whole scrape.
    ///
    /// # Errors
    /// [`Malformed`] names the first line that is wrong.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let mut scraped = Self::default();
        let mut family = Family::default();
        let last = text.lines().count();
        for (index, line) in text.lines().enumerate() {
            let wrong = |problem: String| Malformed { line: index + 1, problem };
            let ends = index + 1 == last;
            if (line == "# EOF") != ends || (ends && !text.ends_with('\n')) {
                return Err(wrong("`# EOF` is the last line, and nothing else is".to_owned()));
            }
            match line.strip_prefix("# ") {
                Some("EOF") => family.close().map_err(wrong)?,
                Some(said) => scraped.describe(&mut family, said).map_err(wrong)?,
                None => scraped.sample(&mut family, line).map_err(wrong)?,
            }
        }
        if last == 0 { Err(Malformed { line: 0, problem: "nothing at all".to_owned() }) } else { Ok(scraped) }
    }

    /// The value of the sample with exactly these labels, in any order; those without a value do not count.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&Sample { name: name.to_owned(), labels }).copied()
    }

    /// All values of one name, by their labels.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a BTreeMap<String, String>, f64)> {
        let named = self.samples.iter().filter(move |(sample, _)| sample.name == name);
        named.map(|(sample, value)| (&sample.labels, *value))
    }

    /// The names of the families, with "counter", "gauge" or "histogram".
    pub fn families(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().map(|(name, kind)| (name.as_str(), kind.as_str()))
    }

    /// `HELP name text`, `TYPE name kind` or `UNIT name unit`.
    fn describe(&mut self, family: &mut Family, said: &str) -> Result<(), String> {
        let mut words = said.splitn(3, ' ');
        let (Some(what), Some(name), Some(said)) = (words.next(), words.next(), words.next()) else {
            return Err("a description has three parts".to_owned());
        };
        is_name(name)?;
        if family.name != name {
            family.close()?;
            *family = Family { name: name.to_owned(), ..Family::default() };
            if self.kinds.contains_key(name) {
                return Err(format!("`{name}` is described in two places"));
            }
        }
        match what {
            _ if family.sampled => Err(format!("`{name}` is described after its samples")),
            "HELP" => Ok(()),
            "UNIT" if name.ends_with(&format!("_{said}")) => Ok(()),
            "TYPE" if ["counter", "gauge", "histogram"].contains(&said) && family.kind.is_empty() => {
                family.kind = said.to_owned();
                self.kinds.insert(name.to_owned(), said.to_owned());
                Ok(())
            }
            _ => Err(format!("`{what} {name} {said}` is no description")),
        }
    }

    fn sample(&mut self, family: &mut Family, line: &str) -> Result<(), String> {
        let at = line.find(['{', ' ']).ok_or("a sample has a value")?;
        let (name, rest) = line.split_at(at);
        let (labels, rest) = labels(rest)?;
        let value = rest.strip_prefix(' ').ok_or("a space stands before the value")?;
        let value = number(value)?;
        family.takes(name, &labels, value)?;
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let sample = Sample { name: name.to_owned(), labels };
        match self.samples.insert(sample, value) {
            None => Ok(()),
            Some(_) => Err("the same sample a second time".to_owned()),
        }
    }
}

impl Family {
    /// Whether a sample is one of this family's.
    fn takes(&mut self, name: &str, labels: &BTreeMap<String, String>, value: f64) -> Result<(), String> {
        self.sampled = true;
        let suffix = name.strip_prefix(self.name.as_str()).unwrap_or("!");
        let is_bucket = self.kind == "histogram" && suffix == "_bucket";
        if is_bucket != labels.contains_key("le") {
            return Err("`le` belongs to buckets, and to all of them".to_owned());
        }
        match (self.kind.as_str(), suffix) {
            ("gauge", "") => Ok(()),
            ("counter", "_total") | ("histogram", "_sum" | "_count") if value >= 0.0 => Ok(()),
            ("histogram", "_bucket") => self.bucket(labels, value),
            (kind, _) => Err(format!("`{name}` = {value} is no sample of the {kind} `{}`", self.name)),
        }
    }

    /// The buckets of one histogram come one after another, from the least to all of it.
    fn bucket(&mut self, labels: &BTreeMap<String, String>, count: f64) -> Result<(), String> {
        let mut labels = labels.clone();
        let end = number(&labels.remove("le").unwrap_or_default())?;
        if let Some((of, before, fewer)) = self.buckets.take() {
            if of != labels {
                return Err("a histogram has no bucket for +Inf".to_owned());
            }
            if end <= before || count < fewer {
                return Err("buckets grow".to_owned());
            }
        }
        self.buckets = (end != f64::INFINITY).then_some((labels, end, count));
        Ok(())
    }

    fn close(&self) -> Result<(), String> {
        match &self.buckets {
            Some(_) => Err(format!("`{}` has no bucket for +Inf", self.name)),
            None => Ok(()),
        }
    }
}

/// The labels that a text begins with, and its rest.
fn labels(text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return Ok((labels, text)) };
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once("=\"").ok_or("a label has a value in quotes")?;
        is_name(name)?;
        let (value, after) = quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label `{name}` stands twice"));
        }
        rest = match after.strip_prefix(',') {
            Some(more) if !more.starts_with('}') => more,
            None if after.starts_with('}') => after,
            _ => return Err("labels are parted by single commas".to_owned()),
        };
    }
}

/// A quoted text without its first quote, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, escaped @ ('"' | '\\'))) => escaped,
                _ => return Err("an escape that there is not".to_owned()),
            }),
            plain => value.push(plain),
        }
    }
    Err("a quote is missing".to_owned())
}

fn is_name(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is = name.bytes().all(fits) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if is { Ok(()) } else { Err(format!("`{name}` is no name")) }
}

fn number(text: &str) -> Result<f64, String> {
    let plain = text == "+Inf" || text.bytes().all(|byte| byte.is_ascii_digit() || b".e-".contains(&byte));
    let parsed = text.parse().ok().filter(|_| plain);
    parsed.ok_or_else(|| format!("`{text}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP a_seconds How long.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                        a_seconds_sum{m=\"x\"} 0.5\na_seconds_count{m=\"x\"} 2\n\
                        a_seconds_bucket{le=\"0.1\",m=\"x\"} 1\na_seconds_bucket{le=\"+Inf\",m=\"x\"} 2\n\
                        # HELP b How many.\n# TYPE b counter\nb_total{m=\"\\\"q\\\\\",e=\"\"} 3\n# EOF\n";

    #[test]
    fn a_scrape_is_read() {
        let scraped = Scraped::read(GOOD).unwrap();
        assert_eq!(scraped.value("a_seconds_count", &[("m", "x")]), Some(2.0));
        assert_eq!(scraped.value("b_total", &[("m", "\"q\\")]), Some(3.0));
        assert_eq!(scraped.of("b_total").count(), 1);
        let families: Vec<_> = scraped.families().collect();
        assert_eq!(families, [("a_seconds", "histogram"), ("b", "counter")]);
    }

    /// Each is the good one with one thing planted in it.
    #[test]
    fn what_is_not_the_standard_is_refused() {
        for (good, bad) in [
            ("# EOF\n", ""),
            ("# EOF\n", "# EOF"),
            ("# EOF\n", "# EOF\n# EOF\n"),
            ("histogram", "summary"),
            ("UNIT a_seconds seconds", "UNIT a_seconds bytes"),
            ("b_total", "b"),
            (" 3\n", " three\n"),
            (" 3\n", " -3\n"),
            (" 3\n", "\n"),
            ("b_total{m", "b_total{1m"),
            ("e=\"\"}", "m=\"\"}"),
            ("e=\"\"}", "e=\"\",}"),
            ("\\\\", "\\x"),
            ("a_seconds_bucket{le=\"+Inf\",m=\"x\"} 2\n", ""),
            ("a_seconds_bucket{le=\"+Inf\",m=\"x\"} 2\n", "a_seconds_bucket{le=\"+Inf\",m=\"x\"} 0\n"),
            ("le=\"0.1\",", ""),
            ("# HELP b How many.\n", "# HELP a_seconds How long.\n"),
            ("# HELP b How many.\n# TYPE b counter\n", ""),
        ] {
            let planted = GOOD.replacen(good, bad, 1);
            assert_ne!(planted, GOOD);
            assert!(Scraped::read(&planted).is_err(), "{good:?} -> {bad:?}");
        }
        let (first, twice) = ("b_total{m=\"x\"} 1\n", "b_total{m=\"x\"} 1\nb_total{m=\"x\"} 2\n");
        let doubled = GOOD.replacen("# EOF", &format!("{first}{twice}# EOF"), 1);
        assert!(Scraped::read(&doubled).is_err());
    }
}
