//! What is done to the device, as data: one TOML file, one fault, one expectation with its rule.
//!
//! [`Scenario::parse`] takes the text of a file of `scenarios/` and gives a [`Scenario`], or a [`Problem`] that names
//! the file, the line and the remedy. Unknown keys are refused, and so is a name that contradicts what the file says.
//!
//! This crate does not know how anything is done: it has no sockets, no certificates' bytes, no boards.

pub mod broker;
pub mod controls;
mod cuts;
mod date;
pub mod device;
#[cfg(test)]
mod everything_can_be_said;
mod fault;
mod fields;
pub mod lan;
pub mod library;
pub mod mosquitto;
mod names;
pub mod network;
mod problem;
mod ranges;
pub mod renamed;
mod sweep;
mod twin;
pub mod wifi;

use clock::UnixTime;
use outcome::Demand;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

pub use date::Date;
pub use fault::{FaultMark, Needs};
pub use names::{FOLDERS, claims};
pub use problem::Problem;
pub use ranges::{Numbers, RANGES, Range};
pub use sweep::{STEPS_MAX, Step, Sweep};
pub use twin::Twin;

/// One scenario: what is done to a device, and what the specification says that the device has to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's path below the scenario folder, with `/` and without `.toml`: `identity/san_ip_dialled_by_ip`.
    #[serde(skip)]
    pub name: String,
    /// The old names of keys that the file says.
    #[serde(skip)]
    pub notices: Vec<renamed::Notice>,
    /// One sentence: what is peculiar about this broker, network or device.
    pub title: String,
    /// The rows of the fault catalogue that this is: `A01`.
    #[serde(default)]
    pub catalogue: Vec<String>,
    /// The rows of the source documents that this replays: `s4-san-ip`.
    #[serde(default)]
    pub documents: Vec<String>,
    /// What the specification says.
    pub specification: Specification,
    /// The stacks that this is about; absent: all of them.
    #[serde(default)]
    pub applies: Option<Applies>,
    /// The date at power-on: certificates are minted for it, and SNTP tells it.
    #[serde(default)]
    pub date: Date,
    /// One screw turned step by step, each a run of its own.
    #[serde(default)]
    pub sweep: Option<Sweep>,
    /// How long the device may take, in seconds of its own time, before the run counts as silent.
    #[serde(default = "default_limit_s")]
    pub limit_s: u32,
    /// Where the fault shows. The transcript points at it, and an ending counts only if the run came so far.
    #[serde(default)]
    pub fault: Option<FaultMark>,
    /// What this would be without its fault, for whoever tries that the refusal is for the fault.
    #[serde(default)]
    pub twin: Option<Twin>,
    /// The scenario that `twin` describes.
    #[serde(skip)]
    pub without_fault: Option<Box<Self>>,
    /// The host clients that meet the same broker: `["paho", "openssl"]` if they get through, else
    /// `{ paho = "refuses" }`.
    #[serde(default)]
    pub controls: controls::Controls,
    /// The device's configuration.
    #[serde(default)]
    pub device: device::Device,
    /// The certificates.
    #[serde(default)]
    pub pki: pki::spec::Certificates,
    /// The broker.
    #[serde(default)]
    pub broker: broker::Broker,
    /// The configuration of mosquitto, where `broker.real` puts it in the place of the scripted broker.
    #[serde(default)]
    pub mosquitto: Option<mosquitto::Mosquitto>,
    /// The network between them.
    #[serde(default)]
    pub network: network::Network,
    /// The air, for a device that has a radio.
    #[serde(default)]
    pub wifi: wifi::Wifi,
    /// The modem, for a device that has one (`device.link = "modem"`).
    #[serde(default)]
    pub modem: ::network::ModemBehaviour,
}

/// The rule that a scenario tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// What the rule demands of the device.
    pub demands: Demand,
    /// Where it stands: `RFC 9525 §6.3`.
    pub rule: String,
    /// Its words, as they stand there.
    pub quote: Option<String>,
    /// What it says, in other words: of a text that nobody can look up without paying for it, say. Either this or `quote`.
    pub paraphrase: Option<String>,
}

impl Specification {
    /// What the rule says: a quotation in quotation marks, other words without.
    pub fn says(&self) -> String {
        match (&self.quote, &self.paraphrase) {
            (Some(quote), _) => format!("\"{quote}\""),
            (None, paraphrase) => paraphrase.clone().unwrap_or_default(),
        }
    }
}

/// The stacks that a scenario is about, where it is not about all: a row of one platform's API, say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applies {
    /// The stacks, by their names; with `*` at its end, the beginning of names. Empty: no stack of this bench. Absent:
    /// all of them.
    #[serde(default)]
    pub stacks: Option<Vec<String>>,
    /// Whether profiles are asked, or only the images that they are profiles of.
    #[serde(default = "yes")]
    pub profiles: bool,
    /// Why it says nothing about the others.
    pub reason: String,
}

impl Applies {
    /// The reason for not running on the stack of this name, which may be a profile; `None` if it is about that stack.
    pub fn excuse(&self, stack: &str, is_profile: bool) -> Option<&str> {
        let is_meant = |entry: &String| match entry.strip_suffix('*') {
            Some(beginning) => stack.starts_with(beginning),
            None => stack == entry,
        };
        let is_asked = self.stacks.as_ref().is_none_or(|stacks| stacks.iter().any(is_meant));
        (!is_asked || is_profile && !self.profiles).then_some(self.reason.as_str())
    }
}

/// The keys of a table.
fn keys_of(table: Option<&toml::Spanned<DeValue<'_>>>) -> Vec<String> {
    let table = table.and_then(|table| table.get_ref().as_table());
    table.into_iter().flatten().map(|(key, _)| key.get_ref().to_string()).collect()
}

const fn yes() -> bool {
    true
}

const fn default_limit_s() -> u32 {
    120
}

/// A file that is read.
struct Source<'a> {
    name: &'a str,
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    /// Reads the tables `written`, whose complaints are looked for below the tables `at`; whether the name lies is not asked.
    fn read(&self, mut written: DeTable<'_>, at: &[&str]) -> Result<Scenario, Problem> {
        let of_toml = |error: toml::de::Error| Problem::from_toml(self.file, self.text, &error);
        let located = |complaint: problem::Complaint| complaint.below(at).located(self.file, self.text);
        let device = written.remove("device");
        let of_broker = keys_of(written.get("broker"));
        let whole = toml::Spanned::new(0..self.text.len(), written);
        let mut scenario = Scenario::deserialize(toml::Deserializer::from(whole)).map_err(of_toml)?;
        self.name.clone_into(&mut scenario.name);
        if let Some(device) = device {
            scenario.device = device::Device::read(device).map_err(|error| match error {
                device::Unreadable::Toml(error) => of_toml(error),
                device::Unreadable::Key(complaint) => located(complaint),
            })?;
        }
        scenario.broker.take_personality(&|key| of_broker.iter().any(|written| written == key));
        scenario.check().map_err(located)?;
        Ok(scenario)
    }
}

impl Scenario {
    /// Reads the scenario `name` (its path below the scenario folder, without `.toml`) from the text of the file
    /// `file`.
    ///
    /// # Errors
    ///
    /// A [`Problem`] of the scenario's author: not TOML, an unknown key, a value that makes no sense, or a name that
    /// contradicts the content.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, Problem> {
        let mut written = DeTable::parse(text).map_err(|error| Problem::from_toml(file, text, &error))?.into_inner();
        let notices = renamed::in_toml(&mut written, renamed::IN_SCENARIOS, file, text);
        let source = Source { name, file, text };
        let mut scenario = source.read(written.clone(), &[])?;
        scenario.notices = notices;
        names::check(&scenario).map_err(|complaint| complaint.located(file, text))?;
        if let Some(twin) = &scenario.twin {
            let twin = twin.check(scenario.specification.demands).and_then(|()| twin.applied(&written));
            let twin = twin.map_err(|complaint| complaint.located(file, text))?;
            scenario.without_fault = Some(Box::new(source.read(twin, &["twin"])?));
        }
        Ok(scenario)
    }

    /// The date at power-on.
    pub fn date(&self) -> UnixTime {
        self.date.0
    }

    /// Whether it is about the air, and says nothing about a device without a radio.
    pub fn is_about_radio(&self) -> bool {
        self.wifi != wifi::Wifi::default()
    }

    /// The runs of a sweep; none if this is no sweep.
    pub fn steps(&self) -> Vec<Step> {
        self.sweep.as_ref().map(|sweep| sweep.steps(self)).unwrap_or_default()
    }

    fn check(&self) -> Result<(), problem::Complaint> {
        self.check_words()?;
        self.device.check()?;
        self.check_certificate_names()?;
        self.check_certificates()?;
        self.broker.check(&|name| self.pki.contains(name))?;
        mosquitto::check(self)?;
        self.network.check()?;
        self.wifi.check()?;
        self.sweep.as_ref().map_or(Ok(()), Sweep::check)?;
        self.check_modem()?;
        cuts::check(self)
    }

    fn check_modem(&self) -> Result<(), problem::Complaint> {
        if !self.device.has_modem() && self.modem != ::network::ModemBehaviour::default() {
            return Err(problem::Complaint::at(
                &["modem"],
                "the device has no modem",
                "set `link = \"modem\"` under `[device]`, or remove this table",
            ));
        }
        let located = |bad: ::network::Impossible| problem::Complaint::at(&["modem", bad.key], bad.why, bad.remedy);
        self.modem.check().map_err(located)
    }

    /// What can be told of certificates before they are minted.
    fn check_certificates(&self) -> Result<(), problem::Complaint> {
        pki::check(&self.pki).map_err(|error| {
            problem::Complaint::at(&["pki", &error.certificate, error.field], error.problem, error.remedy)
        })
    }

    /// Every certificate that the device is given has to exist.
    fn check_certificate_names(&self) -> Result<(), problem::Complaint> {
        let device = &self.device;
        for (key, names) in [
            ("trusts", &device.trusts),
            ("certificates", &device.certificates),
            ("key_of", &device.key_of.iter().cloned().collect()),
            ("trust", &device.pinned().map(str::to_owned).into_iter().collect()),
        ] {
            if let Some(unknown) = names.iter().find(|name| !self.pki.contains(name)) {
                let known: Vec<&str> = self.pki.names().collect();
                return Err(problem::Complaint::at(
                    &["device", key],
                    format!("there is no certificate `{unknown}`"),
                    format!("describe it in a table `[pki.{unknown}]`, or name one of {}", known.join(", ")),
                ));
            }
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), problem::Complaint> {
        use problem::Complaint;
        for (path, words) in [(vec!["title"], &self.title), (vec!["specification", "rule"], &self.specification.rule)] {
            if words.trim().is_empty() {
                return Err(Complaint::at(&path, "this says nothing", "write the sentence that a reader needs here"));
            }
        }
        let says = |words: &Option<String>| words.as_deref().is_some_and(|words| !words.trim().is_empty());
        if says(&self.specification.quote) == says(&self.specification.paraphrase) {
            return Err(Complaint::at(
                &["specification"],
                "a rule has either a `quote` or a `paraphrase`",
                "write the rule's own words as `quote`, or what it says in yours as `paraphrase`",
            ));
        }
        if !self.specification.rule.contains('§') && !self.specification.rule.contains('[') {
            return Err(Complaint::at(
                &["specification", "rule"],
                "the rule has no section",
                "name the document and the section: `RFC 9525 §6.3`, or the statement: `MQTT 3.1.1 [MQTT-3.2.2-5]`",
            ));
        }
        if self.applies.as_ref().is_some_and(|applies| applies.reason.trim().is_empty()) {
            return Err(Complaint::at(
                &["applies", "reason"],
                "this says nothing",
                "say why the other stacks have nothing to do with it",
            ));
        }
        if self.limit_s == 0 || self.limit_s > 86_400 {
            return Err(Complaint::at(
                &["limit_s"],
                "the limit is not between 1 s and a day",
                "give the device time to fail, and the bench an end",
            ));
        }
        self.fault.as_ref().map_or(Ok(()), |mark| mark.check(&self.broker))
    }
}

#[cfg(test)]
mod tests;
