//! One screw turned step by step: the `[sweep]` table.

use serde::Deserialize;

use crate::Scenario;
use crate::device::Device;
use crate::problem::Complaint;

/// More steps than this help nobody, and each is a run.
pub const STEPS_MAX: usize = 256;

/// The `[sweep]` table: the scenario is run once for each value of the one list in here, and the transcript has a line
/// for each. The packets are those of the last.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sweep {
    /// Values for `device.heap_cap_bytes`.
    pub heap_cap_bytes: Vec<u32>,
    /// Values for `device.heap_block_max_bytes`.
    pub heap_block_max_bytes: Vec<u32>,
    /// Values for `device.failing_allocation`.
    pub failing_allocation: Vec<u32>,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is different in it, with `{}` for the value: `heap of {} bytes`.
    pub what: &'static str,
    /// The value.
    pub value: u32,
    /// The scenario with that value.
    pub scenario: Scenario,
}

impl Sweep {
    /// The runs that it asks for of `scenario`.
    pub(crate) fn steps(&self, scenario: &Scenario) -> Vec<Step> {
        let step = |what: &'static str, value: &u32, turn: fn(&mut Device, u32)| {
            let mut scenario = Scenario { sweep: None, ..scenario.clone() };
            turn(&mut scenario.device, *value);
            Step { what, value: *value, scenario }
        };
        let caps = self
            .heap_cap_bytes
            .iter()
            .map(|bytes| step("heap of {} bytes", bytes, |device, bytes| device.plan.heap_cap_bytes = Some(bytes)));
        let blocks = self.heap_block_max_bytes.iter().map(|bytes| {
            step("blocks of {} bytes at most", bytes, |device, bytes| device.plan.heap_block_max_bytes = Some(bytes))
        });
        let failing = self.failing_allocation.iter().map(|number| {
            step("without allocation {}", number, |device, number| device.plan.failing_allocation = Some(number))
        });
        caps.chain(blocks).chain(failing).collect()
    }

    pub(crate) fn check(&self) -> Result<(), Complaint> {
        let lists = [&self.heap_cap_bytes, &self.heap_block_max_bytes, &self.failing_allocation];
        let given = lists.iter().filter(|list| !list.is_empty()).count();
        if given != 1 {
            return Err(Complaint::at(&["sweep"], "a sweep turns one screw", "give exactly one list of values"));
        }
        if lists.iter().any(|list| list.len() > STEPS_MAX) {
            return Err(Complaint::at(&["sweep"], "each value is a run", "give at most 256 values"));
        }
        Ok(())
    }
}
