//! Stacks: what scenarios are run on. An image as it is, or as one of the products that it can stand for.

mod pattern;
mod products;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use blame::Error;
use chip::{CHIPS, Chip};
use control::{Failure, Plan};
use explain::snapshots::NotApplicable;
use judge::{Platform, Setting};
use scenario::Scenario;
use scenario::device::{Device, Encoding, ServerName};

use crate::dialect::log::LogReader;
use crate::dialect::patch::{Conflict, Fixed, Reconciled};
use crate::dialect::{self, Dialect, Profile, words};
use crate::plan::{self, Issued, NamesAlone};
use crate::products::Product;
use crate::released::Firmware;
use crate::unattended::options::UnattendedOptions;
use crate::unattended::{self, NotMet, Trust, Unattended};
use scenario::library;

pub use pattern::matching;

/// One of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What `--stack` and snapshots know it by: the product, or `product@chip` where an earlier chip has it too.
    pub name: String,
    /// The image's name, or the profile's.
    pub product: String,
    /// What it is: `Mbed TLS 3.6.5`, `NodeMCU 3.0`.
    pub title: String,
    /// The image.
    pub firmware: Arc<Firmware>,
    image: Arc<board::Image>,
    dialect: Arc<Dialect>,
    /// The profile's name in the dialect; absent: the image as it is.
    profile: Option<String>,
    /// What it does by itself, if nobody tells it what to do.
    unattended: Option<Arc<Unattended>>,
}

/// A scenario as a stack meets it, and the stack that does.
pub type Met<'s> = (Cow<'s, Scenario>, Cow<'s, Stack>);

/// Whether a scenario is run on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// It is.
    Applies,
    /// The profile is not asked this: it stands for a product of one document, say.
    NotAsked,
    /// It cannot be, for this reason.
    NotApplicable(String),
}

impl Stack {
    /// The chip that it is for.
    pub fn chip(&self) -> &'static Chip {
        self.firmware.chip
    }

    /// The image of this stack, as a board takes it.
    pub fn image(&self) -> &board::Image {
        &self.image
    }

    /// What a profile models, and where that can be read; `None` for an image as it is.
    pub fn models(&self) -> Option<&str> {
        self.profile().map(|profile| profile.models.as_str())
    }

    /// The image as it is, without the profile.
    #[must_use]
    pub fn as_it_is(&self) -> Self {
        Self {
            name: self.firmware.name.clone(),
            product: self.firmware.name.clone(),
            title: self.dialect.stack.clone(),
            profile: None,
            ..self.clone()
        }
    }

    /// Whether its network is the chip's radio.
    pub fn has_radio(&self) -> bool {
        self.dialect.radio
    }

    /// How long after its reset the time begins that a scenario has, in seconds.
    pub fn boot_s(&self) -> u32 {
        self.dialect.boot_s
    }

    /// How the device is told what to do, if it takes no orders.
    pub fn driver(&self) -> Option<driver::Kind> {
        self.dialect.driver
    }

    /// What it does by itself, and whom it trusts, if nobody tells it what to do.
    pub fn unattended(&self) -> Option<&Unattended> {
        self.unattended.as_deref()
    }

    /// Whether each scenario has a copy of the image, in which its authority lies.
    pub fn is_copied(&self) -> bool {
        self.unattended().is_some_and(|unattended| matches!(unattended.trust(), Trust::Swapped(_)))
    }

    /// How it comes to trust the bench's broker, in a sentence; `None` of firmware of this bench, which is told.
    pub fn trust(&self) -> Option<String> {
        if let Some(unattended) = self.unattended() {
            return Some(unattended.trust().to_string());
        }
        self.driver().map(|driver| format!("it is given what to trust by the driver `{}`", driver.name()))
    }

    /// The scenario as this stack meets it: at the network and the broker that it dials by itself, if nobody tells it which.
    /// And the stack that does, whose image may be a copy made for that scenario.
    ///
    /// # Errors
    ///
    /// Why it does not meet it.
    pub fn meets<'s>(&'s self, scenario: &'s Scenario) -> Result<Met<'s>, NotMet> {
        match self.unattended() {
            Some(unattended) => unattended.meets(scenario).map(|met| self.met(met)),
            None => Ok((Cow::Borrowed(scenario), Cow::Borrowed(self))),
        }
    }

    /// A scenario that takes place where the stack dials already, as its copy meets it ([`Self::is_copied`]), and that copy.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn trusts<'s>(&'s self, moved: &'s Scenario) -> Result<Met<'s>, NotMet> {
        match self.unattended().filter(|_| self.is_copied()) {
            Some(unattended) => unattended.trusts(moved.clone()).map(|met| self.met(met)),
            None => Ok((Cow::Borrowed(moved), Cow::Borrowed(self))),
        }
    }

    fn met(&self, met: unattended::Met) -> Met<'_> {
        let of_copy = |firmware: Firmware| Self {
            image: Arc::new(firmware.image()),
            firmware: Arc::new(firmware),
            ..self.clone()
        };
        (Cow::Owned(met.scenario), met.copy.map_or(Cow::Borrowed(self), |firmware| Cow::Owned(of_copy(firmware))))
    }

    /// Where it ends otherwise than a profile that stands for the same, by the profile's name, and why.
    pub fn differs(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.dialect.differs
    }

    /// Whether it is firmware that somebody else has built and published.
    pub fn is_product(&self) -> bool {
        self.dialect.product.is_some()
    }

    /// Whether it is a product that nobody is required to have: it is given by hand.
    pub fn is_given(&self) -> bool {
        let product = self.dialect.product.as_deref().and_then(Product::by_name);
        product.is_some_and(|product| !product.is_fetched())
    }

    /// The command that gets the image here, if it is not there: what is in it is nobody's to hand on.
    pub fn is_missing(&self) -> Option<String> {
        self.firmware.is_missing()
    }

    /// Whether `--stack` may call it so.
    fn is_called(&self, name: &str) -> bool {
        let with_chip =
            name.split_once('@').is_some_and(|(product, chip)| product == self.product && chip == self.chip().name);
        name == self.name || name == self.product || with_chip
    }

    fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref().and_then(|name| self.dialect.profiles.get(name))
    }

    /// Every scenario or folder that the dialect mentions for this stack.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        let profile = self.profile();
        let asked = profile.and_then(|profile| profile.scenarios.as_ref()).into_iter().flatten();
        let excused = profile.map(|profile| &profile.not_applicable).into_iter().chain([&self.dialect.not_applicable]);
        asked.chain(excused.flat_map(|table| table.keys())).map(String::as_str)
    }

    /// Whether `scenario` is run on this stack.
    pub fn applicability(&self, scenario: &Scenario) -> Applicability {
        let profile = self.profile();
        if let Some(reason) =
            scenario.applies.as_ref().and_then(|applies| applies.excuse(&self.name, profile.is_some()))
        {
            return Applicability::NotApplicable(reason.to_owned());
        }
        if let Some(profile) = profile.filter(|profile| !profile.is_asked(&scenario.name)) {
            if is_of_this_bench(scenario) {
                return Applicability::NotAsked;
            }
            if let Some(limit) = &profile.limit {
                let why = format!("outside what this profile models: {} stands for {limit}", profile.title);
                return Applicability::NotApplicable(why);
            }
        }
        let is_asked = dialect::is_among(self.dialect.scenarios.as_deref(), &scenario.name);
        if profile.is_none() && !is_asked && is_of_this_bench(scenario) {
            return Applicability::NotAsked;
        }
        if let Some(reason) = self.lacks_line_or_radio(scenario) {
            return Applicability::NotApplicable(reason.to_owned());
        }
        let tables = profile.map(|profile| &profile.not_applicable).into_iter().chain([&self.dialect.not_applicable]);
        if let Some(reason) = tables.filter_map(|table| dialect::excuse(table, &scenario.name)).next() {
            return Applicability::NotApplicable(reason.to_owned());
        }
        let met = match self.unattended().map(|unattended| unattended.foresees(scenario)) {
            None => None,
            Some(Ok(met)) => Some(met),
            Some(Err(why)) => return Applicability::NotApplicable(why.0),
        };
        match self.reconcile(met.as_deref().unwrap_or(scenario), &NamesAlone) {
            Ok(Common::NotOfProfile(conflict)) => self.conflicts(&conflict),
            Ok(Common::NotOfDriver(conflict)) => self.conflicts(&conflict),
            // What is wrong with the plan is told when it is run.
            Ok(Common::Plan(_)) | Err(_) => Applicability::Applies,
        }
    }

    fn conflicts(&self, conflict: &dyn fmt::Display) -> Applicability {
        Applicability::NotApplicable(format!("{} {conflict}", self.title))
    }

    /// Why it never meets what the scenario does to the link that other stacks have.
    fn lacks_line_or_radio(&self, scenario: &Scenario) -> Option<&'static str> {
        let is_about_line = scenario.network.serial_damage.is_some() || !scenario.network.serial_faults.is_empty();
        match self.has_radio() {
            false if scenario.is_about_radio() => Some("no radio"),
            true if is_about_line => Some("its packets do not travel on a serial line"),
            _ => None,
        }
    }

    /// The scenarios of which its packets are kept: beginnings of the ids of source documents, or `*` ([`crate::packets`]).
    pub fn packets_of(&self) -> &[String] {
        self.profile().map_or(&self.dialect.packets_of, |profile| &profile.packets_of)
    }

    /// A reader of what the image prints.
    pub fn log_reader(&self) -> LogReader {
        LogReader::new(&self.dialect.log)
    }

    /// The plan that a device with this stack is told.
    ///
    /// # Errors
    ///
    /// If the scenario uses a word that the bench does not know, or asks for what the profile cannot be.
    pub fn plan(&self, scenario: &Scenario, issued: &dyn Issued) -> blame::Result<Plan> {
        let conflicting = |conflict: &dyn fmt::Display| Err(Error::author(format!("{} {conflict}", self.title)));
        match self.reconcile(scenario, issued)? {
            Common::Plan(plan) => Ok(*plan),
            Common::NotOfProfile(conflict) => conflicting(&conflict),
            Common::NotOfDriver(conflict) => conflicting(&conflict),
        }
    }

    /// What is both the scenario's and the product's: what the scenario asks for, within what a profile fixes and a driver
    /// can say.
    fn reconcile(&self, scenario: &Scenario, issued: &dyn Issued) -> blame::Result<Common> {
        let mut plan = plan::plan(scenario, &scenario.device, issued)?;
        plan.network.wifi = self.has_radio().then(|| plan::wifi(scenario));
        let mut preset = plan::plan(scenario, &Device::default(), issued)?;
        preset.network.wifi.clone_from(&plan.network.wifi);
        if self.is_copied()
            && let (Some(preset), Some(plan)) = (&mut preset.tls, &plan.tls)
        {
            // What the scenario's device trusts lies in the image.
            preset.authorities.clone_from(&plan.authorities);
        }
        if let Some(driver) = self.driver() {
            let fit = driver.fit(plan, &preset, &self.dialect.abilities());
            return Ok(fit.map_or_else(Common::NotOfDriver, |plan| Common::Plan(plan.into())));
        }
        let Some(profile) = self.profile() else { return Ok(Common::Plan(plan.into())) };
        Ok(match profile.patch().reconcile(plan, &preset)? {
            Reconciled::Plan(plan) => match idle(&scenario.device, &plan) {
                Some(conflict) => Common::NotOfProfile(conflict),
                None => Common::Plan(plan.into()),
            },
            Reconciled::Conflict(conflict) => Common::NotOfProfile(conflict),
        })
    }

    /// What a transcript says of a run on this stack.
    pub fn setting(&self, target: &board::Target, seed: u64) -> Setting<'_> {
        Setting {
            stack: &self.name,
            title: &self.title,
            image: &self.firmware.name,
            firmware: self.firmware.to_string(),
            target: target.clone(),
            seed,
            openssl: broker::openssl_version(),
            platform: self,
        }
    }

    /// An image as it is, and as every product of its dialect.
    fn all_of(firmware: Firmware, dialect: Dialect) -> Vec<Self> {
        Self::unattended_of(firmware, dialect, None)
    }

    /// The same of one that does such things by itself, if it does.
    fn unattended_of(firmware: Firmware, dialect: Dialect, unattended: Option<Arc<Unattended>>) -> Vec<Self> {
        let image = Arc::new(firmware.image());
        let (firmware, dialect) = (Arc::new(firmware), Arc::new(dialect));
        let stack = |name: &str, title: &str, profile: Option<&String>| Self {
            name: name.to_owned(),
            product: name.to_owned(),
            title: title.to_owned(),
            firmware: Arc::clone(&firmware),
            image: Arc::clone(&image),
            dialect: Arc::clone(&dialect),
            profile: profile.cloned(),
            unattended: unattended.clone(),
        };
        let mut stacks = vec![stack(&firmware.name, &dialect.stack, None)];
        stacks.extend(dialect.profiles.iter().map(|(name, profile)| stack(name, &profile.title, Some(name))));
        stacks
    }
}

impl Platform for Stack {
    fn says(&self, failure: &Failure) -> Option<String> {
        let rules = self.profile().map_or(&self.dialect.words, |profile| &profile.words);
        let driven = self.driver().and_then(|driver| driver.printed(failure));
        driven.or_else(|| words::say(rules, failure))
    }
}

/// What is both the scenario's and the product's, or what of the scenario the product cannot be.
enum Common {
    Plan(Box<Plan>),
    /// A profile has fixed it otherwise.
    NotOfProfile(Conflict),
    /// Its driver cannot say it.
    NotOfDriver(driver::Conflict),
}

/// What the scenario asks for and a device with this plan does not use at all.
fn idle(device: &Device, plan: &Plan) -> Option<Conflict> {
    let tls = plan.tls.as_ref()?;
    let absent = |key: &str| Some(Conflict { key: key.into(), fixed: Fixed::Absent });
    let names_somebody = matches!(device.server_name, ServerName::Other(_));
    let uses_a_name = tls.sends_server_name || tls.checks_name;
    if names_somebody && !uses_a_name && (device.security.sends_server_name || device.security.checks_name) {
        return absent("device.server_name");
    }
    if device.trusts_as != Encoding::Pem && !device.trusts.is_empty() && tls.authorities.is_none() {
        return absent("device.trusts_as");
    }
    None
}

/// Whether a scenario lies in one of the folders that dialects speak of: in folders of other names everybody is asked.
fn is_of_this_bench(scenario: &Scenario) -> bool {
    let folder = scenario.name.split_once('/').map_or("", |(folder, _)| folder);
    scenario::FOLDERS.iter().any(|(known, _)| *known == folder)
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile {
            // What somebody calls his product is his to say; what it is, is its image.
            None if self.unattended.is_some() && self.title != self.name => {
                write!(f, "{}, {}", self.title, self.firmware)
            }
            None => write!(f, "{}", self.firmware),
            Some(name) => write!(f, "{} as {name} ({})", self.firmware, self.title),
        }
    }
}

/// Every released stack, images in the order of their names, each followed by its profiles.
///
/// # Errors
///
/// If an image or a dialect cannot be read or is wrong, or if two stacks of one chip have one name.
pub fn released(root: &Path) -> blame::Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    for image in firmware::Image::all(root)? {
        let dialect = dialect_of(&image)?.unwrap_or_default();
        stacks.extend(Stack::all_of(Firmware::released(&image)?, dialect));
    }
    named(stacks)
}

/// Those of [`released`] that differ in more than their chip: what is asked of a broker or a certificate is asked once of
/// each library and product.
///
/// # Errors
///
/// As [`released`].
pub fn of_libraries(root: &Path) -> blame::Result<Vec<Stack>> {
    let mut stacks = released(root)?;
    stacks.retain(|stack| stack.chip() == chip::DEFAULT);
    Ok(stacks)
}

/// As [`released`], and behind them those of images that are built where they are needed, and of products, whether they
/// are there or not ([`Stack::is_missing`]).
///
/// # Errors
///
/// As [`released`].
pub fn known(root: &Path) -> blame::Result<Vec<Stack>> {
    let mut stacks = released(root)?;
    for image in firmware::Image::local(root)? {
        let dialect = dialect_of(&image)?.unwrap_or_default();
        stacks.extend(Stack::all_of(Firmware::local(&image)?, dialect));
    }
    stacks.extend(products::all(root)?);
    named(stacks)
}

/// The stacks of somebody's own ELF for `chip`: as it is, and as the profiles of a dialect. That is the one that is given, else
/// the one of a product, if the image is one that is pinned here, else the one of the image of the same name in this
/// repository, if there is one. Of firmware that nobody tells what to do, `options` say how it is met.
///
/// # Errors
///
/// If the image or the dialect cannot be read or is wrong.
pub fn own(
    root: &Path,
    elf: &Path,
    dialect: Option<&Path>,
    chip: &'static Chip,
    options: &UnattendedOptions,
) -> blame::Result<Vec<Stack>> {
    // A product that is given by hand is the product, whatever its file is called.
    if dialect.is_none()
        && let Some((description, product, dialect)) = products::description(root, elf)?
        && product.chip == chip
    {
        let (firmware, unattended) = options.apply(Firmware::given(root, &description, product, elf)?, &dialect)?;
        return named(Stack::unattended_of(firmware, dialect, unattended));
    }
    let firmware = Firmware::own(root, elf, chip)?;
    let found = match dialect {
        Some(file) => {
            let found = Dialect::read(file).map_err(Error::author)?;
            Some(found.ok_or_else(|| Error::author(format!("{}: there is no such file", file.display())))?)
        }
        None => dialect_of(&firmware::Image::new(root, &firmware.name))?,
    };
    let dialect = with_profiles(root, found.unwrap_or_default())?;
    let (firmware, unattended) = options.apply(firmware, &dialect)?;
    named(Stack::unattended_of(firmware, dialect, unattended))
}

/// Those of the stacks that are wanted, for `chip`; all of its stacks if nobody wants any in particular. A stack goes by
/// its name, by `product@chip`, and by its product, if that is another chip's name for it.
///
/// # Errors
///
/// If there is no stack of a name, with those that there are; or if it is another chip's, with both chips.
pub fn select(stacks: Vec<Stack>, wanted: &[String], chip: &'static Chip) -> blame::Result<Vec<Stack>> {
    for name in wanted {
        let called_so: Vec<&Stack> = stacks.iter().filter(|stack| stack.is_called(name)).collect();
        match called_so.as_slice() {
            [] => {
                let known: Vec<&str> =
                    stacks.iter().filter(|stack| stack.chip() == chip).map(|stack| stack.name.as_str()).collect();
                let near = library::nearest(name, known.iter().copied());
                let near =
                    if near.is_empty() { String::new() } else { format!(", did you mean {}", near.join(" or ")) };
                let known = if known.is_empty() { format!("none for the chip {chip}") } else { known.join(", ") };
                return Err(Error::usage(format!("there is no stack `{name}`{near}; there is {known}")));
            }
            several if several.iter().any(|stack| stack.chip() == chip) => {}
            [other, ..] => {
                let words = format!("the stack `{name}` is for the chip {}, and this run is for {chip}", other.chip());
                return Err(Error::usage(format!("{words}: `--board {}`, or another stack", other.chip())));
            }
        }
    }
    let is_wanted = |stack: &Stack| wanted.is_empty() || wanted.iter().any(|name| stack.is_called(name));
    Ok(stacks.into_iter().filter(|stack| stack.chip() == chip && is_wanted(stack)).collect())
}

/// Which of these scenarios are not run on which of these stacks, with the reasons.
pub fn not_applicable(stacks: &[Stack], scenarios: &[Scenario]) -> Vec<NotApplicable> {
    let of_stack = |stack: &Stack| {
        let excluded = scenarios.iter().filter_map(|scenario| match stack.applicability(scenario) {
            Applicability::NotApplicable(reason) => {
                Some(NotApplicable { scenario: scenario.name.clone(), stack: stack.name.clone(), reason })
            }
            Applicability::Applies | Applicability::NotAsked => None,
        });
        excluded.collect::<Vec<_>>()
    };
    stacks.iter().flat_map(of_stack).collect()
}

fn dialect_of(image: &firmware::Image) -> blame::Result<Option<Dialect>> {
    let found = Dialect::read(&image.dialect()).map_err(Error::author)?;
    found.map(|dialect| with_profiles(&image.root, dialect)).transpose()
}

/// The dialect with the profiles of the image that it names, if it names one. They are asked what this image is asked.
fn with_profiles(root: &Path, mut dialect: Dialect) -> blame::Result<Dialect> {
    let Some(name) = dialect.profiles_of.clone() else { return Ok(dialect) };
    let images = firmware::Image::sources(root)?;
    let Some(image) = images.iter().find(|image| image.name == name) else {
        let known: Vec<String> = images.into_iter().map(|image| image.name).collect();
        let why = format!("`profiles_of` names `{name}`, which is no image; there is {}", known.join(", "));
        return Err(Error::author(why));
    };
    let found = Dialect::read(&image.dialect()).map_err(Error::author)?.unwrap_or_default();
    dialect.take_profiles(found);
    Ok(dialect)
}

/// Names the stacks: each by its product, or by `product@chip` where a chip before it in [`CHIPS`] has the product too.
/// So no stack's name, and none of its files', changes because there is one more chip.
fn named(mut stacks: Vec<Stack>) -> blame::Result<Vec<Stack>> {
    let place = |chip: &Chip| CHIPS.iter().position(|known| *known == chip).unwrap_or(CHIPS.len());
    let owners = stacks.clone();
    for stack in &mut stacks {
        let same = |other: &&Stack| other.product == stack.product;
        if let Some(other) = owners
            .iter()
            .filter(same)
            .find(|other| other.chip() == stack.chip() && other.firmware.name != stack.firmware.name)
        {
            return Err(Error::author(format!(
                "two stacks are called `{}`, of the images {} and {}: rename a profile in a dialect.toml",
                stack.product, other.firmware.name, stack.firmware.name
            )));
        }
        if owners.iter().filter(same).any(|other| place(other.chip()) < place(stack.chip())) {
            stack.name = format!("{}@{}", stack.product, stack.chip());
        }
    }
    Ok(stacks)
}

#[cfg(test)]
mod tests;
