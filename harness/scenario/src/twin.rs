//! What a scenario would be without its fault: the table `[twin]`.
//!
//! A refusal shows something only if the same device gets through where nothing else is different. A test runs both. Where
//! the fault is all that one table of the file says, the test leaves that table out by itself.

use outcome::Demand;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::date::Date;
use crate::problem::Complaint;

/// The `[twin]` table: the file without its fault. Keys are taken out first; what the tables say is then laid over those of
/// the file, key by key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Twin {
    /// Keys or tables of the file that the twin lacks, each with the tables that lead to it: `"broker.on_client_hello"`.
    pub without: Vec<String>,
    /// Its date, in the place of the file's.
    pub date: Option<Date>,
    /// What is laid over `[device]`.
    pub device: Option<toml::Table>,
    /// What is laid over the tables `[pki.NAME]`.
    pub pki: Option<toml::Table>,
    /// What is laid over `[broker]`.
    pub broker: Option<toml::Table>,
    /// What is laid over `[network]`.
    pub network: Option<toml::Table>,
    /// What is laid over `[modem]`.
    pub modem: Option<toml::Table>,
}

impl Twin {
    fn changes_nothing(&self) -> bool {
        let tables = [&self.device, &self.pki, &self.broker, &self.network, &self.modem];
        self.without.is_empty() && self.date.is_none() && tables.into_iter().all(Option::is_none)
    }

    pub(crate) fn check(&self, demands: Demand) -> Result<(), Complaint> {
        if demands != Demand::Refuse {
            return Err(Complaint::at(
                &["twin"],
                "nothing has to be refused here, so there is no refusal to try",
                "remove this table",
            ));
        }
        if self.changes_nothing() {
            return Err(Complaint::at(
                &["twin"],
                "the twin is the scenario itself",
                "name what to leave out in `without`, or what to say instead in `[twin.device]`, `[twin.pki.NAME]` and so on",
            ));
        }
        Ok(())
    }

    /// The file of the twin: `written`, whose table `[twin]` this is.
    pub(crate) fn applied<'i>(&self, written: &DeTable<'i>) -> Result<DeTable<'i>, Complaint> {
        let mut twin = written.clone();
        let over = twin.remove("twin");
        for path in &self.without {
            let keys: Vec<&str> = path.split('.').collect();
            if !take_out(&mut twin, &keys) {
                return Err(Complaint::at(
                    &["twin", "without"],
                    format!("this file says no `{path}`"),
                    "name a key of it with the tables that lead to it, as in \"broker.versions\"",
                ));
            }
        }
        if let Some(DeValue::Table(mut over)) = over.map(toml::Spanned::into_inner) {
            over.remove("without");
            lay_over(&mut twin, over);
        }
        // There is nothing left that a device would have to offer.
        if let Some(DeValue::Table(fault)) = twin.get_mut("fault").map(toml::Spanned::get_mut) {
            fault.remove("needs");
        }
        Ok(twin)
    }
}

/// Removes what `path` leads to; `false` if it leads nowhere.
fn take_out(table: &mut DeTable<'_>, path: &[&str]) -> bool {
    match path {
        [] => false,
        [key] => table.remove(*key).is_some(),
        [first, rest @ ..] => match table.get_mut(*first).map(toml::Spanned::get_mut) {
            Some(DeValue::Table(inner)) => take_out(inner, rest),
            _ => false,
        },
    }
}

fn lay_over<'i>(table: &mut DeTable<'i>, over: DeTable<'i>) {
    for (key, value) in over {
        let name = key.get_ref().to_string();
        match (table.get_mut(name.as_str()).map(toml::Spanned::get_mut), value) {
            (Some(DeValue::Table(inner)), value) if matches!(value.get_ref(), DeValue::Table(_)) => {
                if let DeValue::Table(over) = value.into_inner() {
                    lay_over(inner, over);
                }
            }
            (_, value) => {
                table.remove(name.as_str());
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Problem, Scenario};

    const FILE: &str = "title = 'x'\n\
        specification = { demands = 'refuse', rule = 'RFC 9525 §6.3', quote = 'q' }\n\
        [fault]\n\
        who = 'broker'\n\
        said = 'Certificate'\n\
        needs = 'versions'\n\
        [device]\n\
        dials = '192.0.2.10'\n\
        [pki.leaf]\n\
        names = ['dns:192.0.2.10']\n\
        key = 'p384'\n\
        [broker]\n\
        versions = ['1.2']\n";

    fn read(twin: &str) -> Result<Scenario, Problem> {
        Scenario::parse("x/san_dns", "y.toml", &format!("{FILE}{twin}"))
    }

    #[test]
    fn the_twin_is_the_file_but_for_what_its_table_says() {
        let scenario = read("[twin.pki.leaf]\nnames = ['ip:192.0.2.10']\n").unwrap_or_else(|why| panic!("{why}"));
        let twin = scenario.without_fault.as_deref().expect("it says how");
        let expected = read("").unwrap_or_else(|why| panic!("{why}"));
        assert!(expected.without_fault.is_none());
        let expected_leaf = format!("{:?}", expected.pki).replace("[Dns(\"192.0.2.10\")]", "[Ip(192.0.2.10)]");
        assert_ne!(expected_leaf, format!("{:?}", expected.pki), "the names are there");
        assert_eq!(format!("{:?}", twin.pki), expected_leaf);
        assert_eq!(format!("{:?}", twin.device), format!("{:?}", expected.device));
        assert_eq!(format!("{:?}", twin.broker), format!("{:?}", expected.broker));
        // A device has to offer nothing to meet what is not there.
        assert!(twin.fault.as_ref().is_some_and(|mark| mark.needs.is_none()));
        assert!(scenario.fault.as_ref().is_some_and(|mark| mark.needs.is_some()));
        // The file's name speaks of the file.
        assert_eq!(twin.name, "x/san_dns");
    }

    #[test]
    fn keys_and_tables_are_taken_out() {
        let scenario = read("[twin]\nwithout = ['device.dials', 'pki', 'broker.versions']\n");
        let scenario = scenario.unwrap_or_else(|why| panic!("{why}"));
        let twin = scenario.without_fault.as_deref().expect("it says how");
        assert_eq!(twin.device.dials, "broker.test");
        assert_eq!(format!("{:?}", twin.pki), format!("{:?}", pki::spec::Certificates::default()));
        assert_eq!(twin.broker.versions.len(), 2);
    }

    #[test]
    fn twins_that_make_no_sense_are_refused_at_their_line() {
        let line = FILE.lines().count() + 1;
        for (twin, at, why) in [
            ("[twin]\n", 0, "the scenario itself"),
            ("[twin]\nwithout = ['broker.groups']\n", 1, "no `broker.groups`"),
            ("[twin]\nwithout = ['title.x']\n", 1, "no `title.x`"),
            ("[twin]\ntitle = 'z'\n", 1, "unknown field `title`"),
            ("[twin.device]\ndails = 'x'\n", 1, "dails"),
            ("[twin.device]\ntrusts = ['nobody']\n", 1, "no certificate `nobody`"),
            ("[twin.broker]\nrecord_bytes_max = 1\n", 1, "32 to 16384"),
        ] {
            let problem = read(twin).expect_err(twin);
            assert!(problem.message.contains(why), "{twin}: {problem}");
            assert_eq!(problem.line, line + at, "{twin}: {problem}");
        }
        let text = FILE.replace("'refuse'", "'fail'") + "[twin]\nwithout = ['pki']\n";
        let problem = Scenario::parse("x/y", "y.toml", &text).expect_err("nothing is refused");
        assert!(problem.message.contains("no refusal to try"), "{problem}");
    }
}
