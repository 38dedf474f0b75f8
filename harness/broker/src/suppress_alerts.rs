//! An engine that does not say why it gives up.

use crate::engine::{Engine, Progress};
use clock::UnixTime;
use outcome::AlertDescription;

/// Another engine, whose last alert is left out if its handshake fails.
pub(crate) struct SuppressAlerts {
    engine: Box<dyn Engine>,
    wire: Vec<u8>,
    progress: Vec<Progress>,
}

impl SuppressAlerts {
    pub(crate) fn new(engine: Box<dyn Engine>) -> Self {
        Self { engine, wire: Vec::new(), progress: Vec::new() }
    }

    /// Takes what the engine has to say, unless it gives up saying it.
    fn collect(&mut self) {
        let mut wire = self.engine.take_wire();
        let progress = self.engine.take_progress();
        if progress.iter().any(|step| matches!(step, Progress::Failed { alert: None, .. })) {
            wire.clear();
        }
        self.wire.append(&mut wire);
        self.progress.extend(progress);
    }
}

impl Engine for SuppressAlerts {
    fn received(&mut self, date: UnixTime, bytes: &[u8]) {
        self.engine.received(date, bytes);
        self.collect();
    }

    fn take_wire(&mut self) -> Vec<u8> {
        self.collect();
        std::mem::take(&mut self.wire)
    }

    fn take_data(&mut self) -> Vec<u8> {
        self.engine.take_data()
    }

    fn take_progress(&mut self) -> Vec<Progress> {
        self.collect();
        std::mem::take(&mut self.progress)
    }

    fn say(&mut self, data: &[u8]) {
        self.engine.say(data);
    }

    fn close_notify(&mut self) {
        self.engine.close_notify();
    }

    fn alert(&mut self, description: AlertDescription) {
        self.engine.alert(description);
    }

    fn empty_record(&mut self) {
        self.engine.empty_record();
    }

    fn update_keys(&mut self) {
        self.engine.update_keys();
    }

    fn renegotiate(&mut self) {
        self.engine.renegotiate();
    }
}
